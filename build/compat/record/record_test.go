package record_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/djedge/djedge/build/compat/record"
)

// ended is a test that is over.
type ended struct {
	testing.TB
	failed, skipped bool
	cleanup         func()
}

func (e *ended) Name() string     { return "TestX/sub" }
func (e *ended) Failed() bool     { return e.failed }
func (e *ended) Skipped() bool    { return e.skipped }
func (e *ended) Cleanup(f func()) { e.cleanup = f }

// Only what has passed is recorded, with the release that the Python names.
func TestPassed(t *testing.T) {
	dir := t.TempDir()
	file, python := filepath.Join(dir, "cells"), filepath.Join(dir, "python")
	if err := os.WriteFile(python, []byte("#!/bin/sh\necho 5.2.19\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv(record.Variable, file)
	for _, e := range []*ended{{TB: t}, {TB: t, failed: true}, {TB: t, skipped: true}} {
		record.Passed(e, record.Cell{Python: python, Engine: "db", Database: "sqlite"})
		e.cleanup()
	}
	got, err := os.ReadFile(file)
	if want := `{"django":"5.2.19","test":"record.TestX","engine":"db","database":"sqlite"}` + "\n"; err != nil || string(got) != want {
		t.Errorf("recorded %s, %v, want %s", got, err, want)
	}

	t.Setenv(record.Variable, "")
	e := &ended{TB: t}
	if record.Passed(e, record.Cell{Python: "none"}); e.cleanup != nil {
		t.Error("recorded without being asked")
	}
}
