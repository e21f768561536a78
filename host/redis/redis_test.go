package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/host/internal/testservers"
)

func open(t *testing.T, servers string) *DB {
	t.Helper()
	db, err := Open(t.Context(), servers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func do(t *testing.T, db *DB, op djsession.StorageOp) djsession.StorageResult {
	t.Helper()
	result, err := db.Storage(t.Context(), op)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func forEach(t *testing.T, f func(t *testing.T, url string, db *DB)) {
	for name, url := range testservers.RedisURLs(t) {
		t.Run(name, func(t *testing.T) { f(t, url, open(t, url)) })
	}
}

// binary holds every byte.
var binary = func() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}()

func TestStorage(t *testing.T) {
	forEach(t, func(t *testing.T, _ string, db *DB) {
		key := fmt.Sprintf(":1:test %d\x00é", time.Now().UnixNano())
		get := djsession.StorageOp{Kind: djsession.CacheGet, Key: key}
		set := djsession.StorageOp{Kind: djsession.CacheSet, Key: key, Value: binary, TTL: 1209600 * time.Second}
		add := djsession.StorageOp{Kind: djsession.CacheAdd, Key: key, Value: "added", TTL: time.Hour}
		remove := djsession.StorageOp{Kind: djsession.CacheDelete, Key: key}
		expired := func(op djsession.StorageOp, ttl time.Duration) djsession.StorageOp { op.TTL = ttl; return op }
		is := func(op djsession.StorageOp, found bool, value string) {
			t.Helper()
			if r := do(t, db, op); r != (djsession.StorageResult{Found: found, Value: value}) {
				t.Errorf("%v: %v", op, r)
			}
		}
		lives := func(want time.Duration) {
			t.Helper()
			if ttl := db.writer.TTL(t.Context(), key).Val(); ttl != want {
				t.Errorf("lives %v, want %v", ttl, want)
			}
		}
		is(get, false, "")
		is(remove, false, "")
		is(set, true, "")
		is(get, true, binary)
		lives(1209600 * time.Second)
		is(add, false, "")
		is(get, true, binary)
		is(expired(add, 0), false, "")
		is(get, true, binary) // as with Django, which tries SET NX first
		is(expired(set, 1999*time.Millisecond), true, "")
		lives(time.Second)
		for _, ttl := range []time.Duration{0, -time.Hour, 999 * time.Millisecond} {
			is(set, true, "")
			is(expired(set, ttl), true, "")
			is(get, false, "")
			is(expired(add, ttl), true, "")
			is(get, false, "")
		}
		is(add, true, "")
		is(get, true, "added")
		lives(time.Hour)
		is(remove, true, "")
		is(get, false, "")
		if _, err := db.Storage(t.Context(), djsession.StorageOp{Kind: djsession.FileGet, Key: key}); err == nil {
			t.Error("a cache answered for files")
		}
	})
}

const caches = `
import json, sys
from django.conf import settings
settings.configure(CACHES={"default": json.loads(sys.argv[1])}, SECRET_KEY="x", SESSION_ENGINE="django.contrib.sessions.backends.cache")
import django
django.setup()
from django.core.cache import cache
from django.contrib.sessions.backends.cache import SessionStore
args = sys.argv[2:]
`

// What Django puts there comes out byte by byte, and the other way round.
func TestDjango(t *testing.T) {
	forEach(t, func(t *testing.T, url string, db *DB) {
		for name, backend := range map[string]string{
			"RedisCache":        `{"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": %q}`,
			"django-redis":      `{"BACKEND": "django_redis.cache.RedisCache", "LOCATION": %q, "KEY_PREFIX": "dr"}`,
			"django-redis zlib": `{"BACKEND": "django_redis.cache.RedisCache", "LOCATION": %q, "KEY_PREFIX": "zlib", "OPTIONS": {"COMPRESSOR": "django_redis.compressors.zlib.ZlibCompressor"}}`,
			"django-redis json": `{"BACKEND": "django_redis.cache.RedisCache", "LOCATION": %q, "KEY_PREFIX": "json", "OPTIONS": {"SERIALIZER": "django_redis.serializers.json.JSONSerializer"}}`,
		} {
			config := fmt.Sprintf(backend, url)
			// Django says what it stored, by its own serializer, and under what name.
			out := testservers.Django(t, caches+`
s = SessionStore()
s["name"] = "Zoé"
s["n"] = [1, 2**70, None]
s.create()
value = dict(s.items())
if hasattr(cache, "_cache"):
    raw = cache._cache._serializer.dumps(value)
else:
    raw = cache.client.encode(value)
cache.set("number", 7, 100)
print(cache.make_key(s.cache_key), raw.hex(), s.session_key, cache.make_key("number"))
`, config)
			f := strings.Fields(out)
			if len(f) != 4 {
				t.Fatalf("%s: %q", name, out)
			}
			got := do(t, db, djsession.StorageOp{Kind: djsession.CacheGet, Key: f[0]})
			if raw := fmt.Sprintf("%x", got.Value); !got.Found || raw != f[1] {
				t.Errorf("%s: found %v: %s, want %s", name, got.Found, raw, f[1])
			}
			if n := do(t, db, djsession.StorageOp{Kind: djsession.CacheGet, Key: f[3]}); name != "django-redis json" && n.Value != "7" {
				t.Errorf("%s: a number is %q", name, n.Value)
			}
			copied := strings.Replace(f[0], f[2], "copy"+f[2][4:], 1)
			for _, kind := range []djsession.StorageKind{djsession.CacheAdd, djsession.CacheSet} {
				if r := do(t, db, djsession.StorageOp{Kind: kind, Key: copied, Value: got.Value, TTL: 1209600 * time.Second}); !r.Found {
					t.Errorf("%s: not stored", name)
				}
			}
			out = testservers.Django(t, caches+`
s = SessionStore(args[0])
print(s["name"], s["n"] == [1, 2**70, None], cache.add(s.cache_key, {}, 10))
s.delete()
`, config, "copy"+f[2][4:])
			if out != "Zoé True False" {
				t.Errorf("%s: Django reads %s", name, out)
			}
			if do(t, db, djsession.StorageOp{Kind: djsession.CacheGet, Key: copied}).Found {
				t.Errorf("%s: what Django deleted is there", name)
			}
		}
	})
}

// The first server is written to, and the others are read from.
func TestReplica(t *testing.T) {
	writer := testservers.Redis(t, "valkey", "--repl-diskless-sync-delay", "0")
	host, port, _ := net.SplitHostPort(writer.Addr)
	reader := testservers.Redis(t, "valkey", "--replicaof", host+" "+port)
	w := open(t, "redis://"+writer.Addr)
	both := open(t, "redis://"+writer.Addr+"/0;redis://"+reader.Addr+"/0, redis://"+reader.Addr)
	set := djsession.StorageOp{Kind: djsession.CacheSet, Key: "k", Value: "1", TTL: time.Hour}
	do(t, both, set)
	if !do(t, w, djsession.StorageOp{Kind: djsession.CacheGet, Key: "k"}).Found {
		t.Error("not written to the first server")
	}
	for start := time.Now(); !do(t, both, djsession.StorageOp{Kind: djsession.CacheGet, Key: "k"}).Found; time.Sleep(20 * time.Millisecond) {
		if time.Since(start) > 20*time.Second {
			t.Fatal("the replica never had it")
		}
	}
	reader.Stop()
	if _, err := both.Storage(t.Context(), djsession.StorageOp{Kind: djsession.CacheGet, Key: "k"}); err == nil {
		t.Error("a get did not go to a replica")
	}
	do(t, both, set)
}

func TestSocketPasswordAndDatabase(t *testing.T) {
	for _, program := range []string{"valkey", "redis"} {
		s := testservers.Redis(t, program, "--requirepass", "canary-7f3a")
		front := testservers.TLS(t, s.Addr)
		for url, works := range map[string]bool{
			"rediss://:canary-7f3a@" + front + "/3?skip_verify=true": true,
			"rediss://:canary-7f3a@" + front + "/3":                  false, // nobody has signed its certificate
			"redis://:canary-7f3a@" + s.Addr + "/3":                  true,
			"redis://default:canary-7f3a@" + s.Addr + "?db=3":        true,
			"unix://:canary-7f3a@" + s.Dir + "/s?db=3":               true,
			"redis://" + s.Addr:                                      false,
			"redis://:canary-7f3a-not@" + s.Addr:                     false,
			"redis://:canary-7f3a@" + s.Addr + "/99":                 false,
			"rediss://:canary-7f3a@" + s.Addr:                        false, // it has no TLS
		} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			db, err := Open(ctx, url)
			cancel()
			if (err == nil) != works {
				t.Errorf("%s: %s: %v", program, url, err)
			}
			if err == nil {
				do(t, db, djsession.StorageOp{Kind: djsession.CacheSet, Key: "k", Value: "3", TTL: time.Hour})
				_ = db.Close()
			} else if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "canary") {
				t.Errorf("%s: the error tells the password: %v", url, err)
			}
		}
	}
}

func TestErrorsNameNoPassword(t *testing.T) {
	for _, url := range []string{
		"", " , ", "redis://:canary@127.0.0.1:1/0", "redis://:canary@127.0.0.1:port/0", "redis://:canary%zz@127.0.0.1/0", "redis://:a/canary@127.0.0.1/0",
		"redis://:canary@127.0.0.1/canary", "redis://:canary@127.0.0.1/0?canary=1", "http://:canary@127.0.0.1/0", "unix://:canary@/nonexistent",
		"canary@127.0.0.1", "redis://:canary,more@127.0.0.1/0", "redis://127.0.0.1:1,redis://:canary@x/y/z",
	} {
		_, err := Open(t.Context(), url)
		if err == nil {
			t.Errorf("%s: opened", url)
		} else if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "canary") {
			t.Errorf("%s: the error tells the password: %v", url, err)
		}
	}
}

func TestErrorsNameNoKeys(t *testing.T) {
	s := testservers.Redis(t, "valkey")
	db := open(t, "redis://"+s.Addr)
	if err := db.writer.LPush(t.Context(), "canary", "canary").Err(); err != nil {
		t.Fatal(err)
	}
	_, err := db.Storage(t.Context(), djsession.StorageOp{Kind: djsession.CacheGet, Key: "canary"})
	if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "WRONGTYPE") {
		t.Error(err)
	}
}

func TestDeadline(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := Open(ctx, "redis://"+silent.Addr().String()); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}

	s := testservers.Redis(t, "valkey")
	db := open(t, "redis://"+s.Addr)
	if err := db.writer.Do(t.Context(), "CLIENT", "PAUSE", strconv.Itoa(3000), "ALL").Err(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []djsession.StorageKind{djsession.CacheGet, djsession.CacheSet, djsession.CacheAdd, djsession.CacheDelete} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		start := time.Now()
		_, err := db.Storage(ctx, djsession.StorageOp{Kind: kind, Key: "k", TTL: time.Hour})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
			t.Errorf("%d after %v: %v", kind, time.Since(start), err)
		}
	}
}

func TestRestart(t *testing.T) {
	s := testservers.Redis(t, "valkey")
	db := open(t, "redis://"+s.Addr)
	get := djsession.StorageOp{Kind: djsession.CacheGet, Key: "k"}
	do(t, db, get)
	s.Kill()
	start := time.Now()
	if _, err := db.Storage(t.Context(), get); err == nil || time.Since(start) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
	s.Restart(t)
	do(t, db, get)
	do(t, db, djsession.StorageOp{Kind: djsession.CacheAdd, Key: "k", Value: "1", TTL: time.Hour})
}
