package djuser_test

import (
	"strings"
	"testing"

	"github.com/djedge/djedge/djuser"
)

// Expected values: Python's str.lower and Django 5.2's normalize_email.
func TestNormalizeEmailLowers(t *testing.T) {
	for email, want := range map[string]string{
		"a@ΣΑΣ":         "a@σας",
		"a@ΣΑΣ.COM":     "a@σασ.com", // "." does not end a word there
		"a@ΑΣ-1":        "a@ας-1",
		"a@Σ":           "a@σ",
		"A@İI":          "A@i\u0307i",
		"\x1cA@B.C\x1f": "A@b.c",
		" no address ":  " no address ",
		"A@b@C.D":       "A@b@c.d",
	} {
		if got := djuser.NormalizeEmail(email); got != want {
			t.Errorf("%q: got %q, want %q", email, got, want)
		}
	}
}

// Expected values: Django 5.2's EmailValidator under Python 3.11, whose
// IGNORECASE reaches four letters beyond ASCII.
func TestValidEmailCorners(t *testing.T) {
	for email, want := range map[string]bool{
		"ſ@b.com":                            true,
		"\u212a@b.com":                       true,
		"İı@b.com":                           true,
		"é@b.com":                            false,
		`"a\ b"@c.com`:                       true,
		`"a b"@c.com`:                        false,
		`"a@b"@c.com`:                        true,
		`"a\"@c.com`:                         false,
		`""@c.com`:                           true,
		"a@b.xn--1k":                         true,
		"a@b.xn--":                           false,
		"a@b.1k":                             false,
		"a@1.ck":                             true,
		"a@😀.com":                            false, // beyond U+FFFF
		"a@[1.2.3.04]":                       false,
		"a@[::ffff:1.2.3.4]":                 true,
		"a@[1:2:3:4:5:6:7::]":                true,
		"a@[1:2:3:4:5:6:7:8:9]":              false,
		"a@[:1:2:3:4:5:6:7]":                 false,
		"a@[0:0:0:0:0:ffff:255.255.255.255]": true,
		"a@[::1%eth0]":                       false,
		"a@LOCALHOST":                        false,
	} {
		if got := djuser.ValidEmail(email); got != want {
			t.Errorf("%q: got %v", email, got)
		}
	}
}

// Expected values: Django 5.2's UsernameField.to_python behind CharField's
// strip, with max_length 150.
func TestCleanLoginName(t *testing.T) {
	for entered, want := range map[string]string{
		"alice": "alice", "alice ": "alice", "\u3000alice": "alice", "\x1falice\u0085": "alice",
		strings.Repeat(" ", 2000) + "alice": "alice",
		"\uff21lice":                        "Alice",
		strings.Repeat("\uff21", 151):       strings.Repeat("\uff21", 151),
		"\u200balice":                       "\u200balice", // no white space to Python
	} {
		if got := djuser.CleanLoginName(entered, 150); got != want {
			t.Errorf("%q: %q, want %q", entered, got, want)
		}
	}
}
