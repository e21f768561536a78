package serve

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
)

var thisMachine = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// forwarding makes the configuration of a site behind a proxy, with rules.
func forwarding(mode string, more ...func(*host.Config, *Config)) func(*host.Config, *Config) {
	return func(h *host.Config, c *Config) {
		h.Rules = []gate.Rule{
			{Path: "/public/", Allow: gate.Anyone},
			{Path: "/reports/", Methods: []string{"GET"}, Allow: gate.Permission("reports.view_report")},
			{Path: "/reports/", Allow: gate.Superuser},
			{Path: "/staff/", Allow: gate.Staff},
		}
		c.Rules, c.ForwardedHeaders, c.TrustedProxies = true, mode, thisMachine
		for _, f := range more {
			f(h, c)
		}
	}
}

// ask is /auth as the proxy of a mode asks about method and uri.
func (s *site) ask(mode, method, uri string, header ...string) reply {
	s.Helper()
	switch mode {
	case XForwarded:
		return s.send("GET", "/auth", "", append([]string{"X-Forwarded-Method", method, "X-Forwarded-Uri", uri, "X-Forwarded-Host", "example.com", "X-Forwarded-Proto", "https"}, header...)...)
	case XOriginal:
		return s.send("GET", "/auth", "", append([]string{"X-Original-Method", method, "X-Original-Uri", uri, "X-Forwarded-Proto", "https"}, header...)...)
	}
	return s.send(method, "/auth"+uri, "", append([]string{"Host", "example.com", "X-Forwarded-Proto", "https"}, header...)...)
}

var modes = []string{XForwarded, XOriginal, InPath}

func TestForwardedRules(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, engine func() host.Engine) {
				s := newSite(t, engine(), forwarding(mode))
				s.exec(`INSERT INTO django_content_type (id, app_label, model) VALUES (1, 'reports', 'report')`)
				s.exec(`INSERT INTO auth_permission (id, content_type_id, codename, name) VALUES (1, 1, 'view_report', '')`)
				s.exec(`INSERT INTO auth_user_user_permissions (user_id, permission_id) SELECT id, 1 FROM auth_user WHERE username = 'bob'`)
				try := func(user string, cases map[string]int) {
					t.Helper()
					for request, want := range cases {
						method, uri, _ := strings.Cut(request, " ")
						a := s.ask(mode, method, uri)
						if a.status != want {
							t.Errorf("%s %s: %d, want %d", user, request, a.status, want)
						}
						if name := a.header.Get("Remote-User"); a.status == 200 && (name != user || len(a.header["Remote-User"]) != 1) || a.status != 200 && name != "" {
							t.Errorf("%s %s: Remote-User %q", user, request, a.header["Remote-User"])
						}
					}
				}
				try("", map[string]int{
					"GET /public/x": 200, "POST /public": 200, "GET /reports/": 401, "GET /": 401, "GET /publicity": 401,
					"GET /public/../reports/": 403, "GET /public//x": 403, "GET /public/%2e%2e/reports": 403, "GET //public/": 403, "GET /Public/": 403,
				})
				s.login("bob")
				try("bob", map[string]int{
					"GET /public/x": 200, "GET /reports/7?x=1": 200, "HEAD /reports/7": 200, "POST /reports/": 403, "GET /staff/": 200, "GET /": 200, "DELETE /x": 200,
					"GET /reports;x": 403, "GET /REPORTS/": 403, "GET /reports%2f": 403, "GET /reports/%00": 403,
				})
			})
		})
	}
}

// What a client sends by itself changes no verdict: neither directly, nor
// through a proxy that leaves other headers than its own alone.
func TestSpoofedHeaders(t *testing.T) {
	spoofs := [][]string{
		{"X-Forwarded-Uri", "/public/"}, {"X-Forwarded-Method", "GET"}, {"X-Original-Uri", "/public/"}, {"X-Original-URL", "/public/"}, {"X-Rewrite-Url", "/public/"},
		{"X_Forwarded_Uri", "/public/"}, {"X_Original_Uri", "/public/"}, {"Forwarded", "for=127.0.0.1;host=x;proto=https"}, {"X-Forwarded-Prefix", "/public"},
		{"X-Http-Method-Override", "GET"}, {"X-Forwarded-For", "127.0.0.1"}, {"X-Real-Ip", "127.0.0.1"}, {"X-Forwarded-Port", "443"}, {"User-Agent", "kube-probe/1.0"},
	}
	own := map[string]string{XForwarded: "X-Forwarded-", XOriginal: "X-Original-U", InPath: "none"}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			s := newSite(t, host.Native(), forwarding(mode))
			for _, spoof := range spoofs {
				if !strings.HasPrefix(spoof[0], own[mode]) {
					s.want(401, "", s.ask(mode, "POST", "/reports/", spoof...))
				}
				// A stranger is told nothing, whatever the stranger says.
				s.want(403, "", s.send("GET", "/auth", "", append([]string{"Remote", "192.0.2.1:1"}, spoof...)...))
				s.want(403, "", s.ask(mode, "GET", "/public/", append([]string{"Remote", "192.0.2.1:1"}, spoof...)...))
			}
			s.want(403, "", s.ask(mode, "GET", "/public/", "Remote", "@")) // a Unix socket has no address
			s.want(403, "", s.send("GET", "/auth", ""))                    // the proxy is not configured
			if n := strings.Count(s.log.String(), "see trusted_proxies"); n != 1 {
				t.Errorf("the log says so %d times", n)
			}
		})
	}
	// A header that came twice was written by two.
	for _, mode := range modes[:2] {
		s := newSite(t, host.Native(), forwarding(mode))
		prefix := map[string]string{XForwarded: "X-Forwarded-", XOriginal: "X-Original-"}[mode]
		s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header[prefix+"Uri"] = []string{"/public/", "/reports/"}
			s.server.ServeHTTP(w, r)
		})
		s.want(403, "", s.ask(mode, "GET", "/public/"))
		s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			delete(r.Header, prefix+"Method")
			s.server.ServeHTTP(w, r)
		})
		s.want(403, "", s.ask(mode, "GET", "/public/"))
	}
	// Without rules all of them mean nothing, as ever.
	s := newSite(t, host.Native())
	for _, spoof := range spoofs {
		s.want(401, "", s.send("GET", "/auth", "", spoof...))
	}
}

func TestPathMode(t *testing.T) {
	s := newSite(t, host.Native(), forwarding(InPath))
	for path, want := range map[string]int{"/auth/public/": 200, "/auth/": 401, "/auth": 403, "/auth//public/": 403, "/auth?/public/": 403, "/auth/public%2fx": 403, "/%61uth/public/": 403} {
		s.want(want, "", s.send("GET", path, ""))
	}
}

func TestLoginRedirect(t *testing.T) {
	page := []string{"Accept", "text/html,application/xhtml+xml;q=0.9", "Sec-Fetch-Mode", "navigate"}
	for _, mode := range []string{XForwarded, InPath} {
		s := newSite(t, host.Native(), forwarding(mode, func(_ *host.Config, c *Config) { c.LoginURL = "/accounts/login/?from=edge" }))
		for request, want := range map[string]string{
			"GET /reports/?a=1&b=%2f": "/accounts/login/?from=edge&next=/reports/%3Fa%3D1%26b%3D%252f",
			"GET /":                   "/accounts/login/?from=edge&next=/",
			"GET /accounts/login/?x":  "", // the page itself: a mistake in the rules, but no loop
			"POST /reports/":          "",
			"HEAD /reports/":          "",
			"GET /reports//":          "", // never by a login
		} {
			method, uri, _ := strings.Cut(request, " ")
			a := s.ask(mode, method, uri, page...)
			if got := a.header.Get("Location"); got != want || (a.status == 302) != (want != "") || a.header.Get("Remote-User") != "" {
				t.Errorf("%s %s: %d %q, want %q", mode, request, a.status, got, want)
			}
		}
		s.want(401, "", s.ask(mode, "GET", "/reports/"))
		s.want(401, "", s.ask(mode, "GET", "/reports/", "Accept", "application/json"))
		s.want(401, "", s.ask(mode, "GET", "/reports/", "Accept", "text/html", "Sec-Fetch-Mode", "cors"))
		s.want(403, "", s.ask(mode, "GET", "/reports/", append([]string{"Remote", "192.0.2.1:1"}, page...)...))
		s.login("bob")
		s.want(403, "", s.ask(mode, "GET", "/reports/", page...)) // who is logged in is not asked to log in
		s.want(200, "", s.ask(mode, "GET", "/staff/", page...))
	}
	// The page is on another host: the way back is a whole URL, to a host that is known.
	s := newSite(t, host.Native(), forwarding(XForwarded, func(_ *host.Config, c *Config) {
		c.LoginURL, c.RedirectHosts = "https://login.example.com/", []string{"example.com"}
	}))
	a := s.want(302, "", s.ask(XForwarded, "GET", "/reports/?x", page...))
	if got, want := a.header.Get("Location"), "https://login.example.com/?next=https%3A//example.com/reports/%3Fx"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.want(401, "", s.ask(XForwarded, "GET", "/reports/", append([]string{"X-Forwarded-Host", "evil.test"}, page...)...))
	// Without rules a login is needed everywhere, and the way to it is the same.
	s = newSite(t, host.Native(), func(_ *host.Config, c *Config) {
		c.ForwardedHeaders, c.TrustedProxies, c.LoginURL = XForwarded, thisMachine, "/login"
	})
	if a := s.want(302, "", s.ask(XForwarded, "GET", "/public//", page...)); a.header.Get("Location") != "/login?next=/public//" {
		t.Errorf("%q", a.header.Get("Location"))
	}
	s.want(401, "", s.send("GET", "/auth", "", page...))
	s.want(401, "", s.ask(XForwarded, "GET", "/", append([]string{"Remote", "192.0.2.1:1"}, page...)...))
}

func TestForwardingSettings(t *testing.T) {
	for want, c := range map[string]Config{
		`forwarded_headers: "x"`:                  {ForwardedHeaders: "x"},
		"forwarded_headers: rules need it":        {Rules: true, TrustedProxies: thisMachine},
		"forwarded_headers: login_url needs it":   {LoginURL: "/login", TrustedProxies: thisMachine},
		"trusted_proxies: rules need it":          {Rules: true, ForwardedHeaders: XForwarded},
		"trusted_proxies: login_url needs it":     {LoginURL: "/login", ForwardedHeaders: InPath},
		"login_url: nginx makes a 500":            {LoginURL: "/login", ForwardedHeaders: XOriginal, TrustedProxies: thisMachine},
		"login_url: the login URL is no URL":      {LoginURL: "javascript:alert(1)", ForwardedHeaders: InPath, TrustedProxies: thisMachine},
		"login_url: is neither a path such as":    {LoginURL: "login", ForwardedHeaders: InPath, TrustedProxies: thisMachine},
		"login_url: is neither a path such as /a": {LoginURL: "https:login", ForwardedHeaders: InPath, TrustedProxies: thisMachine},
	} {
		c.Host = nobody{}
		if h, err := New(c); err == nil || h != nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
