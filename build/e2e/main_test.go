package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// scratch is the directory of this run: the command under test, databases and logs. It is kept when a test failed.
var scratch string

func TestMain(m *testing.M) {
	if componentsDir == "" && !inCI {
		fmt.Println("e2e: DJEDGE_TEST_COMPONENTS is not set: nothing can be tested (make e2e)")
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "djedge-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	// PostgreSQL may run as another user, who must get to its own directory.
	if err := os.Chmod(scratch, 0o711); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}

	build := exec.Command("go", "build", "-o", djedge(), "github.com/djedge/djedge/host/djedge")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "e2e: building djedge: %v\n%s", err, out)
		return 1
	}
	code := m.Run()
	stopShared()
	if code == 0 {
		os.RemoveAll(scratch)
	} else {
		fmt.Fprintln(os.Stderr, "e2e: logs are kept in", scratch)
	}
	return code
}

// djedge is the path of the command under test.
func djedge() string { return filepath.Join(scratch, "djedge") }
