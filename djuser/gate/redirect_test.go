package gate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/djedge/djedge/djuser/gate"
)

func TestRedirectVectors(t *testing.T) {
	eachForm(t, "redirect", 352, func(t *testing.T, v formVector) {
		target := "" // None and "" are one to Django
		if v.URL != nil {
			target = *v.URL
		}
		var want struct{ OK bool }
		if err := json.Unmarshal(v.Expected, &want); err != nil {
			t.Fatal(err)
		}
		if got := gate.SafeRedirect(target, v.AllowedHosts, v.RequireHTTPS); got != want.OK {
			t.Errorf("%.200q: got %v, want %v", target, got, want.OK)
		}
	})
}

func TestRedirectToLoginVectors(t *testing.T) {
	eachForm(t, "redirect_to_login", 10, func(t *testing.T, v formVector) {
		field := ""
		if v.Field != nil {
			field = *v.Field
		}
		expectLocation(t, v.Expected)(gate.RedirectToLogin(*v.Next, v.LoginURL, field))
	})
}

func TestLoginRequiredVectors(t *testing.T) {
	eachForm(t, "login_required", 8, func(t *testing.T, v formVector) {
		req := gate.Request{URI: v.FullPath, Host: v.Host, Scheme: "http"}
		if v.Secure {
			req.Scheme = "https"
		}
		expectLocation(t, v.Expected)(gate.LoginRequired(req, v.LoginURL, "next"))
	})
}

func expectLocation(t *testing.T, raw json.RawMessage) func(string, error) {
	var want string
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	return func(got string, err error) {
		if err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

// Expected values: Django 5.2 and Python 3.11.
func TestLoginRedirectEdges(t *testing.T) {
	for _, c := range []struct{ uri, login, want string }{
		{"/a/%2e%2e/b/../c?x=/../y", "https://sso.test/", "https://sso.test/?next=http%3A//example.com/c%3Fx%3D/../y"},
		{"/a/..", "https://sso.test/", "https://sso.test/?next=http%3A//example.com/a/.."},
		{"/%FFé%41;=?%zz\"", "/l", "/l?next=/%2525FF%25C3%25A9A%253B%253D%3F%25zz%2522"},
		{"/x", "/l?a=1&next=2&a=3&b", "/l?a=1&a=3&next=/x&b="},
		{"/x", "l", "l?next=/x"},
	} {
		got, err := gate.LoginRequired(gate.Request{URI: c.uri, Host: "example.com", Scheme: "http"}, c.login, "next")
		if err != nil || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.uri, got, err, c.want)
		}
	}
	for _, login := range []string{"javascript:alert(1)", "http://[::1", "data:,x"} {
		if got, err := gate.RedirectToLogin("/", login, "next"); err == nil {
			t.Errorf("%s: got %q", login, got)
		}
	}
	if _, err := gate.RedirectToLogin("/"+strings.Repeat("a", 20000), "/login/", "next"); err == nil {
		t.Error("20,000 characters were let through")
	}
}

// Expected values: django.http.request.split_domain_port and validate_host of 5.2.
func TestAllowedHost(t *testing.T) {
	allowed := []string{"example.com", ".sub.test", "[::1]"}
	for host, want := range map[string]bool{
		"example.com": true, "EXAMPLE.com.": true, "example.com:80": true, "example.com:": false, "a.example.com": false, "example.com..": false,
		"sub.test": true, "a.b.sub.test:1": true, "evilsub.test": false, "[::1]": true, "[::1]:8000": true, "[::1]x": false, "::1": false,
		"": false, ".": false, "example.com@evil": false, "example.com/": false, "example.com:8x": false, "example.com\n": false, "[:]": false,
	} {
		if got := gate.AllowedHost(host, allowed); got != want {
			t.Errorf("%q: got %v", host, got)
		}
	}
	if gate.AllowedHost("example.com", nil) || !gate.AllowedHost("x", []string{"*"}) || gate.AllowedHost("x y", []string{"*"}) {
		t.Error("no hosts, or any")
	}
}

// Django 5.2.19 lets these through; a browser follows them to evil.test, when
// they are written into a page as they are.
func TestRedirectStricterThanDjango(t *testing.T) {
	for _, target := range []string{"//\t/evil.test", "/\t//evil.test", "//\n/evil.test", "/\r/\n/evil.test", "\\\\\t\\evil.test", "/a\xff"} {
		if gate.SafeRedirect(target, ownHosts, false) {
			t.Errorf("%q was let through", target)
		}
	}
}

// hosts that SafeRedirect is given in the tests with a browser's parser.
var ownHosts = []string{"example.com", "example.com:8000", "[::1]:8000"}

// TestRedirectBrowser: what is let through stays on the site in the URL parser
// that browsers have (WHATWG), both as it is and as Django would send it. The
// targets are the vectors', the corpus' and mutations of them.
func TestRedirectBrowser(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("node is not installed")
		}
		t.Skip("node is not installed")
	}
	all, err := formVectors()
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, v := range all {
		if v.Section == "redirect" && v.URL != nil && len(*v.URL) < 200 {
			targets = append(targets, *v.URL)
		}
	}
	pieces := []string{"/", `\`, "//", "http:", "https:", "HTTPS:", "example.com", "example.com:8000", "[::1]:8000", "evil.test", "@", ":", "?", "#", "\t", "\n", "\r", "\x00",
		" ", "\u00a0", "\u200b", "\u3000", "%2f", "%5c", "%09", ".", "..", ";", "a", "é", "／", "．", "。", "℀", "ß", "\u00ad", "[", "]", "|", "^", "<", "javascript:", "x:"}
	state := uint64(1)
	pick := func(n int) int { // xorshift: the same targets each time
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		return int(state % uint64(n))
	}
	for i := range 60_000 {
		var b strings.Builder
		if i%2 == 0 { // how a host may begin
			for range 2 + pick(4) {
				b.WriteString([]string{"/", `\`, "\t", "\r", "\n", " ", "\x00"}[pick(7)])
			}
		}
		for range 1 + pick(7) {
			b.WriteString(pieces[pick(len(pieces))])
		}
		targets = append(targets, b.String())
	}
	var safe []string
	for _, target := range targets {
		if gate.SafeRedirect(target, ownHosts, false) {
			safe = append(safe, target, gate.Location(target))
		}
	}
	if len(safe) < 5000 {
		t.Fatalf("only %d targets were let through", len(safe))
	}
	for i, host := range browserHosts(t, node, safe) {
		if host != "" && !slices.Contains(ownHosts, host) {
			t.Errorf("%q leads to %q", safe[i], host)
		}
	}
}

// browserHosts are the hosts that the targets lead to from a page on
// example.com; "" where a browser does not go at all.
func browserHosts(t *testing.T, node string, targets []string) []string {
	input, err := json.Marshal(targets)
	if err != nil {
		t.Fatal(err)
	}
	const script = `
const targets = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(targets.map((target) => {
  try {
    const url = new URL(target, "http://example.com/accounts/login/?next=x");
    if (url.protocol !== "http:" && url.protocol !== "https:") return url.protocol;
    return (url.username || url.password ? "user@" : "") + url.host;
  } catch { return ""; }
})));`
	cmd := exec.CommandContext(t.Context(), node, "-e", script)
	cmd.Stdin = bytes.NewReader(input)
	output, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var hosts []string
	if err := json.Unmarshal(output, &hosts); err != nil || len(hosts) != len(targets) {
		t.Fatal(len(hosts), err)
	}
	return hosts
}

// What is let through begins no host of its own in any reading of slashes.
func FuzzSafeRedirect(f *testing.F) {
	f.Add("https://example.com/x?y#z")
	f.Add("/\t/evil.test")
	f.Fuzz(func(t *testing.T, target string) {
		if !gate.SafeRedirect(target, ownHosts, true) {
			return
		}
		if !gate.SafeRedirect(target, ownHosts, false) {
			t.Fatalf("%q is safe with https only", target)
		}
		// The WHATWG reading in short: strip, remove, "\" is "/", two slashes
		// begin a host.
		s := strings.TrimFunc(target, func(r rune) bool { return r <= ' ' })
		s = strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(s)
		lower := strings.ToLower(s)
		if strings.HasPrefix(lower, "http:") {
			t.Fatalf("%q is safe although https is required", target)
		}
		if rest, ok := strings.CutPrefix(lower, "https:"); ok || strings.HasPrefix(s, "//") {
			if ok {
				s = s[len(s)-len(rest):]
			}
			host := strings.TrimLeft(s, "/")
			if i := strings.IndexAny(host, "/?#"); i >= 0 {
				host = host[:i]
			}
			if host != "" && !slices.Contains(ownHosts, host) {
				t.Fatalf("%q leads to %q", target, host)
			}
		}
		location := gate.Location(target)
		for i := 0; i < len(location); i++ {
			if location[i] <= ' ' || location[i] > '~' || location[i] == '\\' {
				t.Fatalf("%q becomes the header %q", target, location)
			}
		}
	})
}

func FuzzRedirectToLogin(f *testing.F) {
	f.Add("/a?b=c&d", "/login/?next=x&y=%zz", "next")
	f.Fuzz(func(t *testing.T, next, login, field string) {
		for _, call := range []func() (string, error){
			func() (string, error) { return gate.RedirectToLogin(next, login, field) },
			func() (string, error) {
				return gate.LoginRequired(gate.Request{URI: next, Host: "example.com", Scheme: "http"}, login, field)
			},
		} {
			location, err := call()
			if err == nil && strings.ContainsFunc(location, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Fatalf("%q", location)
			}
		}
	})
}

func ExampleSafeRedirect() {
	hosts := []string{"example.com"}
	for _, next := range []string{"/inbox/?page=2", "https://example.com/", "//evil.test", `/\evil.test`, "javascript:alert(1)"} {
		fmt.Println(gate.SafeRedirect(next, hosts, true), next)
	}
	// Output:
	// true /inbox/?page=2
	// true https://example.com/
	// false //evil.test
	// false /\evil.test
	// false javascript:alert(1)
}

func ExampleLoginRequired() {
	req := gate.Request{Method: "GET", URI: "/reports/?year=2026", Scheme: "https", Host: "example.com"}
	fmt.Println(gate.LoginRequired(req, "/accounts/login/", "next"))
	fmt.Println(gate.LoginRequired(req, "https://sso.example.org/", "next"))
	// Output:
	// /accounts/login/?next=/reports/%3Fyear%3D2026 <nil>
	// https://sso.example.org/?next=https%3A//example.com/reports/%3Fyear%3D2026 <nil>
}
