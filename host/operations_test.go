package host_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
)

// post is an operation that changes something, by a client that is no browser.
func post(h *host.Host, op abi.Op, session string) *abi.Result {
	r := httptest.NewRequest("POST", "/api/login", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	if session != "" {
		r.Header.Set("Cookie", "sessionid="+session)
	}
	op.Request = h.Summary(r)
	return h.Do(context.Background(), &op)
}

func login(h *host.Host, name, password string) *abi.Result {
	return post(h, abi.Op{Kind: abi.OpLogin, Username: name, Password: password}, "")
}

func bySession(h *host.Host, key string) *abi.Result {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "sessionid="+key)
	return h.Do(context.Background(), &abi.Op{Kind: abi.OpCheck, Request: h.Summary(r), Require: gate.Authenticated})
}

func column(t *testing.T, db *database, sql string) query.Value {
	t.Helper()
	r, err := db.DB.Query(t.Context(), false, query.Statement{Name: "test", SQL: sql})
	if err != nil || len(r[0].Rows) != 1 {
		t.Fatalf("%v %v", r, err)
	}
	return r[0].Rows[0][0]
}

// The whole way of a user, with hashing on the host and by the rules.
func TestOperations(t *testing.T) {
	for _, kdf := range []host.KDF{host.KDFHost, host.KDFModule} {
		everywhere(t, func(t *testing.T, db *database, config host.Config) {
			config.KDF, config.PBKDF2Iterations = kdf, 2000
			h := newHost(t, config)

			for _, wrong := range []*abi.Result{login(h, "bob", "canary-wrong"), login(h, "nobody", "canary-PASSWORD-of-bob"), login(h, "", "")} {
				if d := wrong.Decision; d.Outcome != gate.Deny || d.Status != 400 || d.Reason != gate.ReasonBadCredentials || len(d.Cookies) != 0 {
					t.Errorf("wrong login: %+v", d)
				}
			}
			if d := login(h, "dave", "canary-PASSWORD-of-dave").Decision; d.Reason != gate.ReasonUserInactive || len(d.Cookies) != 0 {
				t.Errorf("inactive login: %+v", d)
			}
			in := login(h, "bob", "canary-PASSWORD-of-bob")
			if d := in.Decision; d.Outcome != gate.Allow || len(d.Cookies) != 2 || !strings.HasPrefix(d.Cookies[0], "sessionid="+in.SessionKey+";") {
				t.Fatalf("login: %+v", d)
			}
			if n := db.trips(func() {
				if d := bySession(h, in.SessionKey).Decision; d.Identity == nil || d.Identity.Name != "bob" {
					t.Errorf("after login: %+v", d)
				}
			}); n != 1 {
				t.Errorf("the first check after a login took %d round trips", n)
			}
			if column(t, db, "SELECT last_login FROM auth_user WHERE id = 2").IsNull() {
				t.Error("last_login was not written")
			}
			if hash := column(t, db, "SELECT password FROM auth_user WHERE id = 2").Text(); !strings.HasPrefix(hash, "pbkdf2_sha256$1000$") {
				t.Errorf("the hash was rewritten, though nobody said what the site's hashes are: %s", hash)
			}

			out := post(h, abi.Op{Kind: abi.OpLogout}, in.SessionKey)
			if d := out.Decision; d.Outcome != gate.Allow || len(d.Cookies) != 1 {
				t.Errorf("logout: %+v", d)
			}
			if d := bySession(h, in.SessionKey).Decision; d.Status != 401 {
				t.Errorf("after logout: %+v", d)
			}

			new := post(h, abi.Op{Kind: abi.OpRegister, Username: "erin", Password: "canary-PASSWORD-of-erin"}, "")
			if d := new.Decision; d.Outcome != gate.Allow || d.Identity == nil || d.Identity.Name != "erin" {
				t.Fatalf("register: %+v", d)
			}
			if d := post(h, abi.Op{Kind: abi.OpRegister, Username: "erin", Password: "canary"}, "").Decision; d.Reason != gate.ReasonUsernameTaken || d.Status != 400 {
				t.Errorf("register again: %+v", d)
			}
			other := login(h, "erin", "canary-PASSWORD-of-erin").SessionKey
			if d := post(h, abi.Op{Kind: abi.OpChangePassword, Password: "canary-NEW-of-erin"}, other).Decision; d.Outcome != gate.Allow {
				t.Errorf("change password: %+v", d)
			}
			for _, key := range []string{new.SessionKey, other} {
				if d := bySession(h, key).Decision; d.Status != 401 {
					t.Errorf("after the change of the password: %+v", d)
				}
			}
			if d := login(h, "erin", "canary-PASSWORD-of-erin").Decision; d.Reason != gate.ReasonBadCredentials {
				t.Errorf("old password: %+v", d)
			}
			if d := login(h, "erin", "canary-NEW-of-erin").Decision; d.Outcome != gate.Allow {
				t.Errorf("new password: %+v", d)
			}
		})
	}
}

// Hashes are rewritten only where the site's own parameters are known.
func TestRehash(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*host.Config)
		want string
	}{
		"nothing set":      {func(*host.Config) {}, "pbkdf2_sha256$1000$"},
		"iterations alone": {func(c *host.Config) { c.PBKDF2Iterations = 2000 }, "pbkdf2_sha256$1000$"},
		"version":          {func(c *host.Config) { c.DjangoVersion = "5.2"; c.PBKDF2Iterations = 2000 }, "pbkdf2_sha256$2000$"},
		"hashers": {func(c *host.Config) {
			c.PasswordHashers = []string{"django.contrib.auth.hashers.MD5PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"}
		}, "md5$"},
	} {
		t.Run(name, func(t *testing.T) {
			db := openSQLite(t)
			config := host.Config{DB: db, SecretKey: secret}
			c.set(&config)
			h := newHost(t, config)
			in := login(h, "bob", "canary-PASSWORD-of-bob")
			if d := in.Decision; d.Outcome != gate.Allow {
				t.Fatalf("login: %+v", d)
			}
			if hash := column(t, db, "SELECT password FROM auth_user WHERE id = 2").Text(); !strings.HasPrefix(hash, c.want) {
				t.Errorf("hash %s", hash)
			}
			if d := bySession(h, in.SessionKey).Decision; d.Outcome != gate.Allow {
				t.Errorf("the new session: %+v", d)
			}
		})
	}
}

// Hashings wait for each other (two share a thread), and not for ever; checks
// wait for none of them.
func TestHashingQueue(t *testing.T) {
	db := openSQLite(t)
	h := newHost(t, host.Config{DB: db, SecretKey: secret, HashConcurrency: 1, HashQueueTimeout: 50 * time.Millisecond})
	db.exec(t, `UPDATE auth_user SET password = REPLACE(password, '$1000$', '$4000000$') WHERE id = 2`) // slow

	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			result := h.Do(ctx, &abi.Op{Kind: abi.OpAuthenticate, Username: "bob", Password: "canary-PASSWORD-of-bob"})
			if d := result.Decision; d.Outcome == gate.Allow {
				t.Errorf("a client who had gone was answered: %+v", d)
			}
		})
	}
	busy := false
	for deadline := time.Now().Add(10 * time.Second); !busy && time.Now().Before(deadline); {
		d := login(h, "carol", "canary-PASSWORD-of-carol").Decision
		if busy = d.Reason == gate.ReasonBusy; busy && (d.Outcome != gate.Error || d.Status != 503 || len(d.Cookies) != 0) {
			t.Errorf("busy: %+v", d)
		}
	}
	if !busy {
		t.Error("three hashings ran at once")
	}
	if d := check(h, "alice").Decision; d.Outcome != gate.Allow {
		t.Errorf("a check during hashing: %+v", d)
	}
	start := time.Now()
	cancel() // the client goes away
	wg.Wait()
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the hashing went on for %v", took)
	}
	if d := login(h, "carol", "canary-PASSWORD-of-carol").Decision; d.Outcome != gate.Allow {
		t.Errorf("afterwards: %+v", d)
	}
}

// broken is an engine that fails in its own ways.
type broken struct {
	host.Engine
	do func() *abi.Result
}

func (b broken) Do(context.Context, *abi.Op, djuser.Effects) *abi.Result { return b.do() }

func TestBrokenEngine(t *testing.T) {
	for name, do := range map[string]func() *abi.Result{
		"panics":     func() *abi.Result { panic("canary") },
		"nil":        func() *abi.Result { return nil },
		"zero":       func() *abi.Result { return new(abi.Result) },
		"odd status": func() *abi.Result { return &abi.Result{Decision: gate.Decision{Outcome: gate.Error, Status: 200}} },
	} {
		h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret, Engine: broken{host.Native(), do}})
		if res := serve(h.Require(gate.Anyone, ok), request("alice")); res.StatusCode != 503 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
		serve(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if ok, err := host.User(r).Authenticated(r.Context()); ok || err == nil {
				t.Errorf("%s: %v %v", name, ok, err)
			}
		})), request("alice"))
	}
}
