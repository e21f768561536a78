package serve

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/build/modules"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/module"
	"github.com/djedge/djedge/host/sqldb"
)

const secretKey = "canary-secret-key-0123456789"

// cacheDir keeps the compiled module for all tests.
var cacheDir string

func TestMain(m *testing.M) {
	var err error
	if cacheDir, err = os.MkdirTemp("", "djedge-serve-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(cacheDir)
	os.Exit(code)
}

// site is a Django database, a host on it and a server, for one test.
type site struct {
	*testing.T
	db      *sqldb.DB
	path    string
	server  *server
	handler http.Handler
	log     *logBuffer
	cookies []*http.Cookie
	clock   time.Time
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newSite opens all endpoints on a fresh database with the users bob and
// eve, who is inactive; both have the password "<name>-password".
func newSite(t *testing.T, engine host.Engine, change ...func(*host.Config, *Config)) *site {
	t.Helper()
	ctx := t.Context()
	s := &site{T: t, path: filepath.Join(t.TempDir(), "db.sqlite3"), log: new(logBuffer), clock: time.Now()}
	var err error
	if s.db, err = sqldb.CreateSQLite(ctx, s.path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
	if err := sqldb.CreateDjangoSchema(ctx, s.db); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	hostConfig := host.Config{DB: s.db, SecretKey: secretKey, Engine: engine, PBKDF2Iterations: 10, Loopback: true, Logger: log}
	config := Config{API: Endpoints(), Logger: log, Metrics: NewMetrics()}
	for _, f := range change {
		f(&hostConfig, &config)
	}
	h, err := host.New(ctx, hostConfig)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	config.Host = h
	if s.server, err = newServer(config); err != nil {
		t.Fatal(err)
	}
	s.server.now = func() time.Time { return s.clock }
	s.handler = s.server

	for name, active := range map[string]bool{"bob": true, "eve": false} {
		s.exec(`INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
			VALUES (?, 0, ?, 'B', 'O', 'b@example.com', 1, ?, '2024-02-29 12:34:56.789')`, fixedHash(t, name+"-password"), name, active)
	}
	return s
}

// fixedHash is what Django would store (PBKDF2PasswordHasher), by the
// standard library, with few iterations so that tests are fast.
func fixedHash(t *testing.T, text string) string {
	key, err := pbkdf2.Key(sha256.New, text, []byte("salt"), 10, sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	return "pbkdf2_sha256$10$salt$" + base64.StdEncoding.EncodeToString(key)
}

func (s *site) exec(text string, args ...any) {
	s.Helper()
	values := make([]query.Value, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			values[i] = query.Text(arg)
		case bool:
			values[i] = query.SQLite.Bool(arg)
		}
	}
	if _, err := s.db.Query(s.Context(), false, query.Statement{Name: "test", SQL: text, Args: values, AdHoc: true}); err != nil {
		s.Fatal(err)
	}
}

// dump is every row of the tables that djedge writes, read by another connection.
func (s *site) dump() string {
	s.Helper()
	db, err := sql.Open("sqlite", "file:"+s.path+"?mode=ro")
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	var b strings.Builder
	for _, table := range []string{"auth_user", "django_session"} {
		rows, err := db.Query("SELECT * FROM " + table + " ORDER BY 1")
		if err != nil {
			s.Fatal(err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				s.Fatal(err)
			}
			for _, value := range values {
				fmt.Fprintf(&b, "%v|", *value.(*any))
			}
			b.WriteByte('\n')
		}
		rows.Close()
	}
	return b.String()
}

// reply is a response that was read.
type reply struct {
	status int
	header http.Header
	body   string
}

// send makes a request from loopback with the cookies so far. Headers are
// pairs; a body goes out as JSON unless they say otherwise.
func (s *site) send(method, path, body string, header ...string) reply {
	s.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(s.Context(), method, "http://127.0.0.1:8080"+path, content)
	r.RemoteAddr = "127.0.0.1:40000"
	r.RequestURI = path // as it stands in the request line of a server
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
		// net/http's server keeps the header; httptest sets the field only.
		r.Header.Set("Content-Length", fmt.Sprint(len(body)))
	}
	for _, cookie := range s.cookies {
		r.AddCookie(cookie)
	}
	for i := 0; i+1 < len(header); i += 2 {
		switch header[i] {
		case "Host":
			r.Host = header[i+1]
		case "Remote":
			r.RemoteAddr = header[i+1]
		default:
			r.Header.Del(header[i])
			if header[i+1] != "" {
				r.Header.Set(header[i], header[i+1])
			}
		}
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	result := w.Result()
	text, _ := io.ReadAll(result.Body)
	if got := result.Header.Get("Cache-Control"); got != "no-store" {
		s.Errorf("%s %s: Cache-Control %q", method, path, got)
	}
	if got := result.Header.Get("Vary"); got != "Cookie" {
		s.Errorf("%s %s: Vary %q", method, path, got)
	}
	return reply{result.StatusCode, result.Header, string(text)}
}

// want sends a request and compares status and body ("" is any).
func (s *site) want(status int, body string, a reply) reply {
	s.Helper()
	if a.status != status || body != "" && a.body != body {
		s.Errorf("%d %s, want %d %s", a.status, a.body, status, body)
	}
	return a
}

// keep takes the cookies of a, as a browser would.
func (s *site) keep(a reply) {
	s.Helper()
	s.cookies = nil
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		if cookie.MaxAge >= 0 {
			s.cookies = append(s.cookies, cookie)
		}
	}
}

func (s *site) login(name string) {
	s.Helper()
	s.keep(s.want(200, "{}", s.send("POST", "/api/login", `{"username":"`+name+`","password":"`+name+`-password"}`)))
	if len(s.cookies) == 0 {
		s.Error("no cookie was set")
	}
}

// unchanged fails the test when f changed the database.
func (s *site) unchanged(f func()) {
	s.Helper()
	before := s.dump()
	f()
	if after := s.dump(); after != before {
		s.Errorf("the database was changed:\n%s\n→\n%s", before, after)
	}
}

// eachEngine runs f natively and, when the module is there, inside it.
func eachEngine(t *testing.T, f func(t *testing.T, engine func() host.Engine)) {
	t.Run("native", func(t *testing.T) { f(t, host.Native) })
	t.Run("wasm", func(t *testing.T) {
		if _, err := modules.WASM(); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
		f(t, func() host.Engine { return module.New(module.Config{CacheDir: cacheDir}) })
	})
}
