package gate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/internal/vectortest"
)

// formVector is what real Django answered about a form or a redirect.
type formVector struct {
	ID, Section, Django, Tag string
	Expected                 json.RawMessage

	Secret, Token     string
	ExpectedUnmasked  string `json:"expected_unmasked"`
	Method, Host      string
	Secure            bool
	Cookie, Post      *string
	Header, Origin    *string
	Referer, Port     *string
	Settings          map[string]json.RawMessage
	URL               *string
	AllowedHosts      []string `json:"allowed_hosts"`
	RequireHTTPS      bool     `json:"require_https"`
	Next, Field, Path *string
	LoginURL          string `json:"login_url"`
	FullPath          string `json:"full_path"`
}

var formVectors = sync.OnceValues(func() ([]formVector, error) {
	return vectortest.Read[formVector](vectortest.Main, "csrf_mask", "csrf_match", "csrf_request", "redirect", "redirect_to_login", "login_required")
})

// eachForm calls test for every vector of a section, of which there must be n.
func eachForm(t *testing.T, section string, n int, test func(*testing.T, formVector)) {
	t.Helper()
	all, err := formVectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Section == section {
			n--
			t.Run(v.ID+"/"+v.Tag, func(t *testing.T) { test(t, v) })
		}
	}
	if n != 0 {
		t.Errorf("%d vectors are missing", n)
	}
}

func TestCSRFMaskVectors(t *testing.T) {
	eachForm(t, "csrf_mask", 75, func(t *testing.T, v formVector) {
		if got, ok := gate.UnmaskCSRF(v.Token); !ok || got != v.ExpectedUnmasked {
			t.Errorf("unmasked %q, %v, want %q", got, ok, v.ExpectedUnmasked)
		}
		if got := gate.MaskCSRF(v.Secret, v.Token[:32]); got != v.Token {
			t.Errorf("masked %q, want %q", got, v.Token)
		}
	})
}

func TestCSRFMatchVectors(t *testing.T) {
	eachForm(t, "csrf_match", 30, func(t *testing.T, v formVector) {
		if got, want := gate.MatchCSRF(v.Token, v.Secret), string(v.Expected) == "true"; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestCSRFRequestVectors(t *testing.T) {
	eachForm(t, "csrf_request", 116, func(t *testing.T, v formVector) {
		release, err := version.Parse(v.Django)
		if err != nil {
			t.Fatal(err)
		}
		s := gate.CSRFSettings{Version: release}
		for name, into := range map[string]any{"CSRF_TRUSTED_ORIGINS": &s.TrustedOrigins, "CSRF_COOKIE_DOMAIN": &s.CookieDomain, "ALLOWED_HOSTS": &s.AllowedHosts} {
			if err := json.Unmarshal(v.Settings[name], into); err != nil {
				t.Fatal(err)
			}
		}
		csrf, err := gate.NewCSRF(s)
		if err != nil {
			t.Fatal(err)
		}
		req := gate.Request{Method: v.Method, Host: v.Host, Scheme: "http"}
		if v.Secure {
			req.Scheme = "https"
		}
		for name, value := range map[string]*string{"X-CSRFToken": v.Header, "Origin": v.Origin, "Referer": v.Referer} {
			if value != nil {
				req.Headers = append(req.Headers, gate.Header{Name: name, Value: *value})
			}
		}
		if v.Cookie != nil {
			req.Headers = append(req.Headers, gate.Header{Name: "Cookie", Value: "csrftoken=" + *v.Cookie})
		}
		form := gate.CSRFRequest{}
		if v.Post != nil {
			form.Form = *v.Post
		}
		if v.Port != nil {
			form.Port = *v.Port
		}
		var want struct {
			OK     bool
			Reason string
		}
		if err := json.Unmarshal(v.Expected, &want); err != nil {
			t.Fatal(err)
		}
		if got := detail(csrf.Check(req, form)); got != want.Reason || want.OK != (got == "") {
			t.Errorf("got %q, want %q", got, want.Reason)
		}
	})
}

func detail(err error) string {
	var denied *gate.Denied
	if errors.As(err, &denied) {
		return denied.Detail
	}
	return ""
}

const (
	secret = "abcdefghijklmnopqrstuvwxyzABCDEF"
	other  = "bbcdefghijklmnopqrstuvwxyzABCDEF"
	mask   = "ZYXWVUTSRQPONMLKJIHGFEDCBA987654"
)

// Expected: CsrfViewMiddleware of Django 2.2.28, 3.2.25 and 4.0.10, read and run.
func TestCSRFOldVersions(t *testing.T) {
	masked := gate.MaskCSRF(secret, mask)
	for _, c := range []struct {
		name     string
		version  version.Version
		settings gate.CSRFSettings
		scheme   string
		stored   string // "-" for none
		token    string
		origin   string
		referer  string
		want     string
	}{
		{name: "masked cookie", version: version.Version{Major: 2, Minor: 2}, stored: masked, token: masked},
		{name: "plain cookie", version: version.Version{Major: 3, Minor: 2}, stored: secret, token: masked},
		{name: "no cookie", version: version.Version{Major: 3, Minor: 2}, stored: "-", token: masked, want: "CSRF cookie not set."},
		{name: "bad cookie", version: version.Version{Major: 3, Minor: 2}, stored: "x", token: masked, want: "CSRF token missing or incorrect."},
		{name: "no token", version: version.Version{Major: 2, Minor: 2}, stored: secret, want: "CSRF token missing or incorrect."},
		{name: "no origin check", version: version.Version{Major: 3, Minor: 2}, stored: secret, token: secret, origin: "https://evil.test"},
		{name: "origin since 4.0", version: version.Version{Major: 4, Minor: 0}, stored: secret, token: secret, origin: "https://evil.test",
			want: "Origin checking failed - https://evil.test does not match any trusted origins."},
		{name: "trusted host", version: version.Version{Major: 3, Minor: 2}, settings: gate.CSRFSettings{TrustedOrigins: []string{".trusted.org"}},
			scheme: "https", stored: secret, token: secret, referer: "https://a.trusted.org/x"},
		{name: "other host", version: version.Version{Major: 3, Minor: 2}, settings: gate.CSRFSettings{TrustedOrigins: []string{".trusted.org"}},
			scheme: "https", stored: secret, token: secret, referer: "https://eviltrusted.org/x",
			want: "Referer checking failed - https://eviltrusted.org/x does not match any trusted origins."},
		{name: "own host", version: version.Version{Major: 3, Minor: 2}, scheme: "https", stored: secret, token: secret, referer: "https://example.com/x"},
		{name: "session", version: version.Version{Major: 3, Minor: 2}, settings: gate.CSRFSettings{UseSessions: true}, stored: masked, token: masked},
		{name: "plain session", version: version.Version{Major: 3, Minor: 2}, settings: gate.CSRFSettings{UseSessions: true}, stored: secret, token: masked, want: "CSRF token missing or incorrect."},
		{name: "plain session of 4.0", version: version.Version{Major: 4, Minor: 0}, settings: gate.CSRFSettings{UseSessions: true}, stored: secret, token: masked, want: "CSRF token from the 'X-Csrftoken' HTTP header incorrect."},
		{name: "plain session of 4.1", version: version.Version{Major: 4, Minor: 1}, settings: gate.CSRFSettings{UseSessions: true}, stored: secret, token: masked},
		{name: "no session", version: version.Version{Major: 5, Minor: 2}, settings: gate.CSRFSettings{UseSessions: true}, stored: "-", token: masked, want: "CSRF cookie not set."},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.settings.Version, c.settings.AllowedHosts = c.version, []string{"example.com"}
			csrf, err := gate.NewCSRF(c.settings)
			if err != nil {
				t.Fatal(err)
			}
			req := gate.Request{Method: "post", Host: "example.com", Scheme: c.scheme}
			form := gate.CSRFRequest{}
			for _, h := range []gate.Header{{Name: "x-csrftoken", Value: c.token}, {Name: "origin", Value: c.origin}, {Name: "referer", Value: c.referer}} {
				if h.Value != "" {
					req.Headers = append(req.Headers, h)
				}
			}
			switch {
			case c.stored == "-":
			case c.settings.UseSessions:
				form.Session = c.stored
			default:
				req.Headers = append(req.Headers, gate.Header{Name: "cookie", Value: "csrftoken=" + c.stored})
			}
			if got := detail(csrf.Check(req, form)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCSRFStored(t *testing.T) {
	for _, c := range []struct {
		settings gate.CSRFSettings
		masked   bool
	}{
		{gate.CSRFSettings{Version: version.Version{Major: 4, Minor: 0}}, true},
		{gate.CSRFSettings{Version: version.Version{Major: 4, Minor: 1}}, false},
		{gate.CSRFSettings{Version: version.Version{Major: 4, Minor: 2}, CookieMasked: true}, true},
		{gate.CSRFSettings{Version: version.Version{Major: 5, Minor: 0}, CookieMasked: true}, false},
		{gate.CSRFSettings{}, false},
	} {
		csrf, err := gate.NewCSRF(c.settings)
		if err != nil {
			t.Fatal(err)
		}
		stored := csrf.Stored(secret, mask)
		if got, ok := gate.UnmaskCSRF(stored); !ok || got != secret || (len(stored) == 64) != c.masked {
			t.Errorf("%v keeps %q", c.settings.Version, stored)
		}
		req := gate.Request{Headers: []gate.Header{{Name: "Cookie", Value: "csrftoken=" + other + "; csrftoken=" + stored}}}
		if got, ok := csrf.Secret(req, gate.CSRFRequest{}); !ok || got != secret {
			t.Errorf("%v reads %q, %v", c.settings.Version, got, ok)
		}
	}
}

func TestNewCSRFSecret(t *testing.T) {
	random := make([]byte, gate.CSRFRandom)
	for i := range random {
		random[i] = byte(i + 240) // eight of them are left out
	}
	got, err := gate.NewCSRFSecret(random)
	if err != nil || got != "0123456789"[2:]+"abcdefghijklmnopqrstuvwx" && !strings.HasSuffix(got, "abcdefghijklmnopqrstuvwx") {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := gate.NewCSRFSecret(random[8:39]); err == nil {
		t.Error("31 bytes make no secret")
	}
}

func TestNewCSRFRefuses(t *testing.T) {
	for name, s := range map[string]gate.CSRFSettings{
		"csrf_cookie_name":     {CookieName: "a b"},
		"csrf_header_name":     {HeaderName: "X CSRF"},
		"csrf_trusted_origins": {TrustedOrigins: []string{"example.com"}},
	} {
		if _, err := gate.NewCSRF(s); err == nil || !strings.HasPrefix(err.Error(), name+" ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	old := gate.CSRFSettings{Version: version.Version{Major: 3, Minor: 2}, TrustedOrigins: []string{"https://example.com"}}
	if _, err := gate.NewCSRF(old); err == nil {
		t.Error("an origin was accepted before 4.0")
	}
}

// Whatever comes with a POST, only the secret's own token from the site's own
// origin passes.
func FuzzCSRF(f *testing.F) {
	masked := gate.MaskCSRF(secret, mask)
	f.Add(secret, masked, "", "https://example.com", "")
	f.Add(masked, "", secret, "", "https://a.trusted.org/x")
	csrf, err := gate.NewCSRF(gate.CSRFSettings{TrustedOrigins: []string{"https://*.trusted.org"}, AllowedHosts: []string{"example.com"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, stored, form, token, origin, referer string) {
		req := gate.Request{Method: "POST", Host: "example.com", Scheme: "https", Headers: []gate.Header{
			{Name: "cookie", Value: "csrftoken=" + stored}, {Name: "x-csrftoken", Value: token}, {Name: "referer", Value: referer}}}
		if origin != "" {
			req.Headers = append(req.Headers, gate.Header{Name: "origin", Value: origin})
		}
		if csrf.Check(req, gate.CSRFRequest{Form: form}) != nil {
			return
		}
		if form == "" {
			form = token
		}
		kept, ok := csrf.Secret(req, gate.CSRFRequest{})
		if got, ok2 := gate.UnmaskCSRF(form); !ok || !ok2 || got != kept {
			t.Fatalf("token %q passed for cookie %q", form, stored)
		}
		if origin != "" {
			referer = origin
		}
		if !strings.Contains(referer, "example.com") && !strings.Contains(strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(referer), "trusted.org") {
			t.Fatalf("origin %q, referer %q passed", origin, referer)
		}
	})
}

// A page's token is new each time and still the secret's.
func ExampleMaskCSRF() {
	const secret, mask = "0123456789abcdefghijABCDEFGHIJKL", "zyxwvutsrqponmlkjihgfedcbaZYXWVU"
	token := gate.MaskCSRF(secret, mask)
	fmt.Println(len(token), gate.MatchCSRF(token, secret), gate.MatchCSRF(mask+mask, secret))
	// Output: 64 true false
}

func ExampleCSRF_Check() {
	csrf, err := gate.NewCSRF(gate.CSRFSettings{AllowedHosts: []string{"example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	post := gate.Request{Method: "POST", Scheme: "https", Host: "example.com", Headers: []gate.Header{
		{Name: "Cookie", Value: "csrftoken=0123456789abcdefghijABCDEFGHIJKL"},
		{Name: "Origin", Value: "https://example.com"},
	}}
	fmt.Println(csrf.Check(post, gate.CSRFRequest{Form: "0123456789abcdefghijABCDEFGHIJKL"}))
	fmt.Println(csrf.Check(post, gate.CSRFRequest{}))
	// Output:
	// <nil>
	// cross_site: CSRF token missing.
}
