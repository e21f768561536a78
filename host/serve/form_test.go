package serve

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/djedge/djedge/host"
)

var tokenPattern = regexp.MustCompile(`<input type="hidden" name="csrfmiddlewaretoken" value="([0-9A-Za-z]{64})">`)

// page loads the page as a browser does, and returns a token of its forms.
func (s *site) page(path string) (token string, a reply) {
	s.Helper()
	a = s.want(200, "", s.send("GET", path, ""))
	found := tokenPattern.FindAllStringSubmatch(a.body, -1)
	if len(found) != 4 {
		s.Fatalf("%d tokens for four forms", len(found))
	}
	s.merge(a)
	return found[0][1], a
}

// merge takes cookies and keeps the others, as a browser does.
func (s *site) merge(a reply) {
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		kept := s.cookies[:0:0]
		for _, old := range s.cookies {
			if old.Name != cookie.Name {
				kept = append(kept, old)
			}
		}
		if cookie.MaxAge >= 0 {
			kept = append(kept, cookie)
		}
		s.cookies = kept
	}
}

// submit posts a form of pairs.
func (s *site) submit(path string, pairs []string, header ...string) reply {
	s.Helper()
	values := make([]string, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		values = append(values, url.QueryEscape(pairs[i])+"="+url.QueryEscape(pairs[i+1]))
	}
	a := s.send("POST", path, strings.Join(values, "&"), append([]string{
		"Content-Type", "application/x-www-form-urlencoded", "Origin", "http://127.0.0.1:8080", "Sec-Fetch-Site", "same-origin"}, header...)...)
	if a.status >= 400 && !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") && a.status != 429 {
		s.Errorf("%s: %d with type %q", path, a.status, a.header.Get("Content-Type"))
	}
	return a
}

// The page without its script: everything by forms, with the token in a cookie
// or in the session.
func TestForms(t *testing.T) {
	for name, change := range map[string]func(*host.Config, *Config){
		"cookie":     func(*host.Config, *Config) {},
		"session":    func(h *host.Config, _ *Config) { h.CSRFUseSessions = true },
		"django 3.2": func(h *host.Config, _ *Config) { h.DjangoVersion, h.PBKDF2Iterations = "3.2", 10 },
	} {
		t.Run(name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, engine func() host.Engine) {
				s := newSite(t, engine(), change)
				token, a := s.page("/")
				if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self'") {
					t.Error(policy)
				}
				if _, again := s.page("/"); len(again.header["Set-Cookie"]) > 0 || again.body == a.body {
					t.Errorf("the second page: %q", again.header["Set-Cookie"])
				}
				credentials := []string{"username", "bob", "password", "bob-password"}
				with := func(more ...string) []string { return append(credentials[:4:4], more...) }
				before := s.cookies
				s.unchanged(func() {
					s.want(415, "", s.submit("/api/login", credentials))
					s.want(403, "", s.submit("/api/login", with(tokenField, "")))
					s.want(403, "", s.submit("/api/login", with(tokenField, token[:63])))
					s.want(403, "", s.submit("/api/login", with(tokenField, strings.Repeat("a", 64))))
					s.want(403, "", s.submit("/api/login", with(tokenField, token), "Origin", "https://evil.test", "Sec-Fetch-Site", "cross-site"))
					s.want(403, "", s.submit("/api/login", with(tokenField, token), "Origin", "null"))
					s.want(403, "", s.submit("/api/login", with(tokenField, token), "Origin", "", "Sec-Fetch-Site", "cross-site"))
					s.want(403, "", s.submit("/api/login", with(tokenField, token), "Host", "evil.test", "Origin", "http://evil.test"))
					s.want(400, "Bad username or password\n", s.submit("/api/login", []string{"username", "bob", "password", "x", tokenField, token}))
					s.cookies = nil
					s.want(403, "", s.submit("/api/login", with(tokenField, token)))
					s.cookies = before
				})
				a = s.want(303, "", s.submit("/api/login", with(tokenField, token, nextField, "/reports/?é=1")))
				if got := a.header.Get("Location"); got != "/reports/?%C3%A9=1" || a.body != "" {
					t.Errorf("%q %q", got, a.body)
				}
				s.merge(a)
				s.want(200, "", s.send("GET", "/auth", ""))
				s.want(403, "", s.submit("/api/logout", []string{tokenField, token})) // the login rotated the secret
				token, _ = s.page("/")
				s.want(400, "The passwords are not the same\n", s.submit("/api/change-password", []string{"password", "a", "repeat", "b", tokenField, token}))
				a = s.want(303, "", s.submit("/api/change-password", []string{"password", "next", "repeat", "next", tokenField, token}))
				s.merge(a)
				s.want(401, "", s.send("GET", "/auth", ""))
				token, _ = s.page("/")
				s.merge(s.want(303, "", s.submit("/api/register", []string{"username", "new", "password", "new-password", tokenField, token})))
				s.want(200, "", s.send("GET", "/auth", ""))
				token, _ = s.page("/")
				s.merge(s.want(303, "", s.submit("/api/logout", []string{tokenField, token})))
				s.want(401, "", s.send("GET", "/auth", ""))
			})
		})
	}
}

// A form may come from the pages of the site that Django serves, with Django's
// own cookie, by the origins that Django trusts.
func TestFormsOfTheSite(t *testing.T) {
	const secret = "0123456789abcdefghijABCDEFGHIJKL"
	s := newSite(t, host.Native(), func(h *host.Config, _ *Config) {
		h.Loopback, h.PublicOrigins = false, []string{"https://Example.com"}
		h.AllowedHosts, h.CSRFTrustedOrigins = []string{"edge.example.com"}, []string{"https://*.trusted.test"}
		h.CSRFHeaderName = "HTTP_X_TOKEN"
	}, func(_ *host.Config, c *Config) {
		c.TrustedProxies, c.RedirectHosts = thisMachine, []string{"example.com"}
		c.CSRFHeaderName = "HTTP_X_TOKEN"
	})
	s.cookies = []*http.Cookie{{Name: "csrftoken", Value: secret}}
	login := []string{"username", "bob", "password", "bob-password", tokenField, secret, nextField, "https://example.com/reports/"}
	for _, c := range []struct {
		want   int
		header []string
	}{
		{303, []string{"Origin", "https://example.com"}},
		{303, []string{"Origin", "https://edge.example.com", "Host", "edge.example.com", "X-Forwarded-Proto", "https"}},
		{403, []string{"Origin", "https://edge.example.com", "Host", "edge.example.com"}},
		{403, []string{"Origin", "https://other.example.com", "Host", "other.example.com", "X-Forwarded-Proto", "https"}},
		{303, []string{"Origin", "https://a.trusted.test", "Sec-Fetch-Site", "cross-site"}},
		{403, []string{"Origin", "https://trusted.test.evil.test", "Sec-Fetch-Site", "cross-site"}},
		{403, []string{"Origin", "https://example.com", "Sec-Fetch-Site", "cross-site"}},
		{303, []string{"Origin", "", "X-Forwarded-Proto", "https", "Referer", "https://example.com/accounts/login/"}},
		{403, []string{"Origin", "", "X-Forwarded-Proto", "https", "Referer", "https://evil.test/"}},
		{403, []string{"Origin", "", "X-Forwarded-Proto", "https"}},
	} {
		a := s.want(c.want, "", s.submit("/api/login", login, c.header...))
		if got := a.header.Get("Location"); c.want == 303 && got != "https://example.com/reports/" {
			t.Errorf("%q: %q", c.header, got)
		}
	}
	s.want(303, "", s.submit("/api/login", login[:4], "Origin", "https://example.com", "X-Token", secret))
	s.want(415, "", s.submit("/api/login", login[:4], "Origin", "https://example.com", "X-Csrftoken", secret))
}

func TestFormTargets(t *testing.T) {
	s := newSite(t, host.Native(), func(_ *host.Config, c *Config) {
		c.RedirectHosts = []string{"example.com"}
		c.Limits = Limits{PasswordRequests: -1}
	})
	for next, want := range map[string]string{
		"": "/", "/a?b#c": "/a?b#c", "https://example.com/x": "https://example.com/x", "http://example.com:80/": "/",
		"//evil.test": "/", "https://evil.test": "/", `/\evil.test`: "/", `\\evil.test`: "/", "///evil.test": "/", "/\t/evil.test": "/",
		"javascript:alert(1)": "/", " //evil.test": "/", "https://example.com.evil.test/": "/", "https://example.com@evil.test/": "/", "\x00//evil.test": "/",
		"/a\r\nX: y": "/a%0D%0AX:%20y",
	} {
		token, a := s.page("/?next=" + url.QueryEscape(next))
		if shown := strings.Contains(a.body, `name="next"`); shown != (want != "/") {
			t.Errorf("%q on the page: %v", next, shown)
		}
		a = s.want(303, "", s.submit("/api/login", []string{"username", "bob", "password", "bob-password", tokenField, token, nextField, next}))
		if got := a.header["Location"]; len(got) != 1 || got[0] != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
		s.cookies = nil
	}
	if _, a := s.page(`/?next=` + url.QueryEscape(`/"><script>`)); strings.Contains(a.body, `"><script>`) {
		t.Error("the page has what the query says")
	}
}

func TestDecodeForm(t *testing.T) {
	keys := []string{"username", "password"}
	for text, want := range map[string]string{
		"username=a&password=b":                                  "",
		"username=a+b%26&password=%C3%A9&next=%2F":               "",
		"username=&password=":                                    "",
		"username=a":                                             `The field "password" is missing`,
		"username=a&password=b&username=c":                       `The field "username" is there twice`,
		"username=a&password=b&next=/&next=//":                   `The field "next" is there twice`,
		"username=a&password=b&is_superuser=1":                   `Unknown field "is_superuser"`,
		"Username=a&password=b":                                  `Unknown field "Username"`,
		"username=a;password=b":                                  "The body is not a form",
		"username=%zz&password=b":                                "The body is not a form",
		"username=%ff&password=b":                                "The body is not UTF-8",
		"username=a&password=b&repeat=c":                         "The passwords are not the same",
		"username=a&password=b&" + strings.Repeat("x", 99) + "=": `Unknown field "` + strings.Repeat("x", 40) + `…"`,
	} {
		if fields, problem := decodeForm(text, keys); problem != want || (fields == nil) != (want != "") {
			t.Errorf("%q: %q, want %q", text, problem, want)
		}
	}
	if _, problem := decodeForm("repeat=x", nil); problem != `Unknown field "repeat"` {
		t.Error(problem)
	}
	s := newSite(t, host.Native())
	s.want(413, "", s.submit("/api/login", []string{"username", strings.Repeat("x", maxBody)}))
}

// FuzzDecodeForm: what is read has every field once, and no other.
func FuzzDecodeForm(f *testing.F) {
	for _, text := range []string{"username=a&password=b", "username=a&password=b&csrfmiddlewaretoken=c&next=%2f", "username=a&username=b", "a;b", "%=%", "password=%00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fields, problem := decodeForm(text, []string{"username", "password"})
		if (fields == nil) != (problem != "") {
			t.Fatalf("%q: %v, %q", text, fields, problem)
		}
		if fields == nil {
			return
		}
		if n := strings.Count(text, "=") + strings.Count(text, "&"); len(fields) < 2 || len(fields) > 5 || n < 1 {
			t.Fatalf("%q: %v", text, fields)
		}
	})
}

func TestWeakPasswords(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine func() host.Engine) {
		s := newSite(t, engine(), func(h *host.Config, _ *Config) {
			h.PasswordValidators = []string{"MinimumLengthValidator min_length=9", "CommonPasswordValidator", "NumericPasswordValidator"}
		})
		s.unchanged(func() {
			s.want(400, `{"message":"This password is too short. It must contain at least 9 characters. This password is too common. This password is entirely numeric."}`,
				s.send("POST", "/api/register", `{"username":"new","password":"12345678"}`))
			token, _ := s.page("/")
			s.want(400, "This password is too common.\n", s.submit("/api/register", []string{"username", "new", "password", "qwertyuiop", tokenField, token}))
			s.cookies = nil
		})
		s.login("bob")
		s.want(400, `{"message":"This password is entirely numeric."}`, s.send("POST", "/api/change-password", `{"password":"8361027465"}`))
		s.want(200, "{}", s.send("POST", "/api/change-password", `{"password":"four plain words"}`))
		if log := s.log.String(); !strings.Contains(log, "password_too_short password_too_common password_entirely_numeric") {
			t.Errorf("the log has no codes: %s", log)
		}
	})
}
