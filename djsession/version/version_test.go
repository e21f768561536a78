package version_test

import (
	"testing"

	"github.com/djedge/djedge/djsession/version"
)

func TestParse(t *testing.T) {
	for _, v := range version.Supported {
		if got, err := version.Parse(v.String()); got != v || err != nil {
			t.Errorf("%v: %v, %v", v, got, err)
		}
	}
	for text, want := range map[string]version.Version{
		"5.2.0":    {5, 2},
		"5.2.19":   {5, 2},
		"2.2.28":   {2, 2},
		"":         {},
		"5":        {},
		"5.2.":     {},
		"5.2.junk": {},
		"5.2.1rc1": {},
		"5.2.1.1":  {},
		"5.2.01":   {},
		"5.2.-1":   {},
		"5.2rc1":   {},
		"05.02":    {},
		"+5.2":     {},
		" 5.2":     {},
		"5.20":     {},
		"1.11":     {},
		"٥.٢":      {},
	} {
		got, err := version.Parse(text)
		if got != want || (err == nil) != (want != version.Version{}) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
