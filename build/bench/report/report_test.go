package report

import (
	"bytes"
	"io"
	"math"
	"os"
	"strings"
	"testing"
)

func fixture(out io.Writer) *Report {
	r := &Report{Out: out, People: io.Discard}
	r.Result("pbkdf2_sha256 native", 3.14159, Times)
	r.Result("pbkdf2_sha256 node", 0.59, Times)
	r.Result(HelloDatabase, 1.4, Times)
	r.Result(Growth, math.NaN(), Percent)
	t := Table{Title: "Keys from passwords", Columns: []string{"", "CPU ms"}, Note: "A note."}
	t.Add("native", Number(7.2149))
	t.Add("Python", Number(22.7))
	t.Add("argon2id", Number(math.NaN()))
	r.Table(t)
	return r
}

func TestResultsAreLinesOfJSON(t *testing.T) {
	var out bytes.Buffer
	fixture(&out)
	const want = `{"name":"pbkdf2_sha256 native","ratio":3.142,"unit":"×"}
{"name":"pbkdf2_sha256 node","ratio":0.59,"unit":"×"}
{"name":"server CPU ÷ net/http hello: database","ratio":1.4,"unit":"×"}
`
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
}

func TestPage(t *testing.T) {
	m := Machine{CPU: "a processor", Kernel: "Linux 6", Go: "go1.26.8", Processors: 2, Day: "2026-11-23", Load: "0.12"}
	page := fixture(io.Discard).Page(m, "go run ./build bench", "What bounds it.")
	want, err := os.ReadFile("testdata/page.md")
	if err != nil {
		t.Fatal(err)
	}
	if page != string(want) {
		if os.Getenv("DJEDGE_TEST_UPDATE") != "" {
			if err := os.WriteFile("testdata/page.md", []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("the page is\n%s", page)
	}
}

// A name occurs once: programs look results up by it.
func TestGoals(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range Goals() {
		if seen[g.Name] || g.What == "" || g.Bound <= 0 {
			t.Errorf("%+v", g)
		}
		seen[g.Name] = true
		if !g.Met(g.Bound) || g.Met(g.Bound*2) == g.AtMost || g.Met(g.Bound/2) != g.AtMost {
			t.Errorf("%q is met by the wrong side", g.Name)
		}
		if strings.Contains(g.Name, "pbkdf2_sha256") && len(strings.Fields(g.Name)) != 2 {
			t.Errorf("%q", g.Name)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0.123: "0.12", 12.34: "12.3", 123.4: "123", math.Inf(1): "–"} {
		if got := Number(v); got != want {
			t.Errorf("%v is %s", v, got)
		}
	}
	for v, want := range map[float64]float64{0: 0, 123456: 123456, 1.23456: 1.235, 0.0123456: 0.01235} {
		if got := rounded(v); got != want {
			t.Errorf("%v is %v", v, got)
		}
	}
}
