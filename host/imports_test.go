package host_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

const modulePath = "github.com/djedge/djedge/"

// A program links what it opens: package host alone brings neither a database
// driver nor a WebAssembly runtime.
func TestHostImportsNoDriver(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", modulePath+"host").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for dependency := range strings.FieldsSeq(string(out)) {
		for _, foreign := range []string{"github.com/jackc/", "modernc.org/", "database/sql", "github.com/tetratelabs/", modulePath + "host/", modulePath + "build"} {
			if strings.HasPrefix(dependency, foreign) && dependency != "database/sql/driver" && dependency != modulePath+"host/hashing" && dependency != modulePath+"host/internal/bound" {
				t.Errorf("host imports %s", dependency)
			}
		}
	}
}

// The same server runs in a WASI guest that has sockets of its own.
func TestBuildsForWASI(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the standard library for another platform")
	}
	build := exec.Command("go", "build", modulePath+"host/postgres", modulePath+"host/serve")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
