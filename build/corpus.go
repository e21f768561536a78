package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// djangos are the releases whose answers make the corpus.
var djangos = []string{"2.2", "3.2", "4.2", "5.2", "6.0", "6.1"}

const corpusUsage = `usage: go run ./build corpus [--seed N] [--out DIR] [--components DIR] [DJANGO…]

Asks real Djangos (all, or these releases) and writes DIR/django-RELEASE.json for each. A MariaDB among the
components is started for the section mariadb; without one the section is left out. The same seed
and the same environments make the same files. See testdata/vectors/README.md.
`

// corpus makes conformance vectors: it runs build/corpus/generate.py in the
// virtual environment of each Django below the components (make components).
func corpus(args []string) int {
	flags := flag.NewFlagSet("corpus", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, corpusUsage) }
	seed := flags.Int("seed", 2026, "what the inputs are drawn from")
	out := flags.String("out", "testdata/vectors", "directory for the files")
	components := flags.String("components", defaultComponents(), "where make components put the environments")
	releases, err := parseInterspersed(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if len(releases) == 0 {
		releases = djangos
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return fail(err)
	}
	socket := ""
	switch server, err := startMariaDB(*components); {
	case err == nil:
		defer server.stop()
		socket = server.Socket
	case os.Getenv("CI") == "true":
		return fail(err)
	default:
		fmt.Printf("the section mariadb is left out: %v\n", err)
	}
	for _, release := range releases {
		python := filepath.Join(*components, "django"+strings.ReplaceAll(release, ".", ""), "bin", "python")
		if _, err := os.Stat(python); err != nil {
			if os.Getenv("CI") == "true" {
				return fail(fmt.Errorf("django %s is not installed (make components): %w", release, err))
			}
			fmt.Printf("django %s: skipped, it is not installed (make components)\n", release)
			continue
		}
		file := filepath.Join(*out, "django-"+release+".json")
		if err := generate(python, *seed, file, socket); err != nil {
			return fail(fmt.Errorf("django %s: %w", release, err))
		}
		all, err := readVectors(file)
		if err != nil {
			return fail(err)
		}
		fmt.Printf("%s: %d vectors of Django %s\n", file, len(all), all[0].Django)
	}
	return 0
}

// generate runs the generator with nothing of this machine but the path: time
// zones, locales and hash seeds must not leak into vectors.
func generate(python string, seed int, file, mariadb string) error {
	cmd := exec.Command(python, filepath.Join("build", "corpus", "generate.py"), "--seed", strconv.Itoa(seed), "--out", file)
	if mariadb != "" {
		cmd.Args = append(cmd.Args, "--mariadb", mariadb)
	}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1", "PYTHONUTF8=1", "TZ=UTC", "LC_ALL=C.UTF-8", "TMPDIR=" + os.TempDir()}
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// defaultComponents is where the Makefile puts them.
func defaultComponents() string {
	if dir := os.Getenv("DJEDGE_TEST_COMPONENTS"); dir != "" {
		return dir
	}
	if os.Getuid() == 0 {
		return "/var/tmp/djedge-components"
	}
	return ".components"
}
