package bench

import (
	"strings"
	"testing"

	"github.com/djedge/djedge/build/bench/report"
)

// Every goal is measured by a part that exists, and results are made of rows that exist.
func TestGoalsAreMeasured(t *testing.T) {
	parts := strings.Join(Parts(), " ")
	for _, g := range report.Goals() {
		if !strings.Contains(parts, g.Section) {
			t.Errorf("no part measures %q", g.What)
		}
	}
	s := &site{run: &run{}, current: &database{}, sqlite: &database{}}
	names := map[string]bool{}
	for _, row := range s.rows() {
		if names[row.name] || strings.Contains(row.name, "pbkdf2") {
			t.Errorf("row %q", row.name)
		}
		names[row.name] = true
	}
	for _, name := range []string{rowDjedge, rowModule, rowNeverSeen, rowSQLite, rowCookies, rowHello, rowGthread, rowDjangoSQLite, rowSeed, rowPython} {
		if !names[name] {
			t.Errorf("there is no row %q", name)
		}
	}
}

func TestWanted(t *testing.T) {
	s := &site{run: &run{Config: Config{Only: []string{"hello"}}}, current: &database{}, sqlite: &database{}}
	var got []string
	for _, row := range s.rows() {
		if s.wanted(row) {
			got = append(got, row.name)
		}
	}
	if strings.Join(got, "; ") != rowHello+"; "+rowDjedge {
		t.Error(got)
	}
}

func TestMedians(t *testing.T) {
	m := medians([]sample{{server: 1, database: 10, rate: 5}, {server: 3, database: 30, rate: 4}, {server: 2, database: 20, rate: 6}})
	if m.server != 2 || m.database != 20 || m.rate != 5 || m.total() != 22 {
		t.Errorf("%+v", m)
	}
}

func TestLiterals(t *testing.T) {
	if got := literals([]session{{key: "a1"}, {key: "b2"}}); got != "ARRAY['a1','b2']::text[]" {
		t.Error(got)
	}
}
