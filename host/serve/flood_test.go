package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
)

func TestAddressLimit(t *testing.T) {
	s := newSite(t, nil, func(_ *host.Config, c *Config) {
		c.Limits.PasswordRequests = 5
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}
	})
	bad := func(header ...string) reply {
		return s.send("POST", "/api/change-password", `{"password":"x"}`, header...)
	}
	// What is refused before a password is looked at does not count.
	for range 10 {
		s.want(400, "", s.send("POST", "/api/login", `{}`))
		s.want(415, "", s.send("POST", "/api/login", `{}`, "Content-Type", "text/plain"))
	}
	for range 5 {
		s.want(400, "", bad())
	}
	s.unchanged(func() {
		for _, a := range []reply{
			bad(),
			s.send("POST", "/api/login", `{"username":"bob","password":"bob-password"}`),
			s.send("POST", "/api/register", `{"username":"new","password":"x"}`),
			bad("X-Forwarded-For", "192.0.2.1"), // nobody trusts this peer
		} {
			s.want(429, `{"message":"Too many attempts, try again later"}`, a)
			if got := a.header.Get("Retry-After"); got != "60" {
				t.Errorf("Retry-After %q", got)
			}
		}
	})
	s.want(400, "", bad("Remote", "192.0.2.1:1"))
	// Behind a proxy each client counts for itself, and cannot make up another.
	for i := range 5 {
		s.want(400, "", bad("Remote", "10.0.0.1:1", "X-Forwarded-For", fmt.Sprintf("198.51.100.%d, 192.0.2.2", i)))
	}
	s.want(429, "", bad("Remote", "10.0.0.1:1", "X-Forwarded-For", "198.51.100.9, 192.0.2.2"))
	s.want(400, "", bad("Remote", "10.0.0.1:1", "X-Forwarded-For", "192.0.2.3"))
	s.want(200, "", s.send("POST", "/api/logout", ""))
	s.clock = s.clock.Add(time.Minute)
	s.want(400, "", bad())
}

func TestUserLimit(t *testing.T) {
	s := newSite(t, nil)
	login := func(name, password string) reply {
		return s.send("POST", "/api/login", `{"username":"`+name+`","password":"`+password+`"}`)
	}
	for range 5 {
		s.want(200, "", login("bob", "bob-password")) // does not count
		s.want(400, "", login("bob", "x"))
		s.want(400, "", login("BOB", "x"))
	}
	s.unchanged(func() {
		a := s.want(429, "", login("bob", "bob-password")) // no oracle
		if got := a.header.Get("Retry-After"); got != "600" {
			t.Errorf("Retry-After %q", got)
		}
		// A name that does not exist is limited in the same way.
		for range 10 {
			s.want(400, "", login("nobody", "x"))
		}
		s.want(429, "", login("nobody", "x"))
	})
	s.clock = s.clock.Add(10 * time.Minute)
	s.want(200, "", login("bob", "bob-password"))
}

// However a name is entered, its failures are one user's.
func TestUserLimitOfSpellings(t *testing.T) {
	s := newSite(t, nil)
	login := func(name, password string) reply {
		body, _ := json.Marshal(map[string]string{"username": name, "password": password})
		return s.send("POST", "/api/login", string(body))
	}
	// A password that is too long is nobody's failure: nothing is hashed.
	for range 2 * defaultUserFailures {
		s.want(400, `{"message":"Bad username or password"}`, login("bob", strings.Repeat("x", 4097)))
	}
	for i := range defaultUserFailures {
		s.want(400, "", login([]string{"bob", "bob ", "\u3000bob", strings.Repeat(" ", 2000) + "bob", "\uff42ob"}[i%5], "x"))
	}
	s.want(429, "", login("bob", "bob-password"))
	s.want(429, "", login(strings.Repeat("\u00a0", 3000)+"BOB\t", "x"))
}

// Guesses that arrive together are counted before any of them is answered.
func TestUserLimitInParallel(t *testing.T) {
	s := newSite(t, nil)
	statuses := make(chan int, 40)
	var group sync.WaitGroup
	for range cap(statuses) {
		group.Go(func() {
			statuses <- s.send("POST", "/api/login", `{"username":"bob","password":"x"}`).status
		})
	}
	group.Wait()
	close(statuses)
	tried := 0
	for status := range statuses {
		if status == 400 {
			tried++
		} else if status != 429 {
			t.Errorf("status %d", status)
		}
	}
	if tried != defaultUserFailures {
		t.Errorf("%d guesses were tried, want %d", tried, defaultUserFailures)
	}
}

func TestLimitsOff(t *testing.T) {
	s := newSite(t, nil, func(_ *host.Config, c *Config) { c.Limits = Limits{PasswordRequests: -1, UserFailures: -1} })
	for range 70 {
		s.want(400, "", s.send("POST", "/api/login", `{"username":"bob","password":"x"}`))
	}
}

// Secrets are never logged or counted, names are bounded, and the number of
// series does not grow with the number of users.
func TestCanary(t *testing.T) {
	s := newSite(t, nil, func(_ *host.Config, c *Config) { c.Limits = Limits{PasswordRequests: -1, UserFailures: -1} })
	s.login("bob")
	key := s.cookies[0].Value
	s.send("GET", "/api/me", "")
	s.send("POST", "/api/change-password", `{"password":"canary-new-password"}`)
	s.cookies = nil
	for i := range 200 {
		s.send("POST", "/api/login", fmt.Sprintf(`{"username":"user%d\nlevel=ERROR %s","password":"canary-password"}`, i, strings.Repeat("x", 400)))
	}
	s.send("POST", "/api/login", `{"username":"bob","password":"canary-wrong"`)
	s.send("GET", "/auth", "", "Cookie", "sessionid=canarycanarycanarycanary", "Authorization", "Bearer canary")
	s.exec("ALTER TABLE django_session RENAME TO elsewhere")
	s.send("GET", "/auth", "", "Cookie", "sessionid=canarycanarycanarycanary")
	var metrics strings.Builder
	s.server.metrics.WriteTo(&metrics)
	log := s.log.String()
	for name, text := range map[string]string{"log": log, "metrics": metrics.String()} {
		for _, secret := range []string{"canary", "bob-password", key, secretKey, "pbkdf2_sha256$"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in the %s:\n%s", secret, name, text)
			}
		}
	}
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "time=") || len(line) > 600 {
			t.Errorf("a line that somebody else wrote: %s", line)
		}
	}
	if n := strings.Count(metrics.String(), "\n"); n > 20 {
		t.Errorf("%d lines of metrics:\n%s", n, metrics.String())
	}
	if !strings.Contains(metrics.String(), `djedge_decisions_total{op="login",reason="bad_credentials"} 200`) {
		t.Error(metrics.String())
	}
}

// FuzzLog: whatever a user is called, the log has one line of JSON for each
// decision, and in it the name, bounded.
func FuzzLog(f *testing.F) {
	for _, name := range []string{"bob", "a\nlevel=ERROR", "\",\"reason\":\"ok", "\xff\x00\u2028", strings.Repeat("ü", 200)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		var out bytes.Buffer
		s, err := newServer(Config{Host: nobody{}, Logger: slog.New(slog.NewJSONHandler(&out, nil))})
		if err != nil {
			t.Fatal(err)
		}
		d := &gate.Decision{Outcome: gate.Deny, Status: 400, Reason: gate.ReasonBadCredentials}
		s.record(httptest.NewRequest("POST", "/api/login", nil), abi.OpLogin, name, d, time.Time{})
		var line struct{ User, Reason, Op string }
		decoder := json.NewDecoder(&out)
		if err := decoder.Decode(&line); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if line.Reason != "bad_credentials" || line.Op != "login" || utf8.RuneCountInString(line.User) > 151 {
			t.Errorf("%q: %+v", name, line)
		}
		if decoder.More() {
			t.Errorf("%q: more than one line", name)
		}
	})
}
