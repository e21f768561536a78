// Package python tests the Python package: its own tests, beside a real
// Django, and what is built for PyPI.
package python

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	components = os.Getenv("DJEDGE_TEST_COMPONENTS")
	inCI       = os.Getenv("CI") == "true"
)

// need is the path of an installed file; where it is missing the test is skipped, or fails in CI.
func need(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(filepath.Join(components, path))
	if err == nil {
		_, err = os.Stat(full)
	}
	if components == "" || err != nil {
		missing(t, "component "+path+" is not installed (make components, and DJEDGE_TEST_COMPONENTS)")
	}
	return full
}

func missing(t *testing.T, why string) {
	t.Helper()
	if inCI {
		t.Fatal(why)
	}
	t.Skip(why)
}

// run runs a program, and logs what it prints.
func run(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1"), env...)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(name), err)
	}
}

// The tests in tests, with what is in src. They print how long the event loop was kept waiting.
func TestPython(t *testing.T) {
	python := need(t, "python-djedge/bin/python")
	need(t, "django52/bin/python")
	if os.Getenv("DJEDGE_TEST_POSTGRES") == "" {
		missing(t, "DJEDGE_TEST_POSTGRES names no server (build/components/with-postgres)")
	}
	djedge := filepath.Join(t.TempDir(), "djedge")
	run(t, nil, "go", "build", "-o", djedge, "github.com/djedge/djedge/host/djedge")
	run(t, []string{"DJEDGE_TEST_DJEDGE=" + djedge}, python, "tests")
}

// The types, as strictly as mypy can.
func TestTypes(t *testing.T) {
	run(t, []string{"MYPY_CACHE_DIR=" + t.TempDir()}, need(t, "python-djedge/bin/python"), "-m", "mypy")
}
