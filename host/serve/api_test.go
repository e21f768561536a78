package serve

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/djedge/djedge/host"
)

// The seed's endpoints: the answers are the literal ones of the example that
// async-django-user came with.
func TestEndpoints(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine func() host.Engine) {
		s := newSite(t, engine())
		s.want(200, `{"user":{},"session":{}}`, s.send("GET", "/api/me", ""))
		s.want(401, "", s.send("GET", "/auth", ""))
		s.want(200, `{}`, s.send("POST", "/api/logout", ""))
		s.want(400, `{"message":"Log in first"}`, s.send("POST", "/api/change-password", `{"password":"x"}`))
		s.want(400, `{"message":"Bad username or password"}`, s.send("POST", "/api/login", `{"username":"bob","password":"x"}`))
		s.want(400, `{"message":"Bad username or password"}`, s.send("POST", "/api/login", `{"username":"nobody","password":"x"}`))
		s.want(400, `{"message":"User isn't active"}`, s.send("POST", "/api/login", `{"username":"eve","password":"eve-password"}`))
		s.want(400, `{"message":"Bad username or password"}`, s.send("POST", "/api/login", `{"username":"eve","password":"x"}`))

		s.login("bob")
		me := s.want(200, "", s.send("GET", "/api/me", ""))
		var shown struct {
			User struct {
				LastLogin string `json:"last_login"`
			}
		}
		if err := json.Unmarshal([]byte(me.body), &shown); err != nil {
			t.Fatal(err)
		}
		s.want(200, `{"user":{"id":`+s.id("bob")+`,"last_login":"`+shown.User.LastLogin+`","is_superuser":false,"username":"bob","first_name":"B","last_name":"O",`+
			`"email":"b@example.com","is_staff":true,"is_active":true,"date_joined":"2024-02-29T12:34:56.789000Z"},`+
			`"session":{"_auth_user_id":"`+s.id("bob")+`","_auth_user_backend":"django.contrib.auth.backends.ModelBackend"}}`, me)
		if len(shown.User.LastLogin) != len("2024-02-29T12:34:56.789000Z") {
			t.Errorf("last_login %q", shown.User.LastLogin)
		}
		for _, path := range []string{"/auth", "/auth/", "/auth//x/../%2e%2e?y"} {
			a := s.want(200, "", s.send("POST", path, "", "Remote-User", "root"))
			for name, want := range map[string]string{
				"Remote-User": "bob", "Remote-User-Id": s.id("bob"), "Remote-Email": "b@example.com", "Remote-Staff": "true", "Remote-Superuser": "false",
			} {
				if got := a.header[name]; len(got) != 1 || got[0] != want {
					t.Errorf("%s: %s %q, want %q", path, name, got, want)
				}
			}
		}
		s.want(400, `{"message":"Log out first"}`, s.send("POST", "/api/register", `{"username":"new","password":"x"}`))
		old := s.cookies
		out := s.want(200, `{}`, s.send("POST", "/api/logout", ""))
		if cookies := (&http.Response{Header: out.header}).Cookies(); len(cookies) != 1 || cookies[0].Name != "sessionid" || cookies[0].MaxAge >= 0 {
			t.Errorf("logout sets %q", out.header["Set-Cookie"])
		}
		s.cookies = old
		s.want(401, "", s.send("GET", "/auth", ""))
		s.cookies = nil

		s.want(400, `{"message":"The username is already in use"}`, s.send("POST", "/api/register", `{"username":"bob","password":"x"}`))
		s.keep(s.want(200, `{}`, s.send("POST", "/api/register", `{"username":"new","password":"first"}`)))
		s.want(200, "", s.send("GET", "/auth", ""))
		s.want(200, `{}`, s.send("POST", "/api/change-password", `{"password":"second"}`))
		s.want(401, "", s.send("GET", "/auth", ""))
		s.want(200, `{"user":{},"session":{}}`, s.send("GET", "/api/me", ""))
		s.cookies = nil
		s.want(400, "", s.send("POST", "/api/login", `{"username":"new","password":"first"}`))
		s.want(200, "", s.send("POST", "/api/login", `{"username":"new","password":"second"}`))
	})
}

func (s *site) id(name string) string {
	s.Helper()
	for line := range strings.Lines(s.dump()) {
		if strings.Contains(line, "|"+name+"|") {
			id, _, _ := strings.Cut(line, "|")
			return id
		}
	}
	s.Fatalf("no user %s", name)
	return ""
}

// Every refusal is a definite answer, and writes nothing.
func TestBadInput(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine func() host.Engine) {
		s := newSite(t, engine(), func(_ *host.Config, c *Config) { c.Limits = Limits{PasswordRequests: -1, UserFailures: -1} })
		s.login("bob")
		good := s.cookies
		s.cookies = nil
		login := `{"username":"bob","password":"bob-password"}`
		mib := strings.Repeat("x", 1<<20)
		for _, test := range []struct {
			name         string
			status       int
			method, path string
			body         string
			header       []string
			message      string
		}{
			{"GET on a POST route", 405, "GET", "/api/login", "", nil, "Method not allowed"},
			{"PUT on a POST route", 405, "PUT", "/api/logout", "", nil, "Method not allowed"},
			{"POST on a GET route", 405, "POST", "/api/me", "{}", nil, "Method not allowed"},
			{"preflight", 405, "OPTIONS", "/api/login", "", []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "POST"}, "Method not allowed"},
			{"no such path", 404, "GET", "/api/login/", "", nil, "Not found"},
			{"form without a token", 415, "POST", "/api/login", "username=bob&password=bob-password", []string{"Content-Type", "application/x-www-form-urlencoded"}, "application/json"},
			{"form with an empty token", 403, "POST", "/api/login", "username=bob&password=bob-password&csrfmiddlewaretoken=", []string{"Content-Type", "application/x-www-form-urlencoded"}, "CSRF verification failed"},
			{"JSON as a form", 415, "POST", "/api/login", login, []string{"Content-Type", "application/x-www-form-urlencoded"}, "application/json"},
			{"form in another charset", 415, "POST", "/api/login", "username=bob&password=bob-password", []string{"Content-Type", "application/x-www-form-urlencoded; charset=latin1"}, "application/json"},
			{"form in parts", 415, "POST", "/api/login", "username=bob&password=bob-password", []string{"Content-Type", "multipart/form-data; boundary=x"}, "application/json"},
			{"text", 415, "POST", "/api/login", login, []string{"Content-Type", "text/plain"}, "application/json"},
			{"no content type", 415, "POST", "/api/login", login, []string{"Content-Type", ""}, "application/json"},
			{"another charset", 415, "POST", "/api/login", login, []string{"Content-Type", "application/json; charset=utf-16"}, "application/json"},
			{"logout with a form", 415, "POST", "/api/logout", "a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, "application/json"},
			{"logout with a wrong form", 400, "POST", "/api/logout", "a=b&csrfmiddlewaretoken=x", []string{"Content-Type", "application/x-www-form-urlencoded"}, `Unknown field "a"`},
			{"logout with an empty form", 403, "POST", "/api/logout", "", []string{"Content-Type", "application/x-www-form-urlencoded"}, "another site"},
			{"no body", 415, "POST", "/api/login", "", nil, "application/json"},
			{"empty body", 400, "POST", "/api/login", "", []string{"Content-Type", "application/json"}, "not a JSON object"},
			{"1 MiB body", 413, "POST", "/api/login", mib, nil, "larger than 65536"},
			{"1 MB password", 413, "POST", "/api/login", `{"username":"bob","password":"` + mib + `"}`, nil, "larger than 65536"},
			{"64 KiB body", 413, "POST", "/api/login", `{"username":"bob","password":"` + mib[:64<<10] + `"}`, nil, "larger than 65536"},
			{"long password", 400, "POST", "/api/login", `{"username":"bob","password":"` + mib[:60000] + `"}`, nil, ""},
			{"long new password", 400, "POST", "/api/register", `{"username":"new","password":"` + mib[:5000] + `"}`, nil, "too long"},
			{"long username", 400, "POST", "/api/login", `{"username":"` + mib[:60000] + `","password":"x"}`, nil, "Bad username or password"},
			{"NUL in username", 400, "POST", "/api/login", `{"username":"bob\u0000","password":"bob-password"}`, nil, "Bad username or password"},
			{"register with NUL", 400, "POST", "/api/register", `{"username":"n\u0000","password":"x"}`, nil, "username"},
			{"register without a name", 400, "POST", "/api/register", `{"username":"","password":"x"}`, nil, "username"},
			{"register with a blank", 400, "POST", "/api/register", `{"username":"a b","password":"x"}`, nil, "username"},
			{"register a long name", 400, "POST", "/api/register", `{"username":"` + mib[:151] + `","password":"x"}`, nil, "username"},
			{"number", 400, "POST", "/api/login", `{"username":"bob","password":1}`, nil, `\"password\" must be a string`},
			{"extra key", 400, "POST", "/api/login", `{"username":"bob","password":"x","is_superuser":true}`, nil, `Unknown key \"is_superuser\"`},
			{"extra key at register", 400, "POST", "/api/register", `{"username":"new","password":"x","is_superuser":true}`, nil, "Unknown key"},
			{"other case", 400, "POST", "/api/login", `{"Username":"bob","password":"x"}`, nil, "Unknown key"},
			{"duplicate", 400, "POST", "/api/login", `{"username":"bob","username":"eve","password":"x"}`, nil, "twice"},
			{"missing key", 400, "POST", "/api/login", `{"username":"bob"}`, nil, `\"password\" is missing`},
			{"array", 400, "POST", "/api/login", `[]`, nil, "not a JSON object"},
			{"not UTF-8", 400, "POST", "/api/login", "{\"username\":\"\xff\",\"password\":\"x\"}", nil, "not UTF-8"},
			{"not JSON", 400, "POST", "/api/login", `{`, nil, "not JSON"},
			{"logout with keys", 400, "POST", "/api/logout", `{"x":"y"}`, nil, "Unknown key"},
			{"another origin", 403, "POST", "/api/login", login, []string{"Origin", "https://evil.example"}, "another site"},
			{"null origin", 403, "POST", "/api/login", login, []string{"Origin", "null"}, "another site"},
			{"another port", 403, "POST", "/api/login", login, []string{"Origin", "http://127.0.0.1:9999"}, "another site"},
			{"cross-site", 403, "POST", "/api/login", login, []string{"Sec-Fetch-Site", "cross-site"}, "another site"},
			{"same-site", 403, "POST", "/api/login", login, []string{"Sec-Fetch-Site", "same-site"}, "another site"},
			{"logout from another origin", 403, "POST", "/api/logout", "", []string{"Origin", "https://evil.example", "Cookie", good[0].String()}, "another site"},
			{"rebound host", 403, "POST", "/api/login", login, []string{"Host", "evil.example"}, "this machine"},
			{"malformed cookie", 200, "GET", "/api/me", "", []string{"Cookie", "sessionid=\"\\; ;;=;\xff"}, ""},
			{"forged cookie", 200, "GET", "/api/me", "", []string{"Cookie", "sessionid=" + strings.Repeat("a", 32)}, ""},
			{"huge cookie", 401, "GET", "/auth", "", []string{"Cookie", "sessionid=" + mib}, ""},
			{"cookie with SQL", 401, "GET", "/auth", "", []string{"Cookie", "sessionid=' OR 1=1 --aaaaaaaaaa"}, ""},
		} {
			t.Run(test.name, func(t *testing.T) {
				s.T = t
				s.unchanged(func() {
					a := s.send(test.method, test.path, test.body, test.header...)
					s.want(test.status, "", a)
					if !strings.Contains(a.body, test.message) {
						t.Errorf("answer %s, want %q", a.body, test.message)
					}
					if test.status == 405 && a.header.Get("Allow") == "" {
						t.Error("no Allow")
					}
					if len(a.header["Set-Cookie"]) > 0 || a.header.Get("Access-Control-Allow-Origin") != "" {
						t.Errorf("headers %v", a.header)
					}
					if test.status == 200 && a.body != `{"user":{},"session":{}}` {
						t.Errorf("answer %s, want nobody", a.body)
					}
				})
			})
		}
		s.T = t
		s.cookies = good
		s.want(200, "", s.send("GET", "/auth", ""))
		s.keep(s.want(200, "{}", s.send("POST", "/api/logout", "{}", "Origin", "http://127.0.0.1:8080", "Sec-Fetch-Site", "same-origin")))
	})
}

// What is in the tables may be wrong too.
func TestBadRows(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine func() host.Engine) {
		s := newSite(t, engine())
		s.login("bob")
		for name, change := range map[string]string{
			"unsigned session": `UPDATE django_session SET session_data = 'eyJfYXV0aF91c2VyX2lkIjoiMSJ9:1:x'`,
			"no session":       `UPDATE django_session SET session_data = ''`,
			"expired session":  `UPDATE django_session SET expire_date = '2001-01-01 00:00:00'`,
			"inactive user":    `UPDATE auth_user SET is_active = 0`,
			"changed password": `UPDATE auth_user SET password = 'pbkdf2_sha256$1$a$b'`,
			"deleted user":     `DELETE FROM auth_user`,
		} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, engine())
				s.login("bob")
				s.exec(change)
				s.unchanged(func() {
					s.want(401, "", s.send("GET", "/auth", ""))
					a := s.want(200, "", s.send("GET", "/api/me", ""))
					if !strings.HasPrefix(a.body, `{"user":{},`) {
						t.Error(a.body)
					}
				})
			})
		}
		for name, encoded := range map[string]string{
			"too many iterations": "pbkdf2_sha256$2147483648$salt$aaaa",
			"unknown hasher":      "md4$salt$aaaa",
			"malformed":           "pbkdf2_sha256$x",
			"unusable":            "!" + strings.Repeat("a", 40),
		} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, engine())
				s.exec(`UPDATE auth_user SET password = ? WHERE username = 'bob'`, encoded)
				s.unchanged(func() {
					a := s.send("POST", "/api/login", `{"username":"bob","password":"bob-password"}`)
					if a.status != 400 && a.status != 503 {
						t.Errorf("%d %s", a.status, a.body)
					}
				})
			})
		}
	})
}

// Without a database nobody is anonymous, and nobody is logged in.
func TestDatabaseGone(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine func() host.Engine) {
		s := newSite(t, engine())
		s.login("bob")
		s.exec("ALTER TABLE django_session RENAME TO elsewhere")
		s.exec("ALTER TABLE auth_user RENAME TO elsewhere2")
		for _, path := range []string{"/auth", "/api/me"} {
			a := s.want(503, "", s.send("GET", path, ""))
			if a.header.Get("Remote-User") != "" {
				t.Error("a user without a database")
			}
		}
		for path, body := range map[string]string{
			"/api/login":           `{"username":"bob","password":"bob-password"}`,
			"/api/change-password": `{"password":"x"}`,
			"/api/logout":          "",
		} {
			s.want(503, `{"message":"Service Unavailable"}`, s.send("POST", path, body))
		}
		s.cookies = nil
		s.want(503, "", s.send("POST", "/api/register", `{"username":"new","password":"x"}`))
		s.want(401, "", s.send("GET", "/auth", "")) // no cookie, no question
	})
}
