package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/djedge/djedge/build/compat/record"
)

const compatUsage = `usage: go run ./build compat [FILE…]

Writes docs/versions.md, from what the packages do, and docs/compat.md, from build/testdata/compat.jsonl.
With files the results are replaced first: by those that tests have recorded (*.jsonl), and by those of
running the hashers of vector files (*.json), natively and through the module. See "make compat".
`

// Where things are, from the repository's root.
const (
	compatResults = "build/testdata/compat.jsonl"
	compatDoc     = "docs/compat.md"
	versionsDoc   = "docs/versions.md"
)

// compat writes the generated pages of docs.
func compat(args []string) int {
	flags := flag.NewFlagSet("compat", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, compatUsage) }
	files, err := parseInterspersed(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if len(files) > 0 {
		if err := replaceResults(files); err != nil {
			return fail(err)
		}
	}
	cells, err := readCells(compatResults)
	if err != nil {
		return fail(err)
	}
	versions, err := versionsPage()
	if err != nil {
		return fail(err)
	}
	for name, text := range map[string]string{versionsDoc: versions, compatDoc: compatPage(cells)} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return fail(err)
		}
	}
	return 0
}

// replaceResults is all or nothing: with a vector that fails, nothing is written.
func replaceResults(files []string) error {
	var cells []record.Cell
	for _, name := range files {
		var more []record.Cell
		var err error
		if filepath.Ext(name) == ".json" {
			more, err = judgeHashers(name)
		} else {
			more, err = readCells(name)
		}
		if err != nil {
			return err
		}
		cells = append(cells, more...)
	}
	var text strings.Builder
	for _, line := range sortedCells(cells) {
		text.WriteString(line + "\n")
	}
	return os.WriteFile(compatResults, []byte(text.String()), 0o644)
}
