package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/sqldb"
	"github.com/djedge/djedge/wasm/abi"
)

func TestRuleTables(t *testing.T) {
	path := file(t, "djedge.toml", `
[serve]
listen = "127.0.0.1:1"

[[rule]]
path = "/public/"
allow = "anyone"

[[rule]]
path = "/caf%C3%A9/a%20b"
methods = ["GET", "POST"]
allow = "group:Editors of reports"
`)
	c, err := loadConfig(&process{args: []string{"--config", path}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"* /public/ anyone", "GET,POST /caf%C3%A9/a%20b group:Editors of reports"}
	equal := func(rules []gate.Rule, want []string) {
		t.Helper()
		var got []string
		for _, r := range rules {
			got = append(got, r.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	equal(c.host.Rules, want)
	// A higher level replaces the list.
	if c, err = loadConfig(&process{args: []string{"--config", path}, env: []string{"DJEDGE_RULE=* /a anyone\n\nGET / staff\n"}}); err != nil {
		t.Fatal(err)
	}
	equal(c.host.Rules, []string{"* /a anyone", "GET / staff"})
	if c, err = loadConfig(&process{args: []string{"--config", path, "--rule", "* /b group:x, y", "--rule=* / anyone"}, env: []string{"DJEDGE_RULE=* /a anyone"}}); err != nil {
		t.Fatal(err)
	}
	equal(c.host.Rules, []string{"* /b group:x, y", "* / anyone"})
	if c, err = loadConfig(&process{args: []string{"--config", file(t, "inline.toml", `rule = [{path = "/", allow = "staff"}]`)}}); err != nil {
		t.Fatal(err)
	}
	equal(c.host.Rules, []string{"* / staff"})
}

func TestRuleErrors(t *testing.T) {
	key := file(t, "key", "k\n")
	site := "serve --engine native --secret-key-file " + key + " --database=sqlite://" + siteDatabase(t, t.TempDir())
	for config, want := range map[string]string{
		"rule = 1":                        "rule must be tables",
		"rule = ['/']":                    "rule must be tables",
		"[rule]\npath = '/'":              "rule must be tables",
		"[[rule]]\nallow = 'anyone'":      "rule 1: path is missing$",
		"[[rule]]\npath = '/'":            "rule 1: allow is missing$",
		"[[rule]]\npath = ''":             "rule 1: path must be a string",
		"[[rule]]\npath = ['/']":          "rule 1: path must be a string",
		"[[rule]]\npath = '/a b'":         "rule 1: path must have %20",
		"[[rule]]\npath = \"/a\\nb\"":     "rule 1: path must be a string of one line",
		"[[rule]]\nallow = \"x\\ny\"":     "rule 1: allow must be a string of one line",
		"[[rule]]\nmethods = 'GET'":       "rule 1: methods must be a list",
		"[[rule]]\nmethods = []":          "rule 1: methods must be a list",
		"[[rule]]\nmethods = ['GET,PUT']": "rule 1: methods must be a list",
		"[[rule]]\nmethods = ['*']":       "rule 1: methods must be a list",
		"[[rule]]\nmethod = ['GET']":      "rule 1: unknown key method$",
		"[[rule]]\npath = '/'\nallow = 'anyone'\n[[rule]]\npath = '/x'\nallow = 'staff'": `rule 2 \(/x\): is never reached`,
		"[[rule]]\npath = '/../'\nallow = 'anyone'":                                      `rule 1 \(/../\): path: it has a dot segment$`,
		"[[rule]]\npath = '/'\nallow = 'everybody'":                                      `rule 1 \(/\): allow: "everybody" is not`,
		"[[rule]]\npath = '/'\nallow = 'staff'":                                          "forwarded_headers: rules need it",
		"[serve]\nlogin_url = '/login'":                                                  "forwarded_headers: login_url needs it",
		"[serve]\nforwarded_headers = 'all'":                                             `forwarded_headers: "all"`,
		"[serve]\nforwarded_headers = 'path'\n[[rule]]\npath = '/'\nallow = 'staff'":     "trusted_proxies: rules need it",
		"[django]\npassword_validators = ['LengthValidator']":                            "password_validators: ",
		"[django]\ncsrf_trusted_origins = ['example.com']":                               "csrf_trusted_origins ",
		"[django]\ngroup_table = 'no_groups'\n[[rule]]\npath = '/'\nallow = 'group:x'":   "cannot be read .*no such table: no_groups",
	} {
		invocation{args: append(words(site), "--config", file(t, "djedge.toml", config)), code: 78, stderr: want}.try(t)
	}
	invocation{args: append(words(site), "--rule", "* /"), code: 78, stderr: "--rule 1 is not METHODS PATH REQUIREMENT$"}.try(t)
}

// explainSite is a site on which bob, in the group of editors, is logged in.
func explainSite(t *testing.T) (path, session string) {
	t.Helper()
	path = siteDatabase(t, t.TempDir())
	db, err := sqldb.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, sql := range []string{"INSERT INTO auth_group (id, name) VALUES (1, 'editors')", "INSERT INTO auth_user_groups (user_id, group_id) SELECT id, 1 FROM auth_user"} {
		if _, err := db.Query(t.Context(), false, query.Statement{Name: "test", SQL: sql, AdHoc: true}); err != nil {
			t.Fatal(err)
		}
	}
	h, err := host.New(t.Context(), host.Config{DB: db, SecretKey: "canary-secret"})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	result := h.Do(t.Context(), &abi.Op{Kind: abi.OpLogin, Username: "bob", Password: "canary-password", Request: gate.Request{Method: "POST"}})
	if result.SessionKey == "" {
		t.Fatalf("%+v", result.Decision)
	}
	return path, result.SessionKey
}

func TestExplain(t *testing.T) {
	database, session := explainSite(t)
	config := file(t, "djedge.toml", `
[django]
secret_key_file = "`+file(t, "key", "canary-secret\n")+`"
database = "sqlite://`+database+`"
[serve]
writes_on_reads = true
[[rule]]
path = "/public/"
allow = "anyone"
[[rule]]
path = "/reports/"
methods = ["GET"]
allow = "permission:reports.view_report"
[[rule]]
path = "/reports/"
allow = "group:editors"
`)
	bob := `^user "bob", id 1$`
	for _, c := range []struct {
		args   string
		login  bool
		code   int
		stdout string
	}{
		{"GET https://example.com/public/x?y", false, 0, `^allow 200 no_session \(rule 1: \* /public/ anyone\)$`},
		{"GET /public", true, 0, `^allow 200 ok \(rule 1: \* /public/ anyone\)\n` + bob},
		{"GET https://example.com/reports/", true, 1, `^deny 403 permission_missing reports.view_report \(rule 2: GET /reports/ permission:reports.view_report\)\n` + bob},
		{"POST https://example.com/reports/", true, 0, `^allow 200 ok \(rule 3: \* /reports/ group:editors\)\n` + bob},
		{"POST https://example.com/reports/", false, 1, `^deny 401 no_session \(rule 3: `},
		{"GET https://example.com", false, 1, `^deny 401 no_session \(no rule fits: a login is needed\)$`},
		{"GET https://example.com?x", true, 0, `^allow 200 ok \(no rule fits: a login is needed\)\n` + bob},
		{"GET https://example.com/public/../reports/", true, 1, `^deny 403 path_ambiguous the path is ambiguous: it has a dot segment$`},
		{"GET https://example.com/Reports/", true, 1, `^deny 403 path_ambiguous .* \(rule 2: `},
	} {
		args := append(words("explain "+c.args), "--config", config, "--log-level", "error")
		if c.login {
			args = append(args, "--session", session)
		}
		invocation{args: args, code: c.code, stdout: c.stdout}.try(t)
	}
	invocation{args: append(words("explain GET / --session - --config"), config), stdin: session + "\n", stdout: `^allow 200 ok `}.try(t)
	invocation{args: append(words("explain GET / --session 0123456789abcdef0123456789abcdef --config"), config), code: 1, stdout: `^deny 401 session_unknown `}.try(t)
	invocation{args: append(words("explain GET --config"), config), code: 2, stderr: "two arguments"}.try(t)
	invocation{args: append(words("explain GET example.com/ --config"), config), code: 2, stderr: "https://"}.try(t)
	invocation{args: words("explain GET /"), code: 78, stderr: "database is missing"}.try(t)
	invocation{args: words("explain --help"), stdout: `--session key\n`}.try(t)

	// It has read, and nothing else: the key of another site ends no session.
	other := append(words("explain GET / --writes-on-reads --session "+session+" --secret-key-file"), file(t, "other", "another\n"), "--database", "sqlite://"+database)
	invocation{args: other, code: 1, stdout: `^deny 401 session_corrupt session data: signature \(no rules: a login is needed\)$`, stderr: anything}.try(t)
	invocation{args: append(words("explain GET / --session "+session+" --config"), config), stdout: `^allow 200 ok`}.try(t)
}

// What the server does is what explain says.
func TestServeByRules(t *testing.T) {
	database, session := explainSite(t)
	r := start(t, "listening", nil, "--engine", "native", "--listen", "127.0.0.1:0", "--database", "sqlite://"+database, "--secret-key-file", file(t, "key", "canary-secret\n"),
		"--rule", "* /public/ anyone", "--rule", "POST /reports/ group:editors", "--rule", "* /reports/ superuser",
		"--forwarded-headers", "path", "--trusted-proxies", "127.0.0.0/8", "--login-url", "/login/", "--public-origins", "https://EXAMPLE.com:443")
	address, _ := r.lines[len(r.lines)-1]["address"].(string)
	if address == "" {
		t.Fatalf("%v", r.lines)
	}
	for request, want := range map[string]int{"GET /public/": 200, "POST /reports/": 200, "GET /reports/": 403, "GET /public%2f": 403, "GET /": 200} {
		method, path, _ := strings.Cut(request, " ")
		if got := r.ask(address, method, path, session); got != want {
			t.Errorf("%s: %d, want %d", request, got, want)
		}
	}
	if got := r.ask(address, "GET", "/", ""); got != 302 {
		t.Errorf("a login page: %d", got)
	}
	if code := r.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestHostsOf(t *testing.T) {
	got := hostsOf([]string{"https://EXAMPLE.com:443", "http://a.test:8080", "http://b.test:80", "https://[::1]"})
	if want := []string{"example.com", "a.test:8080", "b.test", "[::1]"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// ask is Envoy's question about a request: a page when nobody is logged in.
func (r *running) ask(address, method, path, session string) (status int) {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), method, "http://"+address+"/auth"+path, nil)
	if err != nil {
		r.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	if session != "" {
		request.Header.Set("Cookie", "sessionid="+session)
	}
	response, err := http.DefaultTransport.RoundTrip(request) // it follows no redirects
	if err != nil {
		r.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}
