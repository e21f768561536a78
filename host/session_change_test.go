package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
)

// handle serves one request, with a cookie or without, by a handler that
// changes its session.
func handle(h *host.Host, cookie string, f func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request)) *http.Response {
	r := httptest.NewRequest("GET", "/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", "sessionid="+cookie)
	}
	return serve(h.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f(r.Context(), host.Session(r), w, r)
	})), r)
}

// entries is a stored session as "key=raw …".
func entries(t *testing.T, h *host.Host, cookie string) string {
	t.Helper()
	var text []string
	handle(h, cookie, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
		items, err := s.Items(ctx)
		if err != nil {
			t.Error(err)
		}
		for _, item := range items {
			text = append(text, item.Key+"="+item.Raw)
		}
	})
	return strings.Join(text, " ")
}

// sent is the session cookie of a response: "" without one, "-" when it is deleted.
func sent(t *testing.T, res *http.Response) string {
	t.Helper()
	key := ""
	for _, line := range res.Header["Set-Cookie"] {
		if rest, ok := strings.CutPrefix(line, "sessionid="); ok {
			if key != "" {
				t.Errorf("two session cookies: %q", res.Header["Set-Cookie"])
			}
			key, _, _ = strings.Cut(rest, ";")
			if key == `""` {
				key = "-"
			}
			if res.Header.Get("Vary") != "Cookie" {
				t.Errorf("a cookie with Vary %q", res.Header["Vary"])
			}
		}
	}
	return key
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

func TestSessionIsSaved(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		h := newHost(t, config)
		type values = map[string]any
		res := handle(h, "", func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			must(t,
				s.Set(ctx, "text", "Zoë <&> \u2028 😀"), s.Set(ctx, "int", 1<<40), s.Set(ctx, "float", 1.0), s.Set(ctx, "tiny", 1e-7),
				s.Set(ctx, "list", []any{true, nil, json.Number("2.50"), values{"b": 1, "a": "é"}}), s.SetRaw(ctx, "nan", " NaN"), s.Set(ctx, "gone", 1))
			must(t, s.Set(ctx, "text", "zwei"), s.Delete(ctx, "gone"), s.Delete(ctx, "never"))
			fmt.Fprint(w, "done")
		})
		key := sent(t, res)
		if len(key) != 32 || res.StatusCode != 200 {
			t.Fatalf("%d, cookie %q", res.StatusCode, key)
		}
		// As json.dumps has it.
		want := `text="zwei" int=1099511627776 float=1.0 tiny=1e-07 list=[true,null,2.5,{"a":"\u00e9","b":1}] nan=NaN`
		if got := entries(t, h, key); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		res = handle(h, key, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			keys, err := s.Keys(ctx)
			if want := []string{"text", "int", "float", "tiny", "list", "nan"}; !reflect.DeepEqual(keys, want) || err != nil {
				t.Errorf("%q %v", keys, err)
			}
			list, _, _ := s.Get(ctx, "list")
			list.([]any)[0] = "changed inside" // which nobody notices, as in Django
		})
		if sent(t, res) != "" || res.Header.Get("Vary") != "Cookie" {
			t.Errorf("read: %v", res.Header)
		}
		if got := entries(t, h, key); got != want {
			t.Errorf("after a change inside: %s", got)
		}
		res = handle(h, key, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			must(t, s.Clear(), s.Set(ctx, "new", 1))
		})
		if sent(t, res) != key || entries(t, h, key) != "new=1" {
			t.Errorf("cleared: %v, %s", res.Header, entries(t, h, key))
		}
		var moved string
		res = handle(h, key, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			must(t, s.Set(ctx, "two", 2), s.CycleKey(ctx), s.Set(ctx, "three", 3))
		})
		if moved = sent(t, res); moved == key || entries(t, h, moved) != "new=1 two=2 three=3" || entries(t, h, key) != "" {
			t.Errorf("cycled: %v", res.Header)
		}
		res = handle(h, moved, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			must(t, s.Set(ctx, "lost", 1), s.Flush(ctx))
			if items, err := s.Items(ctx); len(items) > 0 || err != nil {
				t.Error(items, err)
			}
		})
		if sent(t, res) != "-" || entries(t, h, moved) != "" {
			t.Errorf("flushed: %v", res.Header)
		}
		res = handle(h, moved, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			must(t, s.Flush(ctx), s.Set(ctx, "again", 1))
		})
		if again := sent(t, res); again == moved || entries(t, h, again) != "again=1" {
			t.Errorf("flushed and filled: %v", res.Header)
		}
	})
}

// What was not touched keeps its text, and its login.
func TestUntouchedEntriesKeepTheirText(t *testing.T) {
	db := openSQLite(t)
	h := newHost(t, host.Config{DB: db, SecretKey: secret})
	before := entries(t, h, sessionKey("bob"))
	handle(h, sessionKey("bob"), func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
		must(t, s.Set(ctx, "new", true))
	})
	if got := entries(t, h, sessionKey("bob")); got != before+" new=true" {
		t.Errorf("got %s, before %s", got, before)
	}
	if d := check(h, "bob").Decision; d.Outcome != gate.Allow {
		t.Errorf("%+v", d)
	}
}

func TestSessionRefusesWhatPythonCannotRead(t *testing.T) {
	h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret})
	res := handle(h, "", func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
		for name, err := range map[string]error{
			"NaN": s.Set(ctx, "a", math.NaN()), "channel": s.Set(ctx, "a", make(chan int)), "no JSON": s.SetRaw(ctx, "a", "{"),
			"two values": s.SetRaw(ctx, "a", "1 2"), "deep": s.SetRaw(ctx, "a", strings.Repeat("[", 300)+strings.Repeat("]", 300)),
			"fraction": s.SetExpiry(ctx, time.Millisecond), "year": s.SetExpiryDate(ctx, time.Date(10000, 1, 2, 0, 0, 0, 0, time.UTC)),
		} {
			if err == nil {
				t.Errorf("%s was taken", name)
			}
		}
	})
	if res.StatusCode != 200 || sent(t, res) != "" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}

func TestSessionExpiry(t *testing.T) {
	set := func(config host.Config, f func(ctx context.Context, s *host.RequestSession) error) (cookie, stored string) {
		config.DB, config.SecretKey = openSQLite(t), secret
		h := newHost(t, config)
		res := handle(h, "", func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			must(t, f(ctx, s))
		})
		return res.Header.Get("Set-Cookie"), entries(t, h, sent(t, res))
	}
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	for name, c := range map[string]struct {
		config         host.Config
		f              func(ctx context.Context, s *host.RequestSession) error
		cookie, stored string
	}{
		"seconds":       {host.Config{}, func(ctx context.Context, s *host.RequestSession) error { return s.SetExpiry(ctx, time.Minute) }, "; Max-Age=60; ", "_session_expiry=60"},
		"browser close": {host.Config{}, func(ctx context.Context, s *host.RequestSession) error { return s.SetExpiry(ctx, 0) }, "; HttpOnly; Path=/", "_session_expiry=0"},
		"date": {host.Config{}, func(ctx context.Context, s *host.RequestSession) error { return s.SetExpiryDate(ctx, at) },
			"; Max-Age=359", `_session_expiry="` + at.Format("2006-01-02T15:04:05") + `+00:00"`},
		"date with a fraction": {host.Config{}, func(ctx context.Context, s *host.RequestSession) error {
			return s.SetExpiryDate(ctx, at.Add(1500*time.Microsecond))
		}, "; Max-Age=3", `_session_expiry="` + at.Format("2006-01-02T15:04:05") + `.001500+00:00"`},
		"date of a clock in Kathmandu": {host.Config{NotUseTZ: true, TimeZone: "Asia/Kathmandu"}, func(ctx context.Context, s *host.RequestSession) error {
			return s.SetExpiryDate(ctx, at)
		}, "; Max-Age=359", `_session_expiry="` + at.Add(5*time.Hour+45*time.Minute).Format("2006-01-02T15:04:05") + `"`},
		"reset": {host.Config{}, func(ctx context.Context, s *host.RequestSession) error {
			return errors.Join(s.SetExpiry(ctx, time.Second), s.ResetExpiry(ctx), s.Set(ctx, "a", 1))
		}, "; Max-Age=1209600; ", "a=1"},
	} {
		cookie, stored := set(c.config, c.f)
		if !strings.Contains(cookie, c.cookie) || stored != c.stored {
			t.Errorf("%s: %s, stored %s, want %s", name, cookie, stored, c.stored)
		}
	}
	h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret, DjangoVersion: "4.0"})
	handle(h, "", func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
		if err := s.SetExpiryDate(ctx, at); err == nil {
			t.Error("Django 4.0 stored a date")
		}
	})
}

func TestSaveEveryRequest(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		config.SessionSaveEveryRequest = true
		h := newHost(t, config)
		nothing := func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {}
		if res := handle(h, "", nothing); sent(t, res) != "" || res.Header.Get("Vary") != "" {
			t.Errorf("without a session: %v", res.Header)
		}
		before := entries(t, h, sessionKey("bob"))
		db.exec(t, `UPDATE django_session SET expire_date = '2126-01-01 00:00:00'`)
		if res := handle(h, sessionKey("bob"), nothing); sent(t, res) != sessionKey("bob") {
			t.Errorf("with a session: %v", res.Header)
		}
		if n := column(t, db, `SELECT count(*) FROM django_session WHERE expire_date < '2100-01-01 00:00:00'`); n.Int() != 1 {
			t.Errorf("%v sessions have a new date", n)
		}
		if got := entries(t, h, sessionKey("bob")); got != before {
			t.Errorf("got %s, before %s", got, before)
		}
	})
}

// Many goroutines of one request, and then many requests of one session: every
// change of the first is there, and of the others all of the last.
func TestConcurrentChanges(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		h := newHost(t, config)
		res := handle(h, "", func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() { must(t, s.Set(ctx, fmt.Sprint("k", i), i)) })
			}
			wg.Wait()
		})
		key := sent(t, res)
		if got := strings.Fields(entries(t, h, key)); len(got) != 20 {
			t.Errorf("%d entries", len(got))
		}
		both := make(chan struct{})
		var wg sync.WaitGroup
		done := []chan struct{}{make(chan struct{}), make(chan struct{})}
		for i := range 2 {
			wg.Go(func() {
				handle(h, key, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
					must(t, s.Delete(ctx, "k0"), s.Set(ctx, fmt.Sprint("writer", i), i))
					if i == 0 {
						<-both
					} else {
						close(both)
						<-done[0] // the other one is saved first
					}
				})
				close(done[i])
			})
		}
		wg.Wait()
		if got := entries(t, h, key); !strings.Contains(got, "writer1=1") || strings.Contains(got, "writer0") || strings.Contains(got, "k0=") {
			t.Errorf("the last writer did not win: %s", got)
		}
	})
}

func TestSessionBehindRequire(t *testing.T) {
	h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret})
	change := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := host.Session(r).Set(r.Context(), "a", 1); err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
		}
	})
	if res := serve(h.Require(gate.Authenticated, change), request("bob")); res.StatusCode != 418 {
		t.Errorf("alone: %d", res.StatusCode)
	}
	if res := serve(h.Middleware(h.Require(gate.Authenticated, h.Middleware(change))), request("bob")); res.StatusCode != 200 || sent(t, res) != sessionKey("bob") {
		t.Errorf("inside of the middleware: %d %v", res.StatusCode, res.Header)
	}
	if got := entries(t, h, sessionKey("bob")); !strings.HasSuffix(got, " a=1") {
		t.Errorf("stored: %s", got)
	}
}

// cache is a storage in memory, without expiry, that honours its context.
type cache struct {
	mu     sync.Mutex
	values map[string]djsession.StorageResult
}

func (c *cache) Storage(ctx context.Context, op djsession.StorageOp) (result djsession.StorageResult, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return result, err
	}
	result, there := c.values[op.Key]
	switch op.Kind {
	case djsession.CacheSet, djsession.CacheAdd:
		if there && op.Kind == djsession.CacheAdd {
			return djsession.StorageResult{}, nil
		}
		c.values[op.Key] = djsession.StorageResult{Found: true, Value: op.Value, Flags: op.Flags}
		return djsession.StorageResult{Found: true}, nil
	case djsession.CacheDelete:
		delete(c.values, op.Key)
	}
	return result, nil
}

func (c *cache) Close() error { return nil }

// leaving is a database whose client goes away right after a session's row was deleted.
type leaving struct {
	*database
	leave func()
}

func (db *leaving) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	results, err := db.database.Query(ctx, atomic, statements...)
	for _, s := range statements {
		if s.Name == "session_delete" && db.leave != nil {
			db.leave()
		}
	}
	return results, err
}

// A client that goes away leaves no session in the cache that has ended, by an
// operation that goes on without it, or one that does so once it wrote.
func TestClientGoesAway(t *testing.T) {
	for name, engine := range engines {
		for _, op := range []abi.Op{
			{Kind: abi.OpLogout},
			{Kind: abi.OpSessionFlush},
			{Kind: abi.OpSessionCycle},
			{Kind: abi.OpChangePassword, Password: "canary-NEW-of-bob"},
			{Kind: abi.OpLogin, Username: "carol", Password: "canary-PASSWORD-of-carol"}, // flushes bob's
		} {
			t.Run(fmt.Sprint(name, "/", op.Kind), func(t *testing.T) {
				db, stored := &leaving{database: openSQLite(t)}, &cache{values: map[string]djsession.StorageResult{}}
				h := newHost(t, host.Config{DB: db, SecretKey: secret, SessionEngine: "cached_db", Storage: stored, Engine: engine()})
				key := login(h, "bob", "canary-PASSWORD-of-bob").SessionKey
				entry := ":1:django.contrib.sessions.cached_db" + key
				if _, ok := stored.values[entry]; key == "" || !ok {
					t.Fatalf("session %q, entries %d", key, len(stored.values))
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				db.leave = cancel
				r := httptest.NewRequest("POST", "/", nil)
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Cookie", "sessionid="+key)
				op.Request = h.Summary(r)
				result := h.Do(ctx, &op)
				if ctx.Err() == nil || result.Decision.Outcome != gate.Allow {
					t.Errorf("gone %v: %+v", ctx.Err(), result.Decision)
				}
				if _, ok := stored.values[entry]; ok {
					t.Error("the session is still in the cache")
				}
			})
		}
	}
}
