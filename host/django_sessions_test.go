package host_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/build/compat/record"
	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/files"
	"github.com/djedge/djedge/host/internal/testservers"
	"github.com/djedge/djedge/host/memcached"
	"github.com/djedge/djedge/host/redis"
	"github.com/djedge/djedge/host/sqldb"
)

// sessionProgram is a Django that does what each line of its input says.
const sessionProgram = `
import datetime, json, os, sys, time
from importlib import import_module
from django.conf import settings
settings.configure(**json.loads(sys.argv[1]))
os.environ["TZ"] = settings.TIME_ZONE # as a settings module does
time.tzset()
import django
django.setup()
Store = import_module(settings.SESSION_ENGINE).SessionStore
data = {"_auth_user_id": "1", "n": 3, "f": 1.5, "whole": 1.0, "big": 2**70, "none": None, "t": True, "l": [1, "\u00e9", {"k": []}], "\u00e9": "\u20ac\U0001f600"}
typed = {"tuple": (1, "a"), "bytes": b"\x00\xff", "set": {1}, "when": datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.timezone.utc), "keys": {1: None}}
for line in sys.stdin:
    a = json.loads(line)
    s, answer = Store(a.get("key")), {}
    try:
        if a["do"] == "write":
            s.update(data)
            if a.get("typed"): s.update(typed)
            if "expiry" in a: s.set_expiry(a["expiry"])
            s.save()
        elif a["do"] == "change":
            s["python"] = a["value"]
            s.save()
        elif a["do"] == "cycle":
            s.cycle_key()
        elif a["do"] == "delete":
            s.delete()
            s = Store()
        elif a["do"] == "expiry":
            modified = datetime.datetime.fromisoformat(a["modified"])
            if a.get("expiry") is not None: s["_session_expiry"] = a["expiry"]
            answer["date"] = s.get_expiry_date(modification=modified)
            if isinstance(answer["date"], str): answer["date"] = datetime.datetime.fromisoformat(answer["date"])
            answer["date"] = answer["date"].isoformat()
            answer["age"] = s.get_expiry_age(modification=modified)
        if a["do"] != "expiry":
            answer["repr"] = repr(sorted(s.items(), key=repr))
            answer["key"] = s.session_key
            try: answer["items"] = [[k, json.dumps(v, separators=(",", ":"))] for k, v in s.items()]
            except TypeError: pass
    except Exception as e:
        answer["error"] = type(e).__name__
    print(json.dumps(answer), flush=True)
`

// pythonSessions is a running sessionProgram.
type pythonSessions struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

type sessionRequest struct {
	Do       string `json:"do"`
	Key      string `json:"key,omitempty"`
	Value    int    `json:"value,omitempty"`
	Typed    bool   `json:"typed,omitempty"`
	Expiry   any    `json:"expiry,omitempty"`
	Modified string `json:"modified,omitempty"`
}

type sessionAnswer struct {
	Key, Repr, Error, Date string
	Items                  [][2]string
	Age                    float64
}

func startPython(t *testing.T, venv string, settings map[string]any) *pythonSessions {
	t.Helper()
	python := testservers.Component(t, venv+"/bin/python")
	encoded, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-W", "ignore", "-c", sessionProgram, string(encoded))
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // which ends it
		_ = cmd.Wait()
	})
	return &pythonSessions{t, in, bufio.NewScanner(out)}
}

func (p *pythonSessions) do(r sessionRequest) (answer sessionAnswer) {
	p.t.Helper()
	line, err := json.Marshal(r)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		p.t.Fatal(err)
	}
	if !p.out.Scan() {
		p.t.Fatal("Django has ended")
	}
	if err := json.Unmarshal(p.out.Bytes(), &answer); err != nil {
		p.t.Fatal(err)
	}
	return answer
}

// siteEffects are this machine's clock, randomness, database and storage.
type siteEffects struct {
	storage host.Storage
	db      *sqldb.DB
}

func (siteEffects) Now() time.Time { return time.Now().UTC() }

func (siteEffects) Random(_ context.Context, n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := rand.Read(b)
	return b, err
}

func (fx siteEffects) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	return fx.db.Query(ctx, atomic, statements...)
}

func (fx siteEffects) Storage(ctx context.Context, op djsession.StorageOp) (djsession.StorageResult, error) {
	return fx.storage.Storage(ctx, op)
}

const sessionSecret = "a secret of the site's own \u00e9"

// sessionSite is one kind of site: Django's settings and ours.
type sessionSite struct {
	name   string
	venv   string
	django map[string]any
	set    djsession.Settings
	open   func(t *testing.T) host.Storage
	// typed: values that JSON cannot say survive.
	typed bool
}

func TestDjangoSessions(t *testing.T) {
	for _, site := range sessionSites(t) {
		t.Run(site.name, func(t *testing.T) {
			t.Parallel()
			site.test(t)
		})
	}
}

// start runs the Django and opens the same sessions here.
func (site sessionSite) start(t *testing.T) (*pythonSessions, *djsession.Store, siteEffects) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db.sqlite3")
	fx := siteEffects{}
	var err error
	if fx.db, err = sqldb.CreateSQLite(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fx.db.Close() })
	if err := sqldb.CreateDjangoSchema(t.Context(), fx.db); err != nil {
		t.Fatal(err)
	}
	all := map[string]any{
		"SECRET_KEY": sessionSecret, "USE_TZ": true, "INSTALLED_APPS": []string{"django.contrib.sessions"},
		"DATABASES":      map[string]any{"default": map[string]string{"ENGINE": "django.db.backends.sqlite3", "NAME": path}},
		"SESSION_ENGINE": "django.contrib.sessions.backends." + string(site.set.Engine),
	}
	for name, value := range site.django {
		all[name] = value
	}
	python := startPython(t, site.venv, all)
	if site.open != nil {
		fx.storage = site.open(t)
	}
	site.set.Dialect, site.set.Keys = query.SQLite, signing.DeriveKeys("", sessionSecret, nil)
	store, err := djsession.New(site.set)
	if err != nil {
		t.Fatal(err)
	}
	return python, store, fx
}

// test: each side reads, changes, moves and ends what the other wrote.
func (site sessionSite) test(t *testing.T) {
	python, store, fx := site.start(t)
	record.Passed(t, site.cell(t, store))
	inCookie := store.Engine() == djsession.EngineSignedCookies
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	load := func(key string) *djsession.Session {
		t.Helper()
		sess, err := store.Load(t.Context(), fx, key)
		check(err)
		if sess.Err() != nil || sess.CacheErr() != nil {
			t.Fatalf("%v, %v", sess.Err(), sess.CacheErr())
		}
		return sess
	}
	same := func(sess *djsession.Session, want sessionAnswer) {
		t.Helper()
		if want.Error != "" || sess.Len() != len(want.Items) || sess.Len() == 0 {
			t.Fatalf("here %+v, in Django %+v", sess.Items(), want)
		}
		for i, item := range sess.Items() {
			raw, err := pyjson.Canonical(item.Raw) // django-redis writes JSON with blanks
			if err != nil || item.Key != want.Items[i][0] || raw != want.Items[i][1] {
				t.Errorf("entry %d: here %+v, in Django %q", i, item, want.Items[i])
			}
		}
	}

	// Django writes; we read, change and move; Django reads.
	written := python.do(sessionRequest{Do: "write"})
	sess := load(written.Key)
	same(sess, written)
	sess.Set("go", "[1.0,NaN]")
	check(store.Save(t.Context(), fx, sess))
	same(sess, python.do(sessionRequest{Do: "read", Key: sess.Key()}))
	old := sess.Key()
	check(store.CycleKey(t.Context(), fx, sess))
	same(sess, python.do(sessionRequest{Do: "read", Key: sess.Key()}))
	if got := python.do(sessionRequest{Do: "read", Key: old}); got.Repr != "[]" && !inCookie {
		t.Errorf("the old key still works: %+v", got)
	}

	// Django changes and moves; we read.
	changed := python.do(sessionRequest{Do: "change", Key: sess.Key(), Value: 7})
	same(load(changed.Key), changed)
	moved := python.do(sessionRequest{Do: "cycle", Key: changed.Key})
	same(load(moved.Key), python.do(sessionRequest{Do: "read", Key: moved.Key}))

	if site.typed {
		written := python.do(sessionRequest{Do: "write", Typed: true})
		sess := load(written.Key)
		sess.Set("n", "3")
		check(store.Save(t.Context(), fx, sess))
		if got := python.do(sessionRequest{Do: "read", Key: sess.Key()}); got.Repr != written.Repr {
			t.Errorf("written %s\nrewritten %s", written.Repr, got.Repr)
		}
	}
	if inCookie {
		return
	}

	// Whoever ends a session, it has ended for the other.
	if got := load(changed.Key); got.Key() != "" {
		t.Error("the key that Django left still works")
	}
	late := load(moved.Key)
	python.do(sessionRequest{Do: "delete", Key: moved.Key})
	if err := store.Save(t.Context(), fx, late); !errors.Is(err, djsession.ErrUpdate) || load(moved.Key).Key() != "" {
		t.Errorf("a save after Django's logout: %v", err)
	}
	check(store.Flush(t.Context(), fx, sess))
	if got := python.do(sessionRequest{Do: "read", Key: old}); got.Repr != "[]" {
		t.Errorf("Django reads an ended session: %+v", got)
	}
	ended := python.do(sessionRequest{Do: "write"})
	check(store.Delete(t.Context(), fx, ended.Key))
	if got := python.do(sessionRequest{Do: "change", Key: ended.Key}); got.Error != "UpdateError" && got.Key == ended.Key {
		t.Errorf("Django brings an ended session back: %+v", got)
	}
	// Expired is expired.
	if short := python.do(sessionRequest{Do: "write", Expiry: -1800}); load(short.Key).Key() != "" {
		t.Error("a session that Django wrote as expired lives")
	}
	if long := python.do(sessionRequest{Do: "write", Expiry: 1800}); load(long.Key).Key() != long.Key {
		t.Error("a session that expires in half an hour is gone")
	}
}

func sessionSites(t *testing.T) (sites []sessionSite) {
	for _, release := range []string{"2.2", "3.2", "4.2", "5.2", "6.0", "6.1"} {
		v, err := version.Parse(release)
		if err != nil {
			t.Fatal(err)
		}
		venv := "django" + strings.ReplaceAll(release, ".", "")
		folder := t.TempDir()
		sites = append(sites,
			sessionSite{name: "signed_cookies " + release, venv: venv, set: djsession.Settings{Engine: djsession.EngineSignedCookies, Version: v}},
			sessionSite{name: "file " + release, venv: venv, set: djsession.Settings{Engine: djsession.EngineFile, Version: v},
				django: map[string]any{"SESSION_FILE_PATH": folder}, open: func(t *testing.T) host.Storage {
					storage, err := files.Open(folder)
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { _ = storage.Close() })
					return storage
				}},
		)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	sites = append(sites, sessionSite{name: "db USE_TZ off", venv: "django52", django: map[string]any{"USE_TZ": false, "TIME_ZONE": "Europe/Berlin"},
		set: djsession.Settings{Engine: djsession.EngineDB, Zone: berlin}})
	return append(sites, cacheSites(t)...)
}

// cacheSites are cache and cached_db with every format, on servers of their own.
func cacheSites(t *testing.T) (sites []sessionSite) {
	type format struct {
		name    string
		cache   djsession.Cache
		backend string
		options map[string]any
	}
	const djangoRedis = "django_redis.cache.RedisCache"
	zlib := "django_redis.compressors.zlib.ZlibCompressor"
	inJSON := "django_redis.serializers.json.JSONSerializer"
	formats := []format{
		{"redis", djsession.Cache{KeyPrefix: "a"}, "django.core.cache.backends.redis.RedisCache", nil},
		{"django-redis", djsession.Cache{Format: djsession.CacheDjangoRedis, KeyPrefix: "b", Version: 7}, djangoRedis, nil},
		{"django-redis json", djsession.Cache{Format: djsession.CacheDjangoRedis, KeyPrefix: "c", Serializer: "json"}, djangoRedis, map[string]any{"SERIALIZER": inJSON}},
		{"django-redis zlib", djsession.Cache{Format: djsession.CacheDjangoRedis, KeyPrefix: "d", Compressor: "zlib"}, djangoRedis, map[string]any{"COMPRESSOR": zlib}},
		{"memcached", djsession.Cache{Format: djsession.CacheMemcached, KeyPrefix: "e"}, "django.core.cache.backends.memcached.PyMemcacheCache", nil},
	}
	redisURL, memcachedAddr := "", ""
	t.Run("servers", func(t *testing.T) {
		testservers.Component(t, "caches/bin/python")
		testservers.Component(t, "valkey/valkey-server")
		testservers.Component(t, "memcached/usr/bin/memcached")
		redisURL, memcachedAddr = "wanted", "wanted"
	})
	if redisURL == "" {
		return nil // and skipped by name, or failed
	}
	if redisURL = os.Getenv("DJEDGE_TEST_REDIS"); redisURL == "" {
		redisURL = "redis://" + testservers.Redis(t, "valkey").Addr
	}
	memcachedAddr = testservers.MemcachedAddr(t)
	for _, f := range formats {
		location := redisURL
		open := func(t *testing.T) host.Storage {
			storage, err := redis.Open(t.Context(), redisURL)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = storage.Close() })
			return storage
		}
		if f.cache.Format == djsession.CacheMemcached {
			location = memcachedAddr
			open = func(t *testing.T) host.Storage {
				storage, err := memcached.Open(t.Context(), memcachedAddr)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = storage.Close() })
				return storage
			}
		}
		backend := map[string]any{"BACKEND": f.backend, "LOCATION": location, "KEY_PREFIX": f.cache.KeyPrefix}
		if f.cache.Version != 0 {
			backend["VERSION"] = f.cache.Version
		}
		if f.options != nil {
			backend["OPTIONS"] = f.options
		}
		for _, engine := range []djsession.Engine{djsession.EngineCache, djsession.EngineCachedDB} {
			sites = append(sites, sessionSite{
				name: string(engine) + " " + f.name, venv: "caches", open: open,
				django: map[string]any{"CACHES": map[string]any{"default": backend}},
				set:    djsession.Settings{Engine: engine, Cache: f.cache},
				typed:  engine == djsession.EngineCache && f.cache.Serializer != "json",
			})
		}
	}
	return sites
}

// Without USE_TZ Django counts on the site's clock, also where that jumps.
func TestDjangoExpiryWithoutUseTZ(t *testing.T) {
	for _, name := range []string{"America/Chicago", "Europe/Berlin", "Australia/Lord_Howe"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		site := sessionSite{venv: "django52", django: map[string]any{"USE_TZ": false, "TIME_ZONE": name},
			set: djsession.Settings{Engine: djsession.EngineDB, Zone: zone}}
		python, store, _ := site.start(t)
		for _, expiry := range []any{nil, 0, 60, 86400 * 30, 0.5, -3, "2026-07-01T10:00:00.000001", "2026-12-01T10:00:00", "2026-07-01T10:00:00+00:00"} {
			for _, modified := range []string{"2026-01-01T00:00:00", "2026-03-20T12:00:00.250000", "2026-10-20T12:00:00", "2026-07-01T09:59:59.999999"} {
				want := python.do(sessionRequest{Do: "expiry", Expiry: expiry, Modified: modified})
				sess := djsession.NewSession("")
				if expiry != nil {
					raw, _ := json.Marshal(expiry)
					sess.Set("_session_expiry", string(raw))
				}
				now, err := time.ParseInLocation("2006-01-02T15:04:05.999999", modified, zone)
				if err != nil {
					t.Fatal(err)
				}
				date, err := store.ExpiryDate(sess, now)
				age, ageErr := store.ExpirySeconds(sess, now)
				if failed := want.Error != ""; failed || err != nil || ageErr != nil {
					if !failed || err == nil || ageErr == nil {
						t.Errorf("%s: expiry %v from %s: %v, %v, in Django %+v", name, expiry, modified, err, ageErr, want)
					}
					continue
				}
				stored := store.Time(date).Text()
				if got, want := strings.Replace(stored, " ", "T", 1), strings.Replace(want.Date, " ", "T", 1); got != want {
					t.Errorf("%s: expiry %v from %s: %s, in Django %s", name, expiry, modified, got, want)
				}
				if age != want.Age {
					t.Errorf("%s: age %v from %s: %v, in Django %v", name, expiry, modified, age, want.Age)
				}
			}
		}
	}
}
