package main

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/djedge/djedge/build/scenario"
)

// docs/runtimes.md says what the results do; these are of all vectors, and of
// all rows through all doors.
func TestRuntimesDocIsCurrent(t *testing.T) {
	t.Chdir("..")
	cells, err := readRuntimeCells(runtimesResults)
	if err != nil {
		t.Fatal(err)
	}
	current(t, runtimesDoc, runtimesPage(cells))

	files, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]int{}
	for _, name := range files {
		all, err := readVectors(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range all {
			sections[v.Section]++
		}
	}
	counted := map[string]int{}
	for _, c := range cells {
		if c.sectionCell == nil {
			continue
		}
		counted[c.Host]++
		if n := c.Passed + c.Failed + c.Skipped; n != sections[c.Section] || c.Failed > 0 || !slices.Contains(hostNames(), c.Host) {
			t.Errorf("%s: %d results of %s, %d failed; there are %d vectors: make runtimes", c.Host, n, c.Section, c.Failed, sections[c.Section])
		}
	}
	for host, n := range counted {
		if n != len(sections) {
			t.Errorf("%s: results of %d sections, there are %d: make runtimes", host, n, len(sections))
		}
	}

	type place struct{ door, engine, row string }
	results := map[place]int{}
	for _, c := range cells {
		if c.Cell != nil {
			results[place{c.Door, c.Engine, c.Row}]++
		}
	}
	for _, d := range scenario.Doors() {
		missing := 0
		for _, engine := range d.Engines {
			for _, row := range scenario.Rows() {
				at := place{d.Name, engine, row.Name}
				if results[at] != 1 {
					missing++
				}
				delete(results, at)
			}
		}
		if missing > 0 {
			t.Errorf("%s: %d results are missing: make runtimes", d.Name, missing)
		}
	}
	for at := range results {
		t.Errorf("there is no %v: make runtimes", at)
	}
}
