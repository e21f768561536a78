// Package vectortest reads the conformance vectors of testdata/vectors for the
// tests of the packages whose rules they show.
package vectortest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Main is the file of the vectors that most tests read.
const Main = "django.json"

// Read is the vectors of one file that belong to these sections (to any, if
// none is named), in order. Other sections have other types under the same
// names, and are not decoded. No vectors at all are an error.
func Read[V any](file string, sections ...string) ([]V, error) {
	dir, err := directory()
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil, err
	}
	var all struct{ Vectors []json.RawMessage }
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var out []V
	for i, raw := range all.Vectors {
		var head struct{ Section string }
		if err := json.Unmarshal(raw, &head); err != nil {
			return nil, fmt.Errorf("%s: vector %d: %w", file, i, err)
		}
		if len(sections) > 0 && !slices.Contains(sections, head.Section) {
			continue
		}
		var v V
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, fmt.Errorf("%s: vector %d: %w", file, i, err)
		}
		out = append(out, v)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: no vectors of the sections %q", file, sections)
	}
	return out, nil
}

// directory is testdata/vectors of the repository whose package is tested.
func directory() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		vectors := filepath.Join(dir, "testdata", "vectors")
		if _, err := os.Stat(vectors); err == nil {
			return vectors, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return "", fmt.Errorf("no testdata/vectors above the tested package")
}
