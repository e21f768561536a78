package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
)

func TestUser(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		h := newHost(t, config)
		joined := time.Date(2026, 11, 23, 3, 11, 2, 606468000, time.UTC)
		want := map[string]any{
			"id": int64(1), "last_login": nil, "is_superuser": true, "username": "alice", "first_name": "Zoë", "last_name": "",
			"email": "alice@example.com", "is_staff": true, "is_active": true, "date_joined": joined,
		}
		asked := false
		serve(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = true
			ctx, user := r.Context(), host.User(r)
			if ok, err := user.Authenticated(ctx); !ok || err != nil {
				t.Errorf("authenticated: %v %v", ok, err)
			}
			if id, err := user.ID(ctx); id != "1" || err != nil {
				t.Errorf("id %q %v", id, err)
			}
			if row, err := user.Map(ctx); err != nil || !reflect.DeepEqual(row, want) {
				t.Errorf("map %v %v", row, err)
			}
			for column, value := range want {
				if got, err := user.Get(ctx, column); err != nil || !reflect.DeepEqual(got, value) {
					t.Errorf("%s: %v %v, want %v", column, got, err, value)
				}
			}
			for _, column := range []string{"password", "nonsense", ""} {
				if got, err := user.Get(ctx, column); err == nil || errors.Is(err, host.ErrAnonymous) {
					t.Errorf("%q: %v %v", column, got, err)
				}
			}
		})), request("alice"))
		if !asked {
			t.Error("the handler did not run")
		}
		for _, name := range []string{"", "nobody", "dave", "unknown"} {
			serve(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ctx, user := r.Context(), host.User(r)
				ok, err1 := user.Authenticated(ctx)
				row, err2 := user.Map(ctx)
				if ok || row != nil || err1 != nil || err2 != nil {
					t.Errorf("%q: %v %v %v %v", name, ok, row, err1, err2)
				}
				_, err1 = user.ID(ctx)
				_, err2 = user.Get(ctx, "is_active")
				if !errors.Is(err1, host.ErrAnonymous) || !errors.Is(err2, host.ErrAnonymous) {
					t.Errorf("%q: %v %v", name, err1, err2)
				}
			})), request(name))
		}
	})
}

func TestSession(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		h := newHost(t, config)
		serve(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, session := r.Context(), host.Session(r)
			items, err := session.Items(ctx)
			var keys []string
			for _, item := range items {
				keys = append(keys, item.Key)
			}
			if want := []string{"cart", "_auth_user_id", "_auth_user_backend", "_auth_user_hash", "rate", "limit"}; err != nil || !reflect.DeepEqual(keys, want) {
				t.Errorf("items %v %v", keys, err)
			}
			cart, ok, err := session.Get(ctx, "cart")
			if want := []any{json.Number("1"), map[string]any{"ü": nil}}; !ok || err != nil || !reflect.DeepEqual(cart, want) {
				t.Errorf("cart %v %v %v", cart, ok, err)
			}
			if id, ok, err := session.Get(ctx, "_auth_user_id"); id != "2" || !ok || err != nil {
				t.Errorf("user id %v %v %v", id, ok, err)
			}
			if raw, ok, err := session.Raw(ctx, "limit"); raw != "NaN" || !ok || err != nil {
				t.Errorf("limit %q %v %v", raw, ok, err)
			}
			if _, ok, err := session.Get(ctx, "limit"); !ok || err == nil {
				t.Errorf("NaN was decoded: %v %v", ok, err)
			}
			if value, ok, err := session.Get(ctx, "nonsense"); value != nil || ok || err != nil {
				t.Errorf("nonsense %v %v %v", value, ok, err)
			}
		})), request("bob"))
		for _, name := range []string{"", "unknown"} {
			serve(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if items, err := host.Session(r).Items(r.Context()); len(items) != 0 || err != nil {
					t.Errorf("%q: %v %v", name, items, err)
				}
			})), request(name))
		}
	})
}

func TestMiddlewareAsksOnce(t *testing.T) {
	db := openSQLite(t)
	h := newHost(t, host.Config{DB: db, SecretKey: secret})
	check(h, "alice") // now one round trip is enough
	middleware := func(handler http.HandlerFunc) int64 {
		return db.trips(func() { serve(h.Middleware(handler), request("alice")) })
	}
	if n := middleware(func(w http.ResponseWriter, r *http.Request) { _, _ = host.User(r), host.Session(r) }); n != 0 {
		t.Errorf("nobody asked, and there were %d round trips", n)
	}
	if n := middleware(func(w http.ResponseWriter, r *http.Request) {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if name, err := host.User(r).Get(r.Context(), "username"); name != "alice" || err != nil {
					t.Error(name, err)
				}
				if _, ok, err := host.Session(r).Get(r.Context(), "cart"); !ok || err != nil {
					t.Error(ok, err)
				}
			})
		}
		wg.Wait()
	}); n != 2 {
		t.Errorf("20 goroutines asked for user and session, and there were %d round trips", n)
	}
	if n := db.trips(func() {
		serve(h.Middleware(h.Require(gate.Staff, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if name, err := host.User(r).Get(r.Context(), "username"); name != "alice" || err != nil {
				t.Error(name, err)
			}
		}))), request("alice"))
	}); n != 1 {
		t.Errorf("behind Require there were %d round trips", n)
	}
}

// A caller who gave up does not decide for the others.
func TestErrorsAreNotKept(t *testing.T) {
	h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret})
	serve(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gone, cancel := context.WithCancel(r.Context())
		cancel()
		if _, err := host.User(r).Authenticated(gone); err == nil {
			t.Error("no error for a caller who has gone")
		}
		if ok, err := host.User(r).Authenticated(r.Context()); !ok || err != nil {
			t.Errorf("the next caller: %v %v", ok, err)
		}
	})), request("alice"))
}

func TestWithoutMiddleware(t *testing.T) {
	r, ctx := request("alice"), t.Context()
	user, session := host.User(r), host.Session(r)
	_, err1 := user.Authenticated(ctx)
	_, err2 := user.ID(ctx)
	_, err3 := user.Get(ctx, "username")
	_, err4 := user.Map(ctx)
	_, err5 := session.Items(ctx)
	_, _, err6 := session.Get(ctx, "cart")
	for i, err := range []error{err1, err2, err3, err4, err5, err6} {
		if err == nil || errors.Is(err, host.ErrAnonymous) {
			t.Errorf("question %d: %v", i, err)
		}
	}
}

// An error of the database is 503 or an error, and never an anonymous user.
func TestDatabaseIsAway(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		config.QueryTimeout = 100 * time.Millisecond
		h := newHost(t, config)
		for name, fault := range map[string]func(context.Context) error{
			"refused": func(context.Context) error { return errors.New("connection refused") },
			"silent":  func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		} {
			for _, hinted := range []bool{false, true} {
				if hinted {
					check(h, "alice")
				}
				db.fail(fault)
				start := time.Now()
				for _, req := range []gate.Requirement{gate.Anyone, gate.Authenticated, gate.Superuser} {
					res := serve(h.Require(req, ok), request("alice"))
					if res.StatusCode != 503 || res.Header.Get("Cache-Control") != "no-store" {
						t.Errorf("%s, hinted %v: %d", name, hinted, res.StatusCode)
					}
				}
				serve(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					ok, err := host.User(r).Authenticated(r.Context())
					var denied *gate.Denied
					if ok || !errors.As(err, &denied) || denied.Reason != gate.ReasonDatabaseUnavailable {
						t.Errorf("%s, hinted %v: %v %v", name, hinted, ok, err)
					}
					if items, err := host.Session(r).Items(r.Context()); items != nil || err == nil {
						t.Errorf("%s, hinted %v: %v %v", name, hinted, items, err)
					}
				})), request("alice"))
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("%s: took %v", name, took)
				}
				db.fail(nil)
			}
		}
		if res := serve(h.Require(gate.Superuser, ok), request("alice")); res.StatusCode != 200 {
			t.Errorf("when the database is back: %d", res.StatusCode)
		}
	})
}

// The attack: send a header that the application behind takes for ours, under
// a name that some gateway turns into the same variable.
func TestRequireStripsIdentityHeaders(t *testing.T) {
	h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret})
	forged := []string{"Remote-User", "REMOTE_USER", "remote-user", "Remote_User", "Remote-User-Id", "Remote_User-Id", "Remote-User_ID",
		"Remote-Email", "REMOTE-STAFF", "Remote_Superuser", "remote_superuser", "Remote.User", "remote.user", "Remote.User-Id", "REMOTE~STAFF"}
	ours := []string{"Remote-User", "Remote-User-Id", "Remote-Email", "Remote-Staff", "Remote-Superuser"}
	for user, want := range map[string][]string{
		"bob": {"bob", "2", "bob@example.com", "false", "false"},
		"":    {"", "", "", "", ""},
	} {
		r := request(user)
		r.Header.Set("X-Kept", "yes")
		for _, name := range forged {
			r.Header[name] = []string{"root", "admin"} // past the canonical form of Set
		}
		before := fmt.Sprint(r.Header)
		res := serve(h.Require(gate.Anyone, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if text := fmt.Sprint(r.Header); strings.Contains(text, "root") || strings.Contains(text, "admin") {
				t.Errorf("%q: forged headers came through: %s", user, text)
			}
			for i, name := range ours {
				if got := r.Header[name]; len(got) != 1 || got[0] != want[i] {
					t.Errorf("%q: %s is %q, want %q", user, name, got, want[i])
				}
			}
			if r.Header.Get("X-Kept") != "yes" || r.Header.Get("Cookie") == "" && user != "" {
				t.Error("other headers were lost")
			}
		})), r)
		if res.StatusCode != 200 {
			t.Errorf("%q: %d", user, res.StatusCode)
		}
		if fmt.Sprint(r.Header) != before {
			t.Errorf("%q: the caller's own request was changed", user)
		}
	}
}

// Whatever the header is called, nothing in it is taken for an identity header.
func FuzzRequireHeaders(f *testing.F) {
	for _, name := range []string{"Remote-User", "REMOTE_USER", "remote-user", "Remote_User-Id", "Remote-User ", "Remote-Uſer", "X"} {
		f.Add(name)
	}
	h, err := host.New(f.Context(), host.Config{DB: emptySQLite(f), SecretKey: secret})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		r := request("")
		r.Header[name] = []string{"root"}
		serve(h.Require(gate.Anyone, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// As CGI and WSGI make a variable of a header.
			variables := map[string][]string{}
			for name, values := range r.Header {
				variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
				if isASCII(name) {
					variables[variable] = append(variables[variable], values...)
				}
			}
			for _, variable := range []string{"REMOTE_USER", "REMOTE_USER_ID", "REMOTE_EMAIL", "REMOTE_STAFF", "REMOTE_SUPERUSER"} {
				if got := variables[variable]; len(got) != 1 || got[0] != "" {
					t.Errorf("%s is %q", variable, got)
				}
			}
		})), r)
	})
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// Nothing is saved behind Require alone, so the writer that a handler gets is
// the server's own.
func TestWriterIsNotWrapped(t *testing.T) {
	h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret})
	recorder := httptest.NewRecorder()
	same := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if w != http.ResponseWriter(recorder) {
			t.Errorf("the writer is a %T", w)
		}
	})
	h.Require(gate.Staff, same).ServeHTTP(recorder, request("alice"))
	if got := recorder.Header()["Vary"]; len(got) == 0 || got[0] != "Cookie" {
		t.Errorf("Vary %q", got)
	}
}

func TestSummary(t *testing.T) {
	h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret})
	var got gate.Request
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = h.Summary(r) }))
	defer server.Close()

	send := func(method, body string, length int64) map[string][]string {
		r, err := http.NewRequest(method, server.URL+"/a%2Fb?c=d&e", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		r.Header["Cookie"] = []string{"sessionid=one", "sessionid=two"}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", "https://example.com")
		r.Header.Set("X-Secret", "canary")
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		headers := map[string][]string{}
		for _, header := range got.Headers {
			name := strings.ToLower(header.Name)
			headers[name] = append(headers[name], header.Value)
		}
		return headers
	}
	headers := send("POST", "{}", 2)
	if got.Method != "POST" || got.URI != "/a%2Fb?c=d&e" || got.Scheme != "https" || "https://"+got.Host != server.URL {
		t.Errorf("summary %+v", got)
	}
	want := map[string][]string{"cookie": {"sessionid=one", "sessionid=two"}, "content-type": {"application/json"}, "origin": {"https://example.com"}, "content-length": {"2"}}
	if !reflect.DeepEqual(headers, want) {
		t.Errorf("headers %v, want %v", headers, want)
	}
	if headers := send("POST", "{}", -1); !reflect.DeepEqual(headers["transfer-encoding"], []string{"chunked"}) {
		t.Errorf("a body without a length looks like none: %v", headers)
	}
	if headers := send("POST", "", 0); headers["transfer-encoding"] != nil || headers["content-length"] != nil && headers["content-length"][0] != "0" {
		t.Errorf("no body: %v", headers)
	}
}

// With writes on reads, a session under an old secret moves to a new key. The
// browser must hear of it, and the request must not lose its session.
func TestWritesOnReads(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		config.SecretKey, config.SecretKeyFallbacks, config.WritesOnReads = "canary-new-secret", []string{secret}, true
		h := newHost(t, config)
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if ok, err := host.User(r).Authenticated(r.Context()); !ok || err != nil {
				t.Error(ok, err)
			}
			if _, ok, err := host.Session(r).Get(r.Context(), "cart"); !ok || err != nil {
				t.Error(ok, err)
			}
		})
		for name, door := range map[string]http.Handler{
			"alice": h.Middleware(handler), "bob": h.Require(gate.Authenticated, handler),
			"carol": h.Require(gate.Anyone, h.Middleware(handler)), // who asks twice
		} {
			cookies := serve(door, request(name)).Cookies()
			if len(cookies) != 1 || cookies[0].Name != "sessionid" || cookies[0].Value == sessionKey(name) {
				t.Fatalf("%s: cookies %v", name, cookies)
			}
			if d := bySession(h, cookies[0].Value).Decision; d.Outcome != gate.Allow {
				t.Errorf("%s: the new key: %+v", name, d)
			}
			if d := bySession(h, sessionKey(name)).Decision; d.Status != 401 {
				t.Errorf("%s: the old key: %+v", name, d)
			}
		}
	})
}
