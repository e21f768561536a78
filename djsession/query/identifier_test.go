package query_test

import (
	"testing"

	"github.com/djedge/djedge/djsession/query"
)

// Names that Django models have (db_table takes anything), and names that
// must never reach SQL.
func TestCheckIdentifier(t *testing.T) {
	for name, ok := range map[string]bool{
		"auth_user": true, "Our Users": true, "site.users": true, "naïve": true, "a$1": true,
		"": false, " a": false, "a ": false, "1a": false, "a;b": false, `a"b`: false, "a`b": false, "a--b": false,
		"a.b.c": false, ".a": false, "a.": false, "a?b": false, "a\x00b": false, "a\nb": false, "a'b": false, "a(b)": false,
	} {
		if err := query.CheckIdentifier(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
