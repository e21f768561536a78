package memcached

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/host/internal/testservers"
)

func open(t *testing.T, servers string) *Pool {
	t.Helper()
	p, err := Open(t.Context(), servers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func do(t *testing.T, p *Pool, op djsession.StorageOp) djsession.StorageResult {
	t.Helper()
	result, err := p.Storage(t.Context(), op)
	if err != nil {
		t.Fatal(err)
	}
	return result
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
	p := open(t, testservers.MemcachedAddr(t))
	key := fmt.Sprintf(":1:testé%d", time.Now().UnixNano())
	get := djsession.StorageOp{Kind: djsession.CacheGet, Key: key}
	set := djsession.StorageOp{Kind: djsession.CacheSet, Key: key, Value: binary, Flags: 1, TTL: 1209600 * time.Second}
	add := djsession.StorageOp{Kind: djsession.CacheAdd, Key: key, Value: "added", Flags: 4294967295, TTL: time.Hour}
	remove := djsession.StorageOp{Kind: djsession.CacheDelete, Key: key}
	living := func(op djsession.StorageOp, ttl time.Duration) djsession.StorageOp { op.TTL = ttl; return op }
	is := func(op djsession.StorageOp, found bool, value string, flags uint32) {
		t.Helper()
		if r := do(t, p, op); r != (djsession.StorageResult{Found: found, Value: value, Flags: flags}) {
			t.Errorf("%v: %v", op, r)
		}
	}
	is(get, false, "", 0)
	is(remove, false, "", 0)
	is(set, true, "", 0)
	is(get, true, binary, 1)
	is(add, false, "", 0)
	is(living(add, 0), false, "", 0)
	is(get, true, binary, 1)
	for _, ttl := range []time.Duration{0, -time.Hour, 999 * time.Millisecond} {
		is(set, true, "", 0)
		is(living(set, ttl), true, "", 0)
		is(get, false, "", 0)
		is(living(add, ttl), true, "", 0)
		is(get, false, "", 0)
	}
	is(add, true, "", 0)
	is(get, true, "added", 4294967295)
	is(remove, true, "", 0)
	is(get, false, "", 0)
	// More than 30 days, which as a number of seconds would be long ago.
	is(living(set, 30*24*time.Hour+time.Second), true, "", 0)
	is(get, true, binary, 1)
	is(living(set, 100*365*24*time.Hour), true, "", 0)
	is(get, true, binary, 1)
	is(living(set, time.Second), true, "", 0)
	time.Sleep(2100 * time.Millisecond)
	is(get, false, "", 0)

	if _, err := p.Storage(t.Context(), djsession.StorageOp{Kind: djsession.FileGet, Key: key}); err == nil {
		t.Error("a cache answered for files")
	}
	set.Value = strings.Repeat("canary", 1<<20)
	if _, err := p.Storage(t.Context(), set); err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "test") {
		t.Errorf("too large: %v", err)
	}
	is(get, false, "", 0)
}

// Django's get_backend_timeout.
func TestExpiration(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for ttl, want := range map[time.Duration]int32{
		-time.Second: -1, 0: -1, 999 * time.Millisecond: -1, 1500 * time.Millisecond: 1, 1209600 * time.Second: 1209600,
		2592000 * time.Second: 2592000, 2592001 * time.Second: 1_802_592_001, 20 * 365 * 24 * time.Hour: 2147483647,
	} {
		if got := expiration(ttl, now); got != want {
			t.Errorf("%v: %d, want %d", ttl, got, want)
		}
	}
}

// Keys that Django refuses reach no server, where they would be commands.
func TestKeys(t *testing.T) {
	s, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close() // whoever connects gets an error
	nodes, err := parse(s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p := &Pool{client: memcache.NewFromSelector(nodes)}
	for _, key := range []string{"", "a b", "a\r\nflush_all\r\n", "a\x00", "a\x7f", "a\tb", strings.Repeat("a", 251)} {
		if r, err := p.Storage(t.Context(), djsession.StorageOp{Kind: djsession.CacheGet, Key: key}); err != nil || r.Found {
			t.Errorf("get %q: %v, %v", key, r, err)
		}
		for _, kind := range []djsession.StorageKind{djsession.CacheSet, djsession.CacheAdd, djsession.CacheDelete} {
			if _, err := p.Storage(t.Context(), djsession.StorageOp{Kind: kind, Key: key, TTL: time.Hour}); !errors.Is(err, ErrKey) || key != "" && strings.Contains(err.Error(), key) {
				t.Errorf("%d %q: %v", kind, key, err)
			}
		}
	}
	for _, key := range []string{"a", strings.Repeat("é", 125), strings.Repeat("a", 250)} {
		if _, err := p.Storage(t.Context(), djsession.StorageOp{Kind: djsession.CacheGet, Key: key}); err == nil {
			t.Errorf("%q was not asked for", key)
		}
	}
}

const caches = `
import json, sys
from django.conf import settings
settings.configure(CACHES={"default": {"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache", "LOCATION": sys.argv[1]}},
    SECRET_KEY="x", SESSION_ENGINE="django.contrib.sessions.backends.cache")
import django
django.setup()
from django.core.cache import cache
from django.contrib.sessions.backends.cache import SessionStore
args = sys.argv[2:]
`

// What Django puts there comes out byte by byte, and the other way round.
func TestDjango(t *testing.T) {
	addr := testservers.MemcachedAddr(t)
	p := open(t, addr)
	out := testservers.Django(t, caches+`
s = SessionStore()
s["name"] = "Zoé"
s["n"] = [1, 2**70, None]
s.create()
raw, flags = cache._cache.clients[args[0]].serde.serialize("", dict(s.items()))
print(cache.make_key(s.cache_key), raw.hex(), flags, s.session_key)
`, addr, addr)
	f := strings.Fields(out)
	got := do(t, p, djsession.StorageOp{Kind: djsession.CacheGet, Key: f[0]})
	if raw := fmt.Sprintf("%x", got.Value); !got.Found || raw != f[1] || fmt.Sprint(got.Flags) != f[2] {
		t.Errorf("found %v: flags %d, %s, want %s", got.Found, got.Flags, raw, f[1])
	}
	copied := "copy" + f[3][4:]
	name := strings.Replace(f[0], f[3], copied, 1)
	for _, c := range []struct {
		kind djsession.StorageKind
		ttl  time.Duration
	}{{djsession.CacheAdd, time.Hour}, {djsession.CacheSet, 60 * 24 * time.Hour}} {
		if r := do(t, p, djsession.StorageOp{Kind: c.kind, Key: name, Value: got.Value, Flags: got.Flags, TTL: c.ttl}); !r.Found {
			t.Error("not stored")
		}
		if out := testservers.Django(t, caches+`s = SessionStore(args[0]); print(s["name"], s["n"] == [1, 2**70, None])`, addr, copied); out != "Zoé True" {
			t.Errorf("Django reads %s", out)
		}
	}
	testservers.Django(t, caches+`SessionStore(args[0]).delete()`, addr, copied)
	if do(t, p, djsession.StorageOp{Kind: djsession.CacheGet, Key: name}).Found {
		t.Error("what Django deleted is there")
	}
}

// Of several servers, each key is where Django looks for it.
func TestServersOfDjango(t *testing.T) {
	var addrs []string
	for range 3 {
		addrs = append(addrs, testservers.Memcached(t).Addr)
	}
	location := strings.Join(addrs, ";")
	p := open(t, location)
	used := map[string]int{}
	for i := range 60 {
		key := fmt.Sprintf(":1:ké%d", i)
		do(t, p, djsession.StorageOp{Kind: djsession.CacheSet, Key: key, Value: "x", Flags: 16, TTL: time.Hour})
		nodes, _ := parse(location)
		a, _ := nodes.PickServer(key)
		used[a.String()]++
	}
	if len(used) != 3 {
		t.Errorf("used %v", used)
	}
	if out := testservers.Django(t, caches+`print(sum(cache.get(f"ké{i}") == "x" for i in range(60)))`, location); out != "60" {
		t.Errorf("Django finds %s of 60", out)
	}
	if out := testservers.Django(t, caches+`
for i in range(60): cache.set(f"from django {i}".replace(" ", "-"), "y")
print("done")`, location); out != "done" {
		t.Fatal(out)
	}
	for i := range 60 {
		if !do(t, p, djsession.StorageOp{Kind: djsession.CacheGet, Key: fmt.Sprintf(":1:from-django-%d", i)}).Found {
			t.Errorf("%d is not found", i)
		}
	}
}

// Values of the reference implementation (SMHasher), seed 0.
func TestMurmur3(t *testing.T) {
	for text, want := range map[string]uint32{
		"": 0, "test": 0xba6bd213, "Hello, world!": 0xc0363e43, "The quick brown fox jumps over the lazy dog": 0x2e4ff723,
	} {
		if got := murmur3(text); got != want {
			t.Errorf("%q: %#x, want %#x", text, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:11211": "127.0.0.1:11211=tcp 127.0.0.1:11211", "cache": "cache:11211=tcp cache:11211", "[::1]:1": "::1:1=tcp [::1]:1",
		"[::1]": "::1:11211=tcp [::1]:11211", "unix:/run/m": "/run/m=unix /run/m", "/run/m": "/run/m=unix /run/m", "a:1, b:2;c": "a:1=tcp a:1 b:2=tcp b:2 c:11211=tcp c:11211",
		"": "", " ; ": "", "a:b": "", ":1": "", "a:70000": "",
	} {
		nodes, err := parse(text)
		var got []string
		for _, n := range nodes {
			got = append(got, n.name+"="+n.addr.Network()+" "+n.addr.String())
		}
		if (err == nil) != (want != "") || strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestDeadline(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if _, err := Open(t.Context(), silent.Addr().String()); err == nil || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("opened a silent server: %v", err)
	}
	nodes, _ := parse(silent.Addr().String())
	p := &Pool{client: memcache.NewFromSelector(nodes)}
	for _, kind := range []djsession.StorageKind{djsession.CacheGet, djsession.CacheSet, djsession.CacheAdd, djsession.CacheDelete} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		start := time.Now()
		_, err := p.Storage(ctx, djsession.StorageOp{Kind: kind, Key: "k", TTL: time.Hour})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 400*time.Millisecond {
			t.Errorf("%d after %v: %v", kind, time.Since(start), err)
		}
	}
}

func TestRestart(t *testing.T) {
	s := testservers.Memcached(t)
	p := open(t, s.Addr)
	get := djsession.StorageOp{Kind: djsession.CacheGet, Key: "k"}
	done := make(chan error)
	for range 20 { // many connections
		go func() { _, err := p.Storage(t.Context(), get); done <- err }()
	}
	for range 20 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	s.Kill()
	if _, err := p.Storage(t.Context(), get); err == nil {
		t.Error("a dead server answered")
	}
	s.Restart(t)
	do(t, p, get)
	if r := do(t, p, djsession.StorageOp{Kind: djsession.CacheAdd, Key: "k", TTL: time.Hour}); !r.Found {
		t.Error("not added")
	}
}
