package djsession_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/signing"
)

// What caches held of one session that Django 5.2 wrote, in base64.
const (
	cachedRedis = "gAWVFwEAAAAAAAB9lCiMDV9hdXRoX3VzZXJfaWSUjAExlIwSX2F1dGhfdXNlcl9iYWNrZW5klIwpZGphbmdvLmNvbnRyaWIuYXV0aC5iYWNrZW5kcy5Nb2Rl" +
		"bEJhY2tlbmSUjA9fYXV0aF91c2VyX2hhc2iUjEA5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5" +
		"ZjlmlIwBbpRLA4wBZpRHP/gAAAAAAACMA2JpZ5SKCQAAAAAAAAAAQIwDbmVnlEr/////jARub25llE6MAXSUiIwBbJRdlChLAYwCw6mUfZSMAWuUXZRzZYwP" +
		"X3Nlc3Npb25fZXhwaXJ5lEsAdS4="
	cachedMemcached = "gAWVFwEAAAAAAAB9lCiMDV9hdXRoX3VzZXJfaWSUjAExlIwSX2F1dGhfdXNlcl9iYWNrZW5klIwpZGphbmdvLmNvbnRyaWIuYXV0aC5iYWNrZW5kcy5Nb2Rl" +
		"bEJhY2tlbmSUjA9fYXV0aF91c2VyX2hhc2iUjEA5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5" +
		"ZjlmlIwBbpRLA4wBZpRHP/gAAAAAAACMA2JpZ5SKCQAAAAAAAAAAQIwDbmVnlEr/////jARub25llE6MAXSUiIwBbJRdlChLAYwCw6mUfZSMAWuUXZRzZYwP" +
		"X3Nlc3Npb25fZXhwaXJ5lEsAdS4="
	cachedDjangoRedis = "gASVFwEAAAAAAAB9lCiMDV9hdXRoX3VzZXJfaWSUjAExlIwSX2F1dGhfdXNlcl9iYWNrZW5klIwpZGphbmdvLmNvbnRyaWIuYXV0aC5iYWNrZW5kcy5Nb2Rl" +
		"bEJhY2tlbmSUjA9fYXV0aF91c2VyX2hhc2iUjEA5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5" +
		"ZjlmlIwBbpRLA4wBZpRHP/gAAAAAAACMA2JpZ5SKCQAAAAAAAAAAQIwDbmVnlEr/////jARub25llE6MAXSUiIwBbJRdlChLAYwCw6mUfZSMAWuUXZRzZYwP" +
		"X3Nlc3Npb25fZXhwaXJ5lEsAdS4="
	cachedJSON = "eyJfYXV0aF91c2VyX2lkIjogIjEiLCAiX2F1dGhfdXNlcl9iYWNrZW5kIjogImRqYW5nby5jb250cmliLmF1dGguYmFja2VuZHMuTW9kZWxCYWNrZW5kIiwg" +
		"Il9hdXRoX3VzZXJfaGFzaCI6ICI5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmOWY5ZjlmIiwgIm4i" +
		"OiAzLCAiZiI6IDEuNSwgImJpZyI6IDExODA1OTE2MjA3MTc0MTEzMDM0MjQsICJuZWciOiAtMSwgIm5vbmUiOiBudWxsLCAidCI6IHRydWUsICJsIjogWzEs" +
		"ICJcdTAwZTkiLCB7ImsiOiBbXX1dLCAiX3Nlc3Npb25fZXhwaXJ5IjogMH0="
	cachedZlib = "eJxrYJkqzsgABrVTNHp44xNLSzLiS4tTi+IzU6b0MBpO6RFCEktKTM5OzQNKaKZkJeal5+sl5+eVFGUm6YGU6EFli/V881NSc5xgavmRDMhILM6Y0uNgmUYZ" +
		"BLosb4o3cw9j2hR3+x8Q9/cwJ2WmT+niZIAChx7mvNT0KV7/gaCHJS8/L3WKXw9jyZSOHsacKbFTNLwZe5gOr5xSCzQrG8gvTgU6tDi1uDgzPy8+taIgs6hy" +
		"ijdDqR4AVnRmqw=="
)

const cachedView = `[["_auth_user_id","1"],["_auth_user_backend","django.contrib.auth.backends.ModelBackend"],` +
	`["_auth_user_hash","9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f"],["n",3],["f",1.5],["big",1180591620717411303424],` +
	`["neg",-1],["none",null],["t",true],["l",[1,"\u00e9",{"k":[]}]],["_session_expiry",0]]`

func view(t *testing.T, items []djsession.Item) string {
	t.Helper()
	var b strings.Builder
	for i, it := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("[" + pyjson.Quote(it.Key) + "," + it.Raw + "]")
	}
	text, err := pyjson.Canonical("[" + b.String() + "]")
	must(t, err)
	return text
}

// Each backend's value is read by its own setting alone.
func TestCacheValues(t *testing.T) {
	formats := map[string]djsession.Cache{
		"redis":             {},
		"memcached":         {Format: djsession.CacheMemcached},
		"django-redis":      {Format: djsession.CacheDjangoRedis},
		"django-redis json": {Format: djsession.CacheDjangoRedis, Serializer: "json"},
		"django-redis zlib": {Format: djsession.CacheDjangoRedis, Compressor: "zlib"},
	}
	for _, c := range []struct {
		value string
		flags uint32
		read  string // by which settings
	}{
		{cachedRedis, 0, "redis,django-redis,django-redis zlib"}, // without compression it is taken as it is
		{cachedDjangoRedis, 0, "redis,django-redis,django-redis zlib"},
		{cachedJSON, 0, "django-redis json"},
		{cachedZlib, 0, "django-redis zlib"},
		{cachedMemcached, 1, "memcached,redis,django-redis,django-redis zlib"},
		{cachedZlib, 9, "memcached,django-redis zlib"}, // pymemcache's CompressedSerde, pylibmc
		{cachedZlib, 1, "django-redis zlib"},
		{cachedMemcached, 9, "redis,django-redis,django-redis zlib"},
		{cachedMemcached, 17, "redis,django-redis,django-redis zlib"},
		{cachedMemcached, 33, "redis,django-redis,django-redis zlib"},
		{base64.StdEncoding.EncodeToString([]byte("17")), 2, ""},
		{base64.StdEncoding.EncodeToString([]byte("17")), 4, ""},
		{base64.StdEncoding.EncodeToString([]byte("text")), 16, ""},
	} {
		value, err := base64.StdEncoding.DecodeString(c.value)
		must(t, err)
		for name, cache := range formats {
			store, fx := newStore(t, djsession.Settings{Engine: djsession.EngineCache, Cache: cache}), newFake(t)
			key := created(t, store, fx).Key()
			fx.stored[entryOf(fx)] = supply(string(value), c.flags)
			sess := load(t, store, fx, key)
			if want := strings.Contains(","+c.read+",", ","+name+","); want != (sess.Err() == nil) || want && view(t, sess.Items()) != cachedView {
				t.Errorf("%.16s with flags %d as %s: %v, %v", c.value, c.flags, name, sess.Err(), sess.Items())
			}
		}
	}
}

// What is stored by each setting, and under which key.
func TestCacheWrites(t *testing.T) {
	for _, c := range []struct {
		cache  djsession.Cache
		prefix string
		begins string
		flags  uint32
	}{
		{djsession.Cache{}, ":1:", "\x80\x05}", 0},
		{djsession.Cache{KeyPrefix: "site", Version: 7}, "site:7:", "\x80\x05}", 0},
		{djsession.Cache{Format: djsession.CacheMemcached}, ":1:", "\x80\x05}", 1},
		{djsession.Cache{Format: djsession.CacheDjangoRedis}, ":1:", "\x80\x04}", 0},
		{djsession.Cache{Format: djsession.CacheDjangoRedis, Serializer: "json"}, ":1:", `{"a":`, 0},
		{djsession.Cache{Format: djsession.CacheDjangoRedis, Compressor: "zlib"}, ":1:", "\x78\x9c", 0},
	} {
		store, fx := newStore(t, djsession.Settings{Engine: djsession.EngineCache, Cache: c.cache}), newFake(t)
		sess := created(t, store, fx, djsession.Item{Key: "a", Raw: `"0123456789abcdef"`})
		e, ok := fx.stored[c.prefix+"django.contrib.sessions.cache"+sess.Key()]
		if !ok || !strings.HasPrefix(e.Value, c.begins) || e.Flags != c.flags {
			t.Errorf("%+v: %v %q", c.cache, ok, e.Value)
		}
	}
	// django-redis compresses from 16 bytes on.
	store, fx := newStore(t, djsession.Settings{Engine: djsession.EngineCache, Cache: djsession.Cache{Format: djsession.CacheDjangoRedis, Compressor: "zlib"}}), newFake(t)
	created(t, store, fx)
	if got := fx.stored[entryOf(fx)].Value; got != "\x80\x04}." {
		t.Errorf("an empty session is %q", got)
	}
}

// What JSON cannot say stays as it was, unless it is replaced.
func TestPickledValuesSurvive(t *testing.T) {
	store, fx := newEngine(t, djsession.EngineCache, "5.2")
	key := created(t, store, fx).Key()
	// {"a": (1,), "b": (2,), "c": 3}
	fx.stored[entryOf(fx)] = supply("\x80\x02}(X\x01\x00\x00\x00aK\x01\x85X\x01\x00\x00\x00bK\x02\x85X\x01\x00\x00\x00cK\x03u.", 0)
	sess := load(t, store, fx, key)
	if got := view(t, sess.Items()); got != `[["a",[1]],["b",[2]],["c",3]]` || sess.Items()[0].Pickled == "" || sess.Items()[2].Pickled != "" {
		t.Fatalf("read %s %q", got, sess.Items())
	}
	sess.Set("b", "[2]")
	must(t, store.Save(ctx, fx, sess))
	if got := fx.stored[entryOf(fx)].Value; !strings.Contains(got, "K\x01\x85") || strings.Contains(got, "K\x02\x85") {
		t.Errorf("stored %q", got)
	}
	// Someone else's field is no way in for opcodes.
	sess = djsession.NewSession("", djsession.Item{Key: "a", Raw: "1", Pickled: "cos\nsystem\n(X\x01\x00\x00\x00atR"})
	if err := store.Create(ctx, fx, sess); err == nil {
		t.Error("a call was stored")
	}
	if err := store.Create(ctx, fx, djsession.NewSession("", djsession.Item{Key: "a", Raw: "{"})); err == nil {
		t.Error("what is no JSON was stored")
	}
}

// Values are bounded before and after they are inflated.
func TestCacheBombs(t *testing.T) {
	for _, c := range []struct {
		cache djsession.Cache
		flags uint32
	}{{djsession.Cache{Format: djsession.CacheDjangoRedis, Compressor: "zlib"}, 0}, {djsession.Cache{Format: djsession.CacheMemcached}, 9}} {
		store, fx := newStore(t, djsession.Settings{Engine: djsession.EngineCache, Cache: c.cache, MaxDataBytes: 1000}), newFake(t)
		key := created(t, store, fx).Key()
		for _, value := range []string{signing.Deflate(strings.Repeat("a", 200<<20>>3)), strings.Repeat("\x80", 1001)} {
			fx.stored[entryOf(fx)] = supply(value, c.flags)
			if got := load(t, store, fx, key); !errors.Is(got.Err(), signing.ErrTooLarge) && !errors.Is(got.Err(), signing.ErrCorrupt) {
				t.Errorf("%v: %v", c.cache, got.Err())
			}
		}
		large := djsession.NewSession("", djsession.Item{Key: "a", Raw: `"` + strings.Repeat("a", 1000) + `"`})
		if err := store.Create(ctx, fx, large); !errors.Is(err, signing.ErrTooLarge) {
			t.Errorf("%v: a large session: %v", c.cache, err)
		}
	}
}

func FuzzCacheValue(f *testing.F) {
	for _, value := range []string{cachedRedis, cachedJSON, cachedZlib, ""} {
		raw, _ := base64.StdEncoding.DecodeString(value)
		f.Add(string(raw), uint32(1), byte(0))
	}
	caches := []djsession.Cache{
		{}, {Format: djsession.CacheMemcached}, {Format: djsession.CacheDjangoRedis, Serializer: "json"},
		{Format: djsession.CacheDjangoRedis, Compressor: "zlib"}, {Format: djsession.CacheDjangoRedis, Serializer: "json", Compressor: "zlib"},
	}
	f.Fuzz(func(t *testing.T, value string, flags uint32, cache byte) {
		store, err := djsession.New(djsession.Settings{Engine: djsession.EngineCache, Cache: caches[int(cache)%len(caches)], MaxDataBytes: 1 << 16})
		must(t, err)
		fx := newFake(t)
		key := created(t, store, fx).Key()
		fx.stored[entryOf(fx)] = supply(value, flags)
		sess := load(t, store, fx, key)
		if sess.Err() != nil {
			if sess.Key() != key || sess.Len() != 0 || !errors.Is(sess.Err(), djsession.ErrUnread) {
				t.Fatalf("%v, and yet %q", sess.Err(), sess.Items())
			}
			return
		}
		// What was read can be written, and is read again as the same.
		want := sess.Items()
		if err := store.Save(ctx, fx, sess); err != nil {
			if errors.Is(err, signing.ErrTooLarge) {
				return
			}
			t.Fatal(err)
		}
		again := load(t, store, fx, key)
		if again.Err() != nil || again.Len() != len(want) {
			t.Fatalf("%q comes back as %q, %v", want, again.Items(), again.Err())
		}
		for i, it := range again.Items() {
			if it.Key != want[i].Key {
				t.Fatalf("%q comes back as %q", want[i], it)
			}
		}
	})
}

func FuzzParseZone(f *testing.F) {
	for _, text := range []string{"", "0", "3600 1711846800:7200 1729990800:3600", "x", "1:2", "0 5:1 4:2", "86400", "0 1:0 2", "-0", "0 9223372036854775807:1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		zone, err := djsession.ParseZone("zone", text)
		if err != nil {
			return
		}
		for _, unix := range []int64{0, 1, 1711846799, 1711846800, 4102444800} {
			if _, offset := time.Unix(unix, 0).In(zone).Zone(); offset <= -86400 || offset >= 86400 {
				t.Fatalf("%q: offset %d", text, offset)
			}
		}
	})
}
