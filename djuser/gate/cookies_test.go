package gate_test

import (
	"strings"
	"testing"

	"github.com/djedge/djedge/djuser/gate"
)

func mustNew(t testing.TB, s gate.Settings) *gate.Gate {
	t.Helper()
	g, err := gate.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Expected values: django.http.cookie.parse_cookie of 5.2 under Python 3.11.
func TestUnquote(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{`a="\101\102"`, "AB"},
		{`a="\400"`, "400"}, // \4 is no octal escape, but a quoted 4
		{`a="\18x"`, "18x"},
		{`a="\12"`, "12"}, // two digits only
		{`a="x\"`, `x\`},  // a backslash at the end stays
		{`a="\\101"`, `\101`},
		{`a="\377"`, "ÿ"},
		{`a="`, `"`},
		{`a=""`, ""},
		{"a=\"\\\nb\"", "\\\nb"}, // Python's "." is no newline
		{"a=\u00a0x\u3000\x1f", "x"},
		{"a=\u200bx", "\u200bx"}, // not white space to Python
		{"a=\xa0x", "\xa0x"},     // nor is half a character
	} {
		got := gate.ParseCookies(c.header)
		if len(got) != 1 || got[0].Value != c.want {
			t.Errorf("%q: got %q, want %q", c.header, got, c.want)
		}
	}
}

func TestSessionKeyOfSeveralHeaders(t *testing.T) {
	g := mustNew(t, gate.Settings{CookieName: "sid"})
	req := gate.Request{Headers: []gate.Header{
		{Name: "Cookie", Value: "sid=first; a=b"},
		{Name: "X-Cookie", Value: "sid=other"},
		{Name: "coo\u212aie", Value: "sid=kelvin"},
		{Name: "COOKIE", Value: `c=d;sid="second"`},
	}}
	if key, present := g.SessionKey(req); key != "second" || !present {
		t.Errorf("got %q, %v: the last of all headers wins", key, present)
	}
	if key, present := g.SessionKey(gate.Request{}); key != "" || present {
		t.Errorf("got %q, %v without a cookie", key, present)
	}
	empty := gate.Request{Headers: []gate.Header{{Name: "cookie", Value: "sid=x; sid="}}}
	if key, present := g.SessionKey(empty); key != "" || !present {
		t.Errorf("got %q, %v: an empty cookie is a cookie", key, present)
	}
}

// A megabyte of separators must cost no more than reading it.
func TestManyCookies(t *testing.T) {
	if got := gate.ParseCookies(strings.Repeat(";", 1<<20)); len(got) != 0 {
		t.Errorf("%d cookies in separators", len(got))
	}
	if got := gate.ParseCookies(strings.Repeat("a=1;", 1<<18)); len(got) != 1 {
		t.Errorf("%d cookies with one name", len(got))
	}
}

func FuzzParseCookies(f *testing.F) {
	f.Add("sessionid=abc; a=\"\\303\\244\"; sessionid = \"x\"")
	g := mustNew(f, gate.Settings{})
	f.Fuzz(func(t *testing.T, header string) {
		pairs := gate.ParseCookies(header)
		seen := map[string]string{}
		for _, p := range pairs {
			if _, twice := seen[p.Name]; twice {
				t.Fatalf("%q comes twice", p.Name)
			}
			if strings.ContainsAny(p.Name, ";=") {
				t.Fatalf("name %q holds a separator", p.Name)
			}
			seen[p.Name] = p.Value
		}
		key, present := g.SessionKey(gate.Request{Headers: []gate.Header{{Name: "Cookie", Value: header}}})
		if value, ok := seen["sessionid"]; value != key || ok != present {
			t.Fatalf("SessionKey %q, %v; ParseCookies %q, %v", key, present, value, ok)
		}
		// Splitting the header at any separator changes nothing (HTTP/2).
		if head, tail, ok := strings.Cut(header, ";"); ok {
			split := gate.Request{Headers: []gate.Header{{Name: "cookie", Value: head}, {Name: "cookie", Value: tail}}}
			if again, _ := g.SessionKey(split); again != key {
				t.Fatalf("split: %q, whole: %q", again, key)
			}
		}
	})
}
