package host_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
)

type change = func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request)

// By the status of the response, and for each release of Django.
func TestStatusOfTheResponse(t *testing.T) {
	for release, saves := range map[string]map[int]bool{
		"":    {200: true, 204: true, 302: true, 404: true, 499: true, 500: false, 503: false},
		"4.2": {404: true, 500: false, 503: false},
		"4.1": {404: true, 500: false, 503: true},
		"3.2": {404: true, 500: false, 503: true},
	} {
		h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret, DjangoVersion: release})
		for status, want := range saves {
			res := handle(h, "", func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
				must(t, s.Set(ctx, "a", 1))
				w.WriteHeader(status)
				if err := s.Set(ctx, "late", 1); !errors.Is(err, host.ErrSent) {
					t.Errorf("after the head: %v", err)
				}
			})
			if saved := sent(t, res) != ""; saved != want || res.StatusCode != status || res.Header.Get("Vary") != "Cookie" {
				t.Errorf("Django %s, %d: saved is %v: %d %v", release, status, saved, res.StatusCode, res.Header)
			}
		}
	}
}

// Whatever begins the response saves the session first.
func TestFirstByte(t *testing.T) {
	h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret})
	for name, begin := range map[string]func(w http.ResponseWriter){
		"nothing":     func(w http.ResponseWriter) {},
		"Write":       func(w http.ResponseWriter) { fmt.Fprint(w, "body") },
		"WriteHeader": func(w http.ResponseWriter) { w.WriteHeader(201) },
		"early hints": func(w http.ResponseWriter) { w.WriteHeader(103); fmt.Fprint(w, "body") },
		"Flush":       func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
		"controller":  func(w http.ResponseWriter) { must(t, http.NewResponseController(w).Flush()) },
		"io.Copy":     func(w http.ResponseWriter) { io.Copy(w, struct{ io.Reader }{strings.NewReader("body")}) },
		"WriteString": func(w http.ResponseWriter) { io.WriteString(w, "body") },
		"ServeContent": func(w http.ResponseWriter) {
			http.ServeContent(w, request(""), "a.txt", time.Time{}, strings.NewReader("body"))
		},
		"other cookies": func(w http.ResponseWriter) { http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"}) },
		"a Vary": func(w http.ResponseWriter) {
			w.Header().Set("Vary", "Accept, cookie")
			w.WriteHeader(200)
		},
	} {
		server := httptest.NewServer(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, ctx := host.Session(r), r.Context()
			must(t, s.Set(ctx, "a", 1))
			begin(w)
			if err := s.Set(ctx, "late", 1); name != "nothing" && name != "other cookies" && !errors.Is(err, host.ErrSent) {
				t.Errorf("%s: a late change: %v", name, err)
			}
		})))
		res, err := http.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(res.Body); err != nil {
			t.Error(name, err)
		}
		server.Close()
		if vary := strings.Join(res.Header["Vary"], "+"); name == "a Vary" {
			if vary != "Accept, cookie" {
				t.Errorf("Vary %q", vary)
			}
			res.Header.Set("Vary", "Cookie") // as sent wants it
		}
		if key := sent(t, res); len(key) != 32 || !strings.HasPrefix(entries(t, h, key), "a=1") {
			t.Errorf("%s: %v", name, res.Header)
		}
	}
}

// A stream reaches the client while the handler runs, cookie first.
func TestStreaming(t *testing.T) {
	h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret})
	more := make(chan struct{})
	server := httptest.NewServer(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		must(t, host.Session(r).Set(r.Context(), "a", 1))
		fmt.Fprintln(w, "first")
		must(t, http.NewResponseController(w).Flush())
		<-more
		fmt.Fprintln(w, "second")
	})))
	defer server.Close()
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	if !lines.Scan() || lines.Text() != "first" || entries(t, h, sent(t, res)) != "a=1" {
		t.Errorf("%q %v", lines.Text(), res.Header)
	}
	close(more)
	if !lines.Scan() || lines.Text() != "second" {
		t.Errorf("%q", lines.Text())
	}
}

func TestHijack(t *testing.T) {
	h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret})
	server := httptest.NewServer(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		must(t, host.Session(r).Set(r.Context(), "a", 1))
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n")
		_ = w.Header().Write(c)
		fmt.Fprint(c, "\r\n")
	})))
	defer server.Close()
	req, _ := http.NewRequest("GET", server.URL, nil)
	req.Header.Set("Connection", "upgrade")
	req.Header.Set("Upgrade", "test")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if key := sent(t, res); res.StatusCode != 101 || entries(t, h, key) != "a=1" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	// A recorder has no connection to give.
	handle(h, "", func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
		if _, _, err := w.(http.Hijacker).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Error(err)
		}
		if err := w.(http.Pusher).Push("/a", nil); !errors.Is(err, http.ErrNotSupported) {
			t.Error(err)
		}
	})
}

// A panic passes on, and nothing is saved.
func TestPanic(t *testing.T) {
	h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret})
	before := entries(t, h, sessionKey("bob"))
	func() {
		defer func() {
			if p := recover(); p != http.ErrAbortHandler {
				t.Errorf("recovered %v", p)
			}
		}()
		handle(h, sessionKey("bob"), func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			must(t, s.Set(ctx, "a", 1))
			panic(http.ErrAbortHandler)
		})
	}()
	if after := entries(t, h, sessionKey("bob")); after != before {
		t.Errorf("saved: %s", after)
	}
}

// A logout elsewhere wins: nothing of the response is sent, and no session made.
func TestSessionVanished(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		h := newHost(t, config)
		for name, c := range map[string]struct {
			f    change
			want int
		}{
			"before the body": {func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Secret", "yes")
				w.Header().Set("Content-Length", "5")
				http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
				w.WriteHeader(201)
				if _, err := fmt.Fprint(w, "hello"); !errors.Is(err, host.ErrNotSaved) {
					t.Errorf("Write: %v", err)
				}
				if _, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("hello")); !errors.Is(err, host.ErrNotSaved) {
					t.Errorf("ReadFrom: %v", err)
				}
				if err := http.NewResponseController(w).Flush(); !errors.Is(err, host.ErrNotSaved) {
					t.Errorf("Flush: %v", err)
				}
				if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, host.ErrNotSaved) {
					t.Errorf("Hijack: %v", err)
				}
			}, 400},
			"without a body": {func(context.Context, *host.RequestSession, http.ResponseWriter, *http.Request) {}, 400},
			"on an error": {func(_ context.Context, _ *host.RequestSession, w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(502)
			}, 502},
		} {
			res := handle(h, "", func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
				must(t, s.Set(ctx, "a", 1))
			})
			key := sent(t, res)
			res = handle(h, key, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
				must(t, s.Set(ctx, "b", 1))
				db.exec(t, `DELETE FROM django_session WHERE session_key = '`+key+`'`)
				c.f(ctx, s, w, r)
			})
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != c.want || sent(t, res) != "" || res.Header.Get("Vary") != "Cookie" || bytes.Contains(body, []byte("hello")) {
				t.Errorf("%s: %d %v %q", name, res.StatusCode, res.Header, body)
			}
			if c.want == 400 && (res.Header.Get("X-Secret") != "" || res.Header.Get("Set-Cookie") != "" || res.Header.Get("Cache-Control") != "no-store") {
				t.Errorf("%s: the handler's headers: %v", name, res.Header)
			}
			if entries(t, h, key) != "" {
				t.Errorf("%s: the session is back", name)
			}
		}
	})
}

func TestDatabaseIsAwayAtTheResponse(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		h := newHost(t, config)
		outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Outer", "kept")
			h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				must(t, host.Session(r).Set(r.Context(), "a", 1))
				w.Header().Set("X-Inner", "dropped")
				db.fail(func(context.Context) error { return errors.New("connection refused") })
				fmt.Fprint(w, "hello")
			})).ServeHTTP(w, r)
		})
		res := serve(outer, request("bob"))
		db.fail(nil)
		if res.StatusCode != 503 || sent(t, res) != "" || res.Header.Get("X-Outer") != "kept" || res.Header.Get("X-Inner") != "" {
			t.Errorf("%d %v", res.StatusCode, res.Header)
		}
	})
}

// A client that went away does not leave a session half done.
func TestClientWentAway(t *testing.T) {
	h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret})
	ctx, cancel := context.WithCancel(t.Context())
	serve(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		must(t, host.Session(r).Set(r.Context(), "a", 1))
		cancel()
	})), request("bob").WithContext(ctx))
	if got := entries(t, h, sessionKey("bob")); !strings.HasSuffix(got, " a=1") {
		t.Errorf("stored: %s", got)
	}
}

// What is asked decides about Vary and the cookie, and costs no query more.
func TestVaryAndCookie(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		h := newHost(t, config)
		nothing := func(context.Context, *host.RequestSession, http.ResponseWriter, *http.Request) {}
		read := func(ctx context.Context, s *host.RequestSession, _ http.ResponseWriter, _ *http.Request) {
			_, _, _ = s.Get(ctx, "a")
		}
		who := func(ctx context.Context, _ *host.RequestSession, _ http.ResponseWriter, r *http.Request) {
			_, _ = host.User(r).Map(ctx)
		}
		clear := func(_ context.Context, s *host.RequestSession, _ http.ResponseWriter, _ *http.Request) {
			must(t, s.Clear())
		}
		for _, c := range []struct {
			name, cookie string
			f            change
			vary         bool
			sent         string
			trips        int64
		}{
			{"nothing, no cookie", "", nothing, false, "", 0},
			{"nothing", sessionKey("bob"), nothing, false, "", 0},
			{"nothing, unknown", sessionKey("unknown"), nothing, false, "", 0},
			{"nothing, no key", "short", nothing, true, "-", 0},
			{"read, no cookie", "", read, true, "", 0},
			{"read", sessionKey("bob"), read, true, "", 1},
			{"read, unknown", sessionKey("unknown"), read, true, "-", 1},
			{"user, no cookie", "", who, true, "", 0},
			{"user", sessionKey("bob"), who, true, "", 2},
			{"user, unknown", sessionKey("unknown"), who, true, "-", 1},
			{"clear, no cookie", "", clear, true, "", 0},
			{"clear", sessionKey("bob"), clear, true, sessionKey("bob"), 1},
		} {
			var res *http.Response
			trips := db.trips(func() { res = handle(h, c.cookie, c.f) })
			if got := sent(t, res); (res.Header.Get("Vary") == "Cookie") != c.vary || got != c.sent || trips != c.trips {
				t.Errorf("%s: Vary %q, cookie %q, %d round trips", c.name, res.Header["Vary"], got, trips)
			}
		}
		if res := handle(h, sessionKey("unknown"), clear); res.StatusCode != 400 { // as in Django, which does not look either
			t.Errorf("clear, unknown: %d", res.StatusCode)
		}
		db.fail(func(context.Context) error { return errors.New("connection refused") })
		defer db.fail(nil)
		if res := handle(h, sessionKey("bob"), read); res.Header.Get("Vary") != "Cookie" {
			t.Errorf("the answer was an error: %v", res.Header)
		}
	})
}

func TestLoginFromAHandler(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		config.PublicOrigins = []string{"https://example.com"}
		h := newHost(t, config)
		door := func(password, origin, cookie string) (*http.Response, error) {
			r := httptest.NewRequest("POST", "/login", strings.NewReader("a=b"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Cookie", "sessionid="+cookie)
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
			var err error
			return serve(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ctx := r.Context()
				must(t, host.Session(r).Set(ctx, "cart", 7))
				err = host.Login(w, r, "bob", password)
				name, _ := host.User(r).Get(ctx, "username")
				if err == nil {
					if raw, ok, err := host.Session(r).Raw(ctx, "cart"); name != "bob" || !ok || raw != "7" || err != nil {
						t.Errorf("after the login: %v, cart %q %v", name, raw, err)
					}
				} else if name != nil {
					t.Errorf("refused, and yet %v", name)
				}
			})), r), err
		}
		res, err := door("canary-wrong", "", "")
		var denied *gate.Denied
		if !errors.As(err, &denied) || denied.Reason != gate.ReasonBadCredentials || entries(t, h, sent(t, res)) != "cart=7" {
			t.Errorf("wrong password: %v %v", err, res.Header)
		}
		if _, err := door("canary-PASSWORD-of-bob", "https://evil.example", ""); !errors.As(err, &denied) || denied.Reason != gate.ReasonOriginMismatch {
			t.Errorf("a foreign page: %v", err)
		}
		anonymous := sent(t, res)
		res, err = door("canary-PASSWORD-of-bob", "https://example.com", anonymous)
		key := sent(t, res)
		if err != nil || len(key) != 32 || key == anonymous || entries(t, h, anonymous) != "" {
			t.Fatalf("login: %v %v", err, res.Header)
		}
		if d := bySession(h, key).Decision; d.Identity == nil || d.Identity.Name != "bob" {
			t.Errorf("after the login: %+v", d)
		}
		r := httptest.NewRequest("POST", "/logout", nil)
		r.Header.Set("Cookie", "sessionid="+key)
		res = serve(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			must(t, host.Logout(w, r))
			if ok, err := host.User(r).Authenticated(r.Context()); ok || err != nil {
				t.Errorf("after the logout: %v %v", ok, err)
			}
		})), r)
		if sent(t, res) != "-" || entries(t, h, key) != "" {
			t.Errorf("logout: %v", res.Header)
		}
		handle(h, "", func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			if err := host.Login(w, r, "bob", "x"); !errors.Is(err, host.ErrSent) {
				t.Errorf("a late login: %v", err)
			}
		})
		if err := host.Login(httptest.NewRecorder(), request(""), "bob", "x"); err == nil {
			t.Error("without the middleware")
		}
	})
}
