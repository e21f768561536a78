package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/djedge/djedge/build/conformance"
	"github.com/djedge/djedge/build/wasmbuild"
)

const conformanceUsage = `usage: go run ./build conformance [flags] [FILE…]

Runs conformance vectors in every runtime, and installs what that needs. Without files they are
testdata/vectors/*.json. The hosts are
%s.

`

// ownHosts are the engines of this repository, by the name that vectors --engine has for them.
var ownHosts = map[string]string{"native": "native", "wazero": "wasm"}

// remoteWorkers keep an adapter busy while the judges think.
const remoteWorkers = 4

type conformanceRun struct {
	root, components string
	verbose          bool
	record           string
	vectors          []*vector
	out              io.Writer
}

// hostResult is what one host answered.
type hostResult struct {
	host   string
	counts map[string]*sectionCount
	took   time.Duration
}

// runConformance is the verb "conformance".
func runConformance(args []string) int {
	root, err := wasmbuild.Root()
	if err != nil {
		return fail(err)
	}
	all := hostNames()
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintf(os.Stderr, conformanceUsage, strings.Join(all, ", "))
		flags.PrintDefaults()
	}
	r := conformanceRun{root: root, out: os.Stdout}
	hosts := flags.String("host", "", "names with commas between them; every host when it is left out")
	flags.StringVar(&r.components, "components", defaultComponents(), "directory that components are installed in")
	flags.StringVar(&r.record, "record", "", "a file to append the counts to, for \"runtimes\"")
	flags.BoolVar(&r.verbose, "v", false, "print every failure, not only the first ten of a section")
	files, err := parseInterspersed(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	names := all
	if *hosts != "" {
		names = strings.Split(*hosts, ",")
	}
	for _, name := range names {
		if !slices.Contains(all, name) {
			fmt.Fprintf(os.Stderr, "build: conformance has no host %q, only %s\n", name, strings.Join(all, ", "))
			return 2
		}
	}
	if r.components, err = filepath.Abs(r.components); err != nil {
		return fail(err)
	}
	if len(files) == 0 {
		if files, err = filepath.Glob(filepath.Join(root, "testdata", "vectors", "*.json")); err != nil {
			return fail(err)
		}
	}
	for _, name := range files {
		read, err := readVectors(name)
		if err != nil {
			return fail(err)
		}
		r.vectors = append(r.vectors, read...)
	}
	code := 0
	var results []*hostResult
	for _, name := range names {
		result, err := r.host(name)
		if err != nil {
			fmt.Fprintf(os.Stderr, "build: %s: %v\n", name, err)
			if !errors.Is(err, errNotHere) || os.Getenv("CI") == "true" {
				code = 1
			}
			continue
		}
		results = append(results, result)
		if err := r.append(result); err != nil {
			return fail(err)
		}
	}
	for _, result := range results {
		t := total(result.counts)
		if t.failed > 0 || t.passed == 0 {
			code = 1
		}
		fmt.Printf("%s: %d passed, %d failed, %d skipped\n", result.host, t.passed, t.failed, t.skipped)
	}
	return code
}

// append records the counts.
func (r *conformanceRun) append(result *hostResult) error {
	if r.record == "" {
		return nil
	}
	f, err := os.OpenFile(r.record, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	for section, c := range result.counts {
		cell := runtimeCell{sectionCell: &sectionCell{result.host, section, c.passed, c.failed, c.skipped}}
		if _, err := fmt.Fprintln(f, cell.line()); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

func hostNames() []string {
	names := []string{"native", "wazero"}
	for _, r := range conformance.Runtimes() {
		names = append(names, r.Name)
	}
	return names
}

// errNotHere marks a host that this machine, or this tree, does not have.
var errNotHere = errors.New("not run")

// host judges every vector in one host, and prints the counts of the sections.
func (r *conformanceRun) host(name string) (*hostResult, error) {
	start := time.Now()
	judge, stop, err := r.judge(name)
	if err != nil {
		return nil, err
	}
	defer stop()
	ready := time.Since(start)
	counts := judge.run(r.vectors, r.out, r.verbose)
	judge.close()
	took := time.Since(start)
	fmt.Fprintf(r.out, "== %s: %.1f s, of which %.1f s to start\n", name, took.Seconds(), ready.Seconds())
	printCounts(r.out, counts)
	fmt.Fprintf(r.out, "most of the time, waiting included: %s\n", slowest(counts, 4))
	return &hostResult{name, counts, took}, nil
}

func (r *conformanceRun) judge(name string) (_ *judge, stop func(), err error) {
	if kind, own := ownHosts[name]; own {
		j, err := newJudge(kind)
		return j, func() {}, err
	}
	runtimes := conformance.Runtimes()
	runtime := runtimes[slices.IndexFunc(runtimes, func(r conformance.Runtime) bool { return r.Name == name })]
	if runtime.Component != "" {
		install := exec.Command(filepath.Join(r.root, "build", "components", "install"), r.components, runtime.Component)
		install.Stdout, install.Stderr = os.Stderr, os.Stderr
		if err := install.Run(); err != nil {
			return nil, nil, fmt.Errorf("%w: %s cannot be installed: %w", errNotHere, runtime.Component, err)
		}
	}
	p, err := runtime.Start(r.root, r.components)
	if errors.Is(err, conformance.ErrNoAdapter) {
		err = fmt.Errorf("%w: %w", errNotHere, err)
	}
	if err != nil {
		return nil, nil, err
	}
	j, err := newJudgeOf(p.Engine, remoteWorkers)
	if err != nil {
		return nil, nil, errors.Join(err, p.Close())
	}
	return j, func() { _ = p.Close() }, nil
}

func total(counts map[string]*sectionCount) (t sectionCount) {
	for _, c := range counts {
		t.passed += c.passed
		t.failed += c.failed
		t.skipped += c.skipped
	}
	return t
}

// slowest names the sections that judges spent most time in, and the seconds.
func slowest(counts map[string]*sectionCount, n int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return int(counts[b].took - counts[a].took) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %.1f", name, counts[name].took.Seconds())
	}
	return strings.Join(names[:min(n, len(names))], ", ")
}
