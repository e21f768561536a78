package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

var (
	componentsDir = os.Getenv("DJEDGE_TEST_COMPONENTS")
	inCI          = os.Getenv("CI") == "true"
)

// component returns the path of an installed file; where it is missing the test is skipped, or fails in CI.
func component(t testing.TB, path string) string {
	t.Helper()
	full, err := filepath.Abs(filepath.Join(componentsDir, path))
	if err == nil {
		_, err = os.Stat(full)
	}
	if err != nil {
		missing(t, "component "+path+" is not installed (make components)")
	}
	return full
}

// missing ends a test that cannot run on this machine.
func missing(t testing.TB, why string) {
	t.Helper()
	if inCI {
		t.Fatal(why)
	}
	t.Skip(why)
}
