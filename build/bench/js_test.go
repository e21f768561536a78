package bench

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/djedge/djedge/build/bench/report"
)

// testdata/js.txt is what bench.mjs printed in a run.
func TestResultsOfBenchMJS(t *testing.T) {
	text, err := os.ReadFile("testdata/js.txt")
	if err != nil {
		t.Fatal(err)
	}
	results, err := parseResults(text, report.JSCheck, report.JSPBKDF2)
	if err != nil {
		t.Fatal(err)
	}
	want := []report.Result{
		{Name: "JS check", Ratio: 0.046594000000000003, Unit: report.Millis},
		{Name: "pbkdf2 in the module", Ratio: 26.03, Unit: report.Millis},
		{Name: "pbkdf2 of Node's own crypto", Ratio: 12.1225, Unit: report.Millis},
		{Name: "pbkdf2 of hash-wasm", Ratio: 247.6075, Unit: report.Millis},
		{Name: "pbkdf2 in the module ÷ hash-wasm", Ratio: 9.512389550518632, Unit: report.Times},
	}
	if len(results) != len(want) {
		t.Fatalf("%+v", results)
	}
	for i := range want {
		if results[i] != want[i] {
			t.Errorf("%+v, want %+v", results[i], want[i])
		}
	}
	var out, people bytes.Buffer
	showJS(&report.Report{Out: &out, People: &people}, results)
	for _, line := range []string{
		`{"name":"JS check","ratio":0.04659,"unit":"ms"}`,
		`{"name":"pbkdf2 in the module ÷ hash-wasm","ratio":9.512,"unit":"×"}`,
	} {
		if !strings.Contains(out.String(), line+"\n") {
			t.Errorf("%s is not in\n%s", line, out.String())
		}
	}
	// Programs look the results of the part kdf up by that word.
	if strings.Contains(out.String(), "pbkdf2_sha256") {
		t.Error(out.String())
	}
	if !strings.Contains(people.String(), "JS check") {
		t.Error(people.String())
	}
}

func TestParseResults(t *testing.T) {
	for text, want := range map[string]int{
		"{\"name\":\"a\",\"ratio\":1,\"unit\":\"×\"}\na warning\n{\"name\":\"b\",\"ratio\":2,\"unit\":\"ms\"}": 2,
		"": -1,
		"{\"name\":\"b\",\"ratio\":1,\"unit\":\"×\"}\n":                                              -1, // no a
		"{\"name\":\"a\",\"ratio\":null,\"unit\":\"×\"}\n":                                           -1, // what JavaScript makes of NaN
		"{\"name\":\"a\",\"ratio\":1}\n":                                                             -1,
		"{\"name\":\"a\",\"ratio\":1,\"unit\":\"×\"}\n{\"name\":\"a\",\"ratio\":1,\"unit\":\"×\"}\n": -1,
		"{\"name\":\"a\",\"ra":                                                                       -1,
	} {
		results, err := parseResults([]byte(text), "a")
		if (err != nil) != (want < 0) || err == nil && len(results) != want {
			t.Errorf("%q: %v, %v", text, results, err)
		}
	}
}

func TestNodeWithoutComponents(t *testing.T) {
	r := &run{Config: Config{Components: t.TempDir()}, Report: &report.Report{Out: io.Discard, People: io.Discard}}
	if got := r.node(); got != "node" {
		t.Errorf("without components it is %s", got)
	}
}
