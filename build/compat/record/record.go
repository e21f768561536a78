// Package record writes down which combinations of Django, session engine,
// database, cache and hasher a test has shown to work, for docs/compat.md.
package record

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Variable names the file that passed tests append to. Without it nothing is
// recorded.
const Variable = "DJEDGE_COMPAT_RECORD"

// Cell is one combination. What does not matter to it is empty.
type Cell struct {
	// Python is the interpreter of the Django that took part. It is asked
	// which one it is, so that no test says so by hand.
	Python string `json:"-"`
	Django string `json:"django"` // such as "5.2.19"
	Test   string `json:"test"`   // the package's directory name and the test's function

	Engine   string `json:"engine,omitempty"`   // the last part of SESSION_ENGINE
	Database string `json:"database,omitempty"` // sqlite, postgres, mysql
	Cache    string `json:"cache,omitempty"`    // server or backend, and its options
	Hasher   string `json:"hasher,omitempty"`   // algorithm
	// Vectors is how many answers of that Django were given alike; of the
	// conformance run alone, whose Test is the file.
	Vectors int `json:"vectors,omitempty"`
}

// Passed appends the cell when the test and its subtests are over, if they
// have passed. Call it before the test registers what else it cleans up.
func Passed(t testing.TB, cell Cell) {
	t.Helper()
	file := os.Getenv(Variable)
	if file == "" {
		return
	}
	release, err := exec.Command(cell.Python, "-c", "import django; print(django.get_version())").Output()
	if err != nil {
		t.Fatalf("asking which Django this is: %v", err)
	}
	cell.Django = strings.TrimSpace(string(release))
	function, _, _ := strings.Cut(t.Name(), "/")
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	cell.Test = filepath.Base(folder) + "." + function
	line, err := json.Marshal(cell)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() || t.Skipped() {
			return
		}
		if err := appendLine(file, line); err != nil {
			t.Error(err)
		}
	})
}

// appendLine writes at once, since packages are tested side by side.
func appendLine(file string, line []byte) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
