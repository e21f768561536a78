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

// What is built installs where nothing else is, and the documents' programs run there. Nothing comes from a network:
// the environment sees the installed libraries, and no djedge.
func TestPackage(t *testing.T) {
	python := need(t, "python-djedge/bin/python")
	need(t, "django52/bin/python")
	if os.Getenv("DJEDGE_TEST_POSTGRES") == "" {
		missing(t, "DJEDGE_TEST_POSTGRES names no server (build/components/with-postgres)")
	}
	dist := t.TempDir()
	run(t, nil, python, "-m", "hatchling", "build", "-d", dist)
	wheels, _ := filepath.Glob(filepath.Join(dist, "*.whl"))
	sdists, _ := filepath.Glob(filepath.Join(dist, "*.tar.gz"))
	if len(wheels) != 1 || len(sdists) != 1 {
		t.Fatalf("built were %q and %q", wheels, sdists)
	}
	for _, what := range []string{wheels[0], sdists[0]} {
		t.Run(filepath.Base(what), func(t *testing.T) {
			empty := filepath.Join(t.TempDir(), "venv")
			run(t, nil, python, "-m", "venv", empty)
			libraries, _ := filepath.Glob(need(t, "python-djedge") + "/lib/python3*/site-packages")
			site, _ := filepath.Glob(empty + "/lib/python3*/site-packages")
			if len(libraries) != 1 || len(site) != 1 {
				t.Fatal("the environment is laid out otherwise")
			}
			if err := os.WriteFile(filepath.Join(site[0], "libraries.pth"), []byte(libraries[0]+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			own := filepath.Join(empty, "bin", "python")
			run(t, nil, own, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", "--no-build-isolation", what+"[aiohttp,fastapi,asyncpg,databases,argon2]")
			if what == wheels[0] {
				run(t, []string{"DJEDGE_TEST_PYTHON=" + own}, python, "tests", "test_docs")
			}
			run(t, nil, own, "-I", "-c", "import djedge, importlib.metadata as m; from djedge import _module; "+
				"assert djedge.__version__ == m.version('djedge'); assert 'venv' in djedge.__file__; print(_module.read()[1], djedge.__file__)")
		})
	}
}

// The package has the repository's license in it.
func TestLicense(t *testing.T) {
	want, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("LICENSE"); err != nil || string(got) != string(want) {
		t.Fatalf("LICENSE is another: %v", err)
	}
}
