package kdf

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/djedge/djedge/build/bench/process"
	"github.com/djedge/djedge/build/bench/report"
)

// answering is an engine that knows one key.
func answering(t *testing.T, name, key string) Engine {
	t.Helper()
	if _, err := process.Clock(1); err == process.ErrUnsupported {
		t.Skip(err)
	}
	return Engine{Name: name, Command: []string{"sh", "-c", "while read line; do echo " + key + " 1; done"}}
}

func TestRun(t *testing.T) {
	two := answering(t, "two", "abcd")
	two.Keys = 2
	engines := []Engine{answering(t, Baseline, "abcd"), answering(t, "native", "abcd"), two, {Name: "node", Missing: "there is no node"}}
	var out, people bytes.Buffer
	if err := Run(t.Context(), &report.Report{Out: &out, People: &people}, t.TempDir(), engines, 1); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{`"pbkdf2_sha256 native"`, `"two passwords side by side"`, `"argon2id native"`, `"scrypt native"`} {
		if strings.Count(out.String(), name) != 1 {
			t.Errorf("not one result of %s in\n%s", name, out.String())
		}
	}
	if strings.Contains(out.String(), Baseline) || strings.Contains(out.String(), "pbkdf2_sha1 two") || strings.Count(out.String(), "pbkdf2_sha256") != 1 {
		t.Errorf("too much in\n%s", out.String())
	}
	if !strings.Contains(people.String(), "not measured: there is no node") {
		t.Errorf("what was not measured is not in\n%s", people.String())
	}
}

func TestWrongKeyFails(t *testing.T) {
	engines := []Engine{answering(t, Baseline, "abcd"), answering(t, "native", "abce")}
	if err := Run(t.Context(), &report.Report{Out: io.Discard, People: io.Discard}, t.TempDir(), engines, 1); err == nil {
		t.Error("a wrong key is measured")
	}
}
