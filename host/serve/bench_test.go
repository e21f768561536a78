package serve

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/internal/crowd"
	"github.com/djedge/djedge/host/module"
	"github.com/djedge/djedge/host/sqldb"
	"github.com/djedge/djedge/wasm/abi"
)

// remembered is a database that is a Go map: it asks the real one only once.
type remembered struct {
	host.DB
	answers sync.Map
}

func (m *remembered) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	var room [256]byte
	key := room[:0]
	for i := range statements {
		if statements[i].Name != "session_load" && statements[i].Name != "user_by_id" {
			return m.DB.Query(ctx, atomic, statements...)
		}
		key = append(key, statements[i].Name...)
		if len(statements[i].Args) > 0 { // the second is the time
			key = strconv.AppendInt(append(key, statements[i].Args[0].Text()...), statements[i].Args[0].Bits(), 10)
		}
	}
	if results, ok := m.answers.Load(string(key)); ok {
		return results.([]query.Result), nil
	}
	results, err := m.DB.Query(ctx, atomic, statements...)
	m.answers.Store(string(key), results)
	return results, err
}

// BenchmarkServer is what this process computes for one request over a
// connection that is kept, beside net/http's answer "hello" in the same run. The
// client is another process. Read the ratios.
func BenchmarkServer(b *testing.B) {
	users := 200
	db, err := sqldb.CreateSQLite(b.Context(), filepath.Join(b.TempDir(), "db.sqlite3"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := sqldb.CreateDjangoSchema(b.Context(), db); err != nil {
		b.Fatal(err)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelInfo}))
	open := func(config host.Config) *host.Host {
		config.SecretKey, config.PBKDF2Iterations, config.Loopback, config.Logger = secretKey, 10, true, quiet
		h, err := host.New(b.Context(), config)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { h.Close() })
		return h
	}
	handler := func(h *host.Host) http.Handler {
		handler, err := New(Config{Host: h, API: []string{Me}, Logger: quiet})
		if err != nil {
			b.Fatal(err)
		}
		return handler
	}
	native := open(host.Config{DB: &remembered{DB: db}})
	var keys, cookies []string
	cookieKey := signing.DeriveKeys("", secretKey, nil).Cookie.Current
	for i := range users {
		name := fmt.Sprintf("user%d", i)
		request := gate.Request{Method: "POST", URI: "/", Host: "localhost", Scheme: "http", Headers: []gate.Header{{Name: "Content-Type", Value: "application/json"}}}
		result := native.Do(b.Context(), &abi.Op{Kind: abi.OpRegister, Request: request, Username: name, Password: "pw of " + name})
		if result.Decision.Outcome != gate.Allow {
			b.Fatalf("%+v", result.Decision)
		}
		keys = append(keys, result.SessionKey)
		session := `{"_auth_user_id":"` + strconv.Itoa(i) + `","_auth_user_backend":"django.contrib.auth.backends.ModelBackend","_auth_user_hash":"0123456789012345678901234567890123456789012345678901234567890123"}`
		cookies = append(cookies, signing.Dumps(session, cookieKey, true, time.Now()))
	}
	inModule := open(host.Config{DB: &remembered{DB: db}, Engine: module.New(module.Config{CacheDir: cacheDir})})
	signed := open(host.Config{SessionEngine: "signed_cookies", UserCheck: "none"})
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hello")) })

	var base float64
	for _, c := range []struct {
		name    string
		handler http.Handler
		path    string
		cookies []string
	}{
		{"hello", hello, "/auth", keys},
		{"auth, native", handler(native), "/auth", keys},
		{"auth, module", handler(inModule), "/auth", keys},
		{"auth, signed cookies", handler(signed), "/auth", cookies},
		{"me, native", handler(native), "/api/me", keys},
		{"me, module", handler(inModule), "/api/me", keys},
	} {
		b.Run(c.name, func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			server := NewServer(c.handler)
			go server.Serve(l)
			defer server.Close()
			load(b, l.Addr().String(), c.path, c.cookies, 3*len(c.cookies))
			before := crowd.ProcessTime()
			load(b, l.Addr().String(), c.path, c.cookies, b.N)
			ns := float64(crowd.ProcessTime()-before) / float64(b.N)
			if b.N > 1000 {
				if c.name == "hello" {
					base = ns
				}
				b.ReportMetric(ns, "cpu-ns/op")
				b.ReportMetric(ns/base, "x-hello")
			}
		})
	}
}

// load lets another process ask n times.
func load(b *testing.B, address, path string, cookies []string, n int) {
	b.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestLoad$")
	c.Env = append(os.Environ(), "DJEDGE_TEST_LOAD="+address+" "+path+" "+strconv.Itoa(n))
	c.Stdin = strings.NewReader(strings.Join(cookies, "\n") + "\n")
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
}

// TestLoad is the client of BenchmarkServer.
func TestLoad(t *testing.T) {
	what := strings.Fields(os.Getenv("DJEDGE_TEST_LOAD"))
	if len(what) != 3 {
		t.Skip("is the client of a benchmark")
	}
	address, path := what[0], what[1]
	n, err := strconv.Atoi(what[2])
	if err != nil {
		t.Fatal(err)
	}
	var requests [][]byte
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		requests = append(requests, []byte("GET "+path+" HTTP/1.1\r\nHost: "+address+"\r\nCookie: theme=dark; sessionid="+lines.Text()+"\r\nAccept: */*\r\n\r\n"))
	}
	const connections = 8
	var wg sync.WaitGroup
	for first := range connections {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			for i := first; i < n; i += connections {
				if _, err := c.Write(requests[i%len(requests)]); err != nil {
					t.Error(err)
					return
				}
				response, err := http.ReadResponse(r, nil)
				if err != nil || response.StatusCode != 200 {
					t.Error(response, err)
					return
				}
				io.Copy(io.Discard, response.Body)
			}
		}()
	}
	wg.Wait()
}
