package host_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/internal/testservers"
	"github.com/djedge/djedge/host/module"
	"github.com/djedge/djedge/host/postgres"
	"github.com/djedge/djedge/host/postgres/postgrestest"
	"github.com/djedge/djedge/host/sqldb"
	"github.com/djedge/djedge/wasm/abi"
)

// secret is the key of testdata/make.py, where real Django made the rows.
const secret = "canary-secret-key-of-the-tests"

// sessionKey is a session of testdata/django.sql.
func sessionKey(name string) string {
	key := "canarykey" + name
	return key + strings.Repeat("0", 32-len(key))
}

// database counts round trips and can be made to fail.
type database struct {
	host.DB
	queries atomic.Int64
	mu      sync.Mutex
	fault   func(ctx context.Context) error
}

func (db *database) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	db.queries.Add(1)
	db.mu.Lock()
	fault := db.fault
	db.mu.Unlock()
	if fault != nil {
		if err := fault(ctx); err != nil {
			return nil, err
		}
	}
	return db.DB.Query(ctx, atomic, statements...)
}

func (db *database) fail(fault func(ctx context.Context) error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.fault = fault
}

// trips is how many round trips f takes.
func (db *database) trips(f func()) int64 {
	before := db.queries.Load()
	f()
	return db.queries.Load() - before
}

// exec runs SQL that both databases understand.
func (db *database) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := db.DB.Query(t.Context(), false, query.Statement{Name: "test", SQL: sql}); err != nil {
		t.Fatal(err)
	}
}

func rows(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/django.sql")
	if err != nil {
		t.Fatal(err)
	}
	var statements []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "INSERT") {
			statements = append(statements, line)
		}
	}
	return statements
}

func openSQLite(t *testing.T) *database {
	t.Helper()
	db, err := sqldb.CreateSQLite(t.Context(), filepath.Join(t.TempDir(), "db.sqlite3"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := sqldb.CreateDjangoSchema(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	wrapped := &database{DB: db}
	for _, sql := range rows(t) {
		wrapped.exec(t, sql)
	}
	return wrapped
}

func openPostgres(t *testing.T) *database {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgrestest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	wrapped := &database{DB: db}
	for _, sql := range rows(t) {
		wrapped.exec(t, sql)
	}
	wrapped.exec(t, `ALTER TABLE auth_user ALTER COLUMN id RESTART WITH 100`)
	return wrapped
}

// everywhere runs a test on every database with every engine.
func everywhere(t *testing.T, test func(t *testing.T, db *database, config host.Config)) {
	for name, open := range map[string]func(*testing.T) *database{"sqlite": openSQLite, "postgres": openPostgres} {
		for engine, newEngine := range engines {
			t.Run(name+"/"+engine, func(t *testing.T) {
				db := open(t)
				test(t, db, host.Config{DB: db, SecretKey: secret, Engine: newEngine()})
			})
		}
	}
}

var engines = map[string]func() host.Engine{
	"native": host.Native,
	"module": func() host.Engine { return module.New(module.Config{CacheDir: cacheDir}) },
}

var cacheDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "djedge-host")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		cacheDir = dir
		return testservers.Run(m)
	}())
}

// logs is where everything that a test logs goes. When the test ends nothing
// secret may be in it.
func logs(t *testing.T) *slog.Logger {
	t.Helper()
	var mu sync.Mutex
	var text bytes.Buffer
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(text.String(), "canary") {
			t.Errorf("a secret was logged:\n%s", text.String())
		}
	})
	return slog.New(slog.NewJSONHandler(writer(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return text.Write(b)
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func newHost(t *testing.T, config host.Config) *host.Host {
	t.Helper()
	config.Logger = logs(t)
	h, err := host.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// request carries the session of a user; "" is nobody's.
func request(name string) *http.Request {
	r := httptest.NewRequest("GET", "/reports/", nil)
	if name != "" {
		r.Header.Set("Cookie", "theme=dark; sessionid="+sessionKey(name))
	}
	return r
}

func serve(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

var ok = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "welcome") })

func check(h *host.Host, name string) *abi.Result {
	return h.Do(context.Background(), &abi.Op{Kind: abi.OpCheck, Request: h.Summary(request(name)), Require: gate.Authenticated})
}

func TestRequire(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		h := newHost(t, config)
		for _, c := range []struct {
			user                         string
			authenticated, staff, super_ int
		}{
			{"alice", 200, 200, 200},
			{"bob", 200, 403, 403},
			{"carol", 200, 200, 403},
			{"dave", 401, 401, 401},   // not active
			{"nobody", 401, 401, 401}, // a session without a login
			{"unknown", 401, 401, 401},
			{"", 401, 401, 401},
		} {
			for req, want := range map[gate.Requirement]int{gate.Anyone: 200, gate.Authenticated: c.authenticated, gate.Staff: c.staff, gate.Superuser: c.super_} {
				res := serve(h.Require(req, ok), request(c.user))
				if res.StatusCode != want {
					t.Errorf("%q, requirement %s: %d, want %d", c.user, req, res.StatusCode, want)
				}
				if res.Header.Get("Vary") != "Cookie" {
					t.Errorf("%q, requirement %s: Vary %q", c.user, req, res.Header.Get("Vary"))
				}
				if stored := res.Header.Get("Cache-Control") != "no-store"; stored != (want == 200) {
					t.Errorf("%q, requirement %s: Cache-Control %q", c.user, req, res.Header.Get("Cache-Control"))
				}
			}
		}
	})
}

func TestRoundTrips(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		h := newHost(t, config)
		expect := func(what, user string, trips int64, id string) {
			t.Helper()
			var result *abi.Result
			if n := db.trips(func() { result = check(h, user) }); n != trips {
				t.Errorf("%s: %d round trips, want %d", what, n, trips)
			}
			got := ""
			if result.Decision.Identity != nil {
				got = result.Decision.Identity.ID
			}
			if got != id {
				t.Errorf("%s: user %q, want %q", what, got, id)
			}
		}
		expect("no cookie", "", 0, "")
		expect("unknown session", "unknown", 1, "")
		expect("first check", "alice", 2, "1")
		expect("second check", "alice", 1, "1")
		expect("another user", "bob", 2, "2")
		expect("again", "bob", 1, "2")

		// The session turns into another user's: the hint is wrong, the answer is not.
		db.exec(t, `UPDATE django_session SET session_data = (SELECT session_data FROM django_session WHERE session_key = '`+sessionKey("carol")+`') WHERE session_key = '`+sessionKey("alice")+`'`)
		expect("wrong hint", "alice", 2, "3")
		expect("hint mended", "alice", 1, "3")

		// Nothing is kept of what the rows said.
		db.exec(t, `UPDATE auth_user SET is_active = FALSE WHERE id = 2`)
		expect("deactivated", "bob", 1, "")
		db.exec(t, `UPDATE auth_user SET is_active = TRUE, password = 'x' WHERE id = 2`)
		expect("password changed", "bob", 2, "")
		db.exec(t, `DELETE FROM django_session`)
		expect("logged out", "alice", 1, "")
	})
}

func TestWithoutHints(t *testing.T) {
	db := openSQLite(t)
	h := newHost(t, host.Config{DB: db, SecretKey: secret, HintEntries: -1})
	for range 2 {
		if n := db.trips(func() { check(h, "alice") }); n != 2 {
			t.Errorf("%d round trips", n)
		}
	}
}
