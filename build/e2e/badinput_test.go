package e2e

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/build/bench/process"
)

// Whatever is sent or stored gets a definite answer, soon, and nothing is written.
func TestBadInput(t *testing.T) {
	everyEngine(t, func(t *testing.T, kind, engine string) {
		s := startSite(t, kind, current, settings{}, edgeOptions{engine: engine, args: []string{"--django-version", "5.2"}})
		u := s.newUser()
		before := s.counts()

		for what, body := range map[string]string{
			"no JSON":        `{`,
			"a list":         `["username", "password"]`,
			"null":           `null`,
			"a number":       `{"username": 1, "password": "x"}`,
			"a key missing":  `{"username": "x"}`,
			"another key":    `{"username": "x", "password": "x", "is_superuser": "1"}`,
			"a key twice":    `{"username": "x", "password": "x", "username": "y"}`,
			"trailing text":  `{"username": "x", "password": "x"} {}`,
			"NUL":            `{"username": "x\u0000", "password": "x"}`,
			"a long name":    `{"username": "` + strings.Repeat("ﷺ", 10000) + `", "password": "x"}`,
			"a long secret":  `{"username": "` + u.Username + `", "password": "` + strings.Repeat("x", 1<<20) + `"}`,
			"a big body":     `{"username": "` + strings.Repeat("x", 2<<20) + `"}`,
			"a surrogate":    `{"username": "\ud800", "password": "x"}`,
			"deep":           strings.Repeat("[", 20000),
			"nothing":        ``,
			"an empty name":  `{"username": "", "password": "x"}`,
			"not quite UTF8": "{\"username\": \"\xff\", \"password\": \"x\"}",
		} {
			for _, path := range []string{"/api/login", "/api/register"} {
				began := time.Now()
				a := s.visitor().edge("POST", path, body)
				if !slices.Contains([]int{400, 413}, a.status) || a.header.Get("Set-Cookie") != "" {
					t.Errorf("%s with %s is answered with %d %s", path, what, a.status, a.body)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("%s with %s takes %v", path, what, took)
				}
			}
		}
		for _, contentType := range []string{"text/plain", "application/x-www-form-urlencoded", "", "application/json, text/plain"} {
			a := s.visitor().send("POST", s.edge.url("/api/login"), `{"username": "x", "password": "x"}`, "Content-Type", contentType)
			if a.status != 415 {
				t.Errorf("a body of type %q is answered with %d", contentType, a.status)
			}
		}
		for _, header := range [][]string{{"Origin", "null"}, {"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}} {
			if a := s.visitor().send("POST", s.edge.url("/api/login"), u, header...); a.status != 403 || a.header.Get("Set-Cookie") != "" {
				t.Errorf("a login with %v is answered with %d", header, a.status)
			}
		}
		if after := s.counts(); after != before {
			t.Errorf("there were %+v, and are %+v", before, after)
		}
	})
}

// A stored hash that nobody should compute, or can, costs nothing and lets nobody in.
func TestHashThatCostsTooMuch(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		for _, encoded := range []string{
			"pbkdf2_sha256$2147483648$salt$aGFzaA==",
			"pbkdf2_sha256$0$salt$aGFzaA==",
			"pbkdf2_sha256$-1$salt$aGFzaA==",
			"pbkdf2_sha256$99999999999999999999$salt$aGFzaA==",
			"argon2$argon2id$v=19$m=4194304,t=2,p=8$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
			"argon2$argon2id$v=19$m=102400,t=4294967295,p=8$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
			"argon2$argon2id$v=19$m=102400,t=2,p=4294967295$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
			"bcrypt_sha256$$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcdefghijklm",
			"scrypt$1073741824$salt$8$1$aGFzaA==",
			"unknown$1$salt$aGFzaA==",
			"$$$",
			"plain text",
			"",
		} {
			u := s.newUser("encoded", encoded)
			v := s.visitor()
			began := time.Now()
			a := v.edge("POST", "/api/login", u)
			if a.status != 400 && a.status != 503 || v.cookie(sessionCookie) != "" {
				t.Errorf("a login with the hash %q is answered with %d %s", encoded, a.status, a.body)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("a login with the hash %q takes %v", encoded, took)
			}
			if row := s.row(u); row["password"] != encoded || row["last_login"] != nil {
				t.Errorf("a login with the hash %q writes %v", encoded, row)
			}
		}
	})
}

// counts are how many rows there are.
type counts struct{ Users, Sessions int }

func (s *site) counts() (found counts) {
	s.t.Helper()
	s.django.control(s.t, "counts", nil, &found)
	return found
}

// What cannot work does not start, and the error names the setting and no secret.
func TestStartRefused(t *testing.T) {
	t.Parallel()
	empty := sqliteDatabase("empty")
	good := newDatabase(t, "sqlite", current)
	key := file(t, "secret-key", secretKey+"\n")
	const password = "a-database-password"
	for name, refused := range map[string]struct {
		args   []string
		env    string
		status int
		says   string
	}{
		"no database":          {[]string{"--secret-key-file", key}, "", 78, "database"},
		"no key":               {[]string{"--database", good.url}, "", 78, "secret_key"},
		"missing file":         {[]string{"--database", empty.url, "--secret-key-file", key}, "", 78, "database"},
		"unreachable database": {[]string{"--database", "postgres://someone:" + password + "@127.0.0.1:1/site", "--secret-key-file", key}, "", 1, "database"},
		"unknown scheme":       {[]string{"--database", "oracle://someone:" + password + "@127.0.0.1/site", "--secret-key-file", key}, "", 78, "database"},
		"unknown variable":     {[]string{"--database", good.url, "--secret-key-file", key}, "DJEDGE_SESION_COOKIE_NAME=x", 78, "DJEDGE_SESION_COOKIE_NAME"},
		"unknown key":          {[]string{"--database", good.url, "--secret-key-file", key, "--config", file(t, "djedge.toml", "[django]\nsesion_table = \"x\"\n")}, "", 78, "sesion_table"},
		"unknown flag":         {[]string{"--databse", good.url}, "", 2, "databse"},
		"missing table":        {[]string{"--database", good.url, "--secret-key-file", key, "--user-table", "no_such_table"}, "", 78, "user_table"},
		"missing sessions":     {[]string{"--database", good.url, "--secret-key-file", key, "--session-table", "no_such_table"}, "", 78, "session_table"},
		"identifier":           {[]string{"--database", good.url, "--secret-key-file", key, "--user-table", `auth_user"; DROP TABLE x; --`}, "", 78, "user_table"},
		"unknown version":      {[]string{"--database", good.url, "--secret-key-file", key, "--django-version", "1.4"}, "", 78, "version"},
		"unknown hasher":       {[]string{"--database", good.url, "--secret-key-file", key, "--password-hashers", "NoSuchHasher"}, "", 78, "password_hashers"},
		"unknown engine":       {[]string{"--database", good.url, "--secret-key-file", key, "--engine", "jvm"}, "", 78, "engine"},
		"demo with database":   {[]string{"--demo", "--database", good.url}, "", 78, "demo"},
	} {
		cmd := exec.Command(djedge(), append([]string{"serve", "--listen", freeAddr()}, refused.args...)...)
		cmd.Env = append(plainEnvironment(), refused.env)
		process.Tie(cmd)
		stop := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		out, _ := cmd.CombinedOutput()
		stop.Stop()
		if got := cmd.ProcessState.ExitCode(); got != refused.status || !strings.Contains(string(out), refused.says) {
			t.Errorf("%s: exit status %d, want %d, and it says %q, which should name %s", name, got, refused.status, out, refused.says)
		}
		if strings.Contains(string(out), password) || strings.Contains(string(out), secretKey) {
			t.Errorf("%s: the error tells a secret: %s", name, out)
		}
	}
}
