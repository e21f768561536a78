package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// A vector file is {"meta": …, "vectors": […]}. Meta is one run of the
// generator or {"merged": [run, …]}; a run says which hashers that Django had
// and which bcrypt library it used.
type vectorFile struct {
	Meta struct {
		vectorRun
		Merged []vectorRun `json:"merged"`
	} `json:"meta"`
	Vectors []json.RawMessage `json:"vectors"`
}

type vectorRun struct {
	Django           string            `json:"django"`
	AvailableHashers []string          `json:"available_hashers"`
	Libs             map[string]string `json:"libs"`
}

// vector is one case. Its fields stay raw, since some hold what encoding/json
// cannot: lone surrogates, NaN.
type vector struct {
	ID      string `json:"id"`
	Section string `json:"section"`
	Django  string `json:"django"`
	fields  map[string]json.RawMessage
	run     vectorRun
}

func (v *vector) has(name string) bool { _, ok := v.fields[name]; return ok }

// text is a string field; fields with lone surrogates must be passed on raw instead.
func (v *vector) text(name string) string {
	var s string
	_ = json.Unmarshal(v.fields[name], &s)
	return s
}

// version is the feature release: "5.2" of "5.2.19".
func (v *vector) version() string {
	parts := strings.SplitN(v.Django, ".", 3)
	if len(parts) < 2 {
		return v.Django
	}
	return parts[0] + "." + parts[1]
}

// errSkip marks a vector that cannot be judged; its text says why.
type errSkip string

func (e errSkip) Error() string { return string(e) }

type sectionCount struct {
	passed, failed, skipped int
	reasons                 map[string]int // of skips
	took                    time.Duration  // by those who judged, together
}

// vectors runs conformance vectors through an engine.
func vectors(args []string) int {
	flags := flag.NewFlagSet("vectors", flag.ContinueOnError)
	engine := flags.String("engine", "native", "native, or wasm: the module, which then also hashes")
	verbose := flags.Bool("v", false, "print every failure, not only the first ten of a section")
	files, err := parseInterspersed(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if len(files) == 0 || (*engine != "native" && *engine != "wasm") {
		fmt.Fprintln(os.Stderr, "usage: go run ./build vectors --engine wasm|native FILE…")
		return 2
	}
	var all []*vector
	for _, name := range files {
		read, err := readVectors(name)
		if err != nil {
			fmt.Fprintf(os.Stderr, "vectors: %v\n", err)
			return 1
		}
		all = append(all, read...)
	}
	judge, err := newJudge(*engine)
	if err != nil {
		fmt.Fprintf(os.Stderr, "vectors: %v\n", err)
		return 1
	}
	defer judge.close()
	counts := judge.run(all, os.Stdout, *verbose)
	return printCounts(os.Stdout, counts)
}

// parseInterspersed lets flags follow positional arguments.
func parseInterspersed(flags *flag.FlagSet, args []string) ([]string, error) {
	var positional []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return positional, nil
		}
		positional = append(positional, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

func readVectors(name string) ([]*vector, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var file vectorFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	runs := map[string]vectorRun{}
	for _, run := range append(file.Meta.Merged, file.Meta.vectorRun) {
		if run.Django != "" {
			runs[run.Django] = run
		}
	}
	out := make([]*vector, 0, len(file.Vectors))
	for i, raw := range file.Vectors {
		v := &vector{}
		if err := errors.Join(json.Unmarshal(raw, v), json.Unmarshal(raw, &v.fields)); err != nil {
			return nil, fmt.Errorf("%s: vector %d: %w", name, i, err)
		}
		v.run = runs[v.Django]
		out = append(out, v)
	}
	return out, nil
}

// run judges every vector, some at a time.
func (j *judge) run(all []*vector, out io.Writer, verbose bool) map[string]*sectionCount {
	counts := map[string]*sectionCount{}
	var mu sync.Mutex
	work := make(chan *vector)
	var workers sync.WaitGroup
	for range j.workers {
		workers.Go(func() {
			for v := range work {
				start := time.Now()
				err := j.judge(v)
				took := time.Since(start)
				mu.Lock()
				count := counts[v.Section]
				if count == nil {
					count = &sectionCount{reasons: map[string]int{}}
					counts[v.Section] = count
				}
				count.took += took
				var skip errSkip
				switch {
				case err == nil:
					count.passed++
				case errors.As(err, &skip):
					count.skipped++
					count.reasons[string(skip)]++
				default:
					count.failed++
					if verbose || count.failed <= 10 {
						fmt.Fprintf(out, "FAIL %s %s: %v\n", v.ID, v.text("tag"), err)
					}
				}
				mu.Unlock()
			}
		})
	}
	for _, v := range all {
		work <- v
	}
	close(work)
	workers.Wait()
	return counts
}

// printCounts prints a line per section and the totals alone on the last line.
func printCounts(out io.Writer, counts map[string]*sectionCount) int {
	var total sectionCount
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		c := counts[name]
		total.passed += c.passed
		total.failed += c.failed
		total.skipped += c.skipped
		fmt.Fprintf(out, "%s: %d passed, %d failed, %d skipped\n", name, c.passed, c.failed, c.skipped)
		for _, reason := range slices.Sorted(maps.Keys(c.reasons)) {
			fmt.Fprintf(out, "  skipped %d: %s\n", c.reasons[reason], reason)
		}
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", total.passed, total.failed, total.skipped)
	if total.failed > 0 {
		return 1
	}
	return 0
}
