package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/djedge/djedge/build/compat/record"
)

// readCells reads one cell from each line.
func readCells(name string) ([]record.Cell, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var cells []record.Cell
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		var c record.Cell
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, len(cells)+1, err)
		}
		cells = append(cells, c)
	}
	return cells, nil
}

// sortedCells are the lines of the results: each once, in an order of their own.
func sortedCells(cells []record.Cell) []string {
	lines := map[string]bool{}
	for _, c := range cells {
		line, _ := json.Marshal(c) // strings and a number
		lines[string(line)] = true
	}
	return slices.Sorted(maps.Keys(lines))
}

// hasherVectors are the vectors of the section hasher, by Django and algorithm.
func hasherVectors(name string) (map[record.Cell][]*vector, error) {
	all, err := readVectors(name)
	if err != nil {
		return nil, err
	}
	groups := map[record.Cell][]*vector{}
	for _, v := range all {
		algorithm := v.text("algorithm")
		if v.Section != "hasher" || algorithm == "" {
			continue // no hasher of that Django's knows such a hash
		}
		c := record.Cell{Django: v.Django, Test: filepath.Base(name), Hasher: algorithm}
		groups[c] = append(groups[c], v)
	}
	return groups, nil
}

// judgeHashers gives every hash of a vector file to both engines.
func judgeHashers(name string) ([]record.Cell, error) {
	groups, err := hasherVectors(name)
	if err != nil {
		return nil, err
	}
	passed := map[record.Cell]int{}
	for _, engine := range []string{"native", "wasm"} {
		judge, err := newJudge(engine)
		if err != nil {
			return nil, err
		}
		for c, vectors := range groups {
			var failures strings.Builder
			count := judge.run(vectors, &failures, false)["hasher"]
			if count.failed > 0 {
				judge.close()
				return nil, fmt.Errorf("%s: %s of Django %s, %s:\n%s", name, c.Hasher, c.Django, engine, failures.String())
			}
			if before, ok := passed[c]; !ok || count.passed < before {
				passed[c] = count.passed
			}
		}
		judge.close()
	}
	var cells []record.Cell
	for c, n := range passed {
		if c.Vectors = n; n > 0 {
			cells = append(cells, c)
		}
	}
	return cells, nil
}
