package djsession_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/host/files"
)

// storage is what suppliers of caches and files have.
type storage interface {
	Storage(ctx context.Context, op djsession.StorageOp) (djsession.StorageResult, error)
}

// supplied is a fake whose storage is a real one.
type supplied struct {
	*fake
	storage storage
}

func (s supplied) Storage(ctx context.Context, op djsession.StorageOp) (djsession.StorageResult, error) {
	return s.storage.Storage(ctx, op)
}

// engines are every engine with every supplier: whatever can be opened here
// must pass the tests of [TestEngines].
var engines = []struct {
	name string
	set  djsession.Settings
	open func(t *testing.T) storage // nil: the fake's own
}{
	{name: "db", set: djsession.Settings{Engine: djsession.EngineDB}},
	{name: "cached_db", set: djsession.Settings{Engine: djsession.EngineCachedDB}},
	{name: "cached_db memcached", set: djsession.Settings{Engine: djsession.EngineCachedDB, Cache: djsession.Cache{Format: djsession.CacheMemcached}}},
	{name: "cache redis", set: djsession.Settings{Engine: djsession.EngineCache}},
	{name: "cache django-redis", set: djsession.Settings{Engine: djsession.EngineCache, Cache: djsession.Cache{Format: djsession.CacheDjangoRedis}}},
	{name: "cache json zlib", set: djsession.Settings{Engine: djsession.EngineCache, Cache: djsession.Cache{
		Format: djsession.CacheDjangoRedis, Serializer: "json", Compressor: "zlib", KeyPrefix: "site", Version: 7,
	}}},
	{name: "cache memcached", set: djsession.Settings{Engine: djsession.EngineCache, Cache: djsession.Cache{Format: djsession.CacheMemcached}}},
	{name: "file", set: djsession.Settings{Engine: djsession.EngineFile}},
	{name: "file in a folder", set: djsession.Settings{Engine: djsession.EngineFile}, open: func(t *testing.T) storage {
		folder, err := files.Open(t.TempDir())
		must(t, err)
		t.Cleanup(func() { folder.Close() })
		return folder
	}},
	{name: "signed_cookies", set: djsession.Settings{Engine: djsession.EngineSignedCookies}},
}

// What every engine promises, with every release.
func TestEngines(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			for _, release := range version.Supported {
				fake := newFake(t)
				fx := djsession.Effects(fake)
				if e.open != nil {
					fx = supplied{fake, e.open(t)}
				}
				set := e.set
				set.Version = release
				set.Keys = signing.DeriveKeys("", "secret", nil)
				testEngine(t, newStore(t, set), fx)
			}
		})
	}
}

func testEngine(t *testing.T, store *djsession.Store, fx djsession.Effects) {
	t.Helper()
	loaded := func(key string) *djsession.Session {
		t.Helper()
		sess, err := store.Load(ctx, fx, key)
		must(t, err)
		return sess
	}
	inCookie := store.Engine() == djsession.EngineSignedCookies
	items := []djsession.Item{{Key: "cart", Raw: `[1.0,NaN,"\u00e9"]`}, {Key: "", Raw: "12345678901234567890123"}, {Key: "k\u00e9y", Raw: "null"}}

	sess := djsession.NewSession("", items...)
	must(t, store.Create(ctx, fx, sess))
	key := sess.Key()
	if got := loaded(key); got.Key() != key || !slices.Equal(got.Items(), items) || got.Err() != nil || got.Modified() {
		t.Fatalf("read %q: %+v, %v", got.Key(), got.Items(), got.Err())
	}
	if got := loaded(key); got.Accessed() {
		t.Error("reading counts as access")
	}
	if !inCookie {
		if got := loaded("00000000" + key[8:]); got.Key() != "" || got.Len() != 0 || got.Err() != nil {
			t.Errorf("an unknown key is adopted: %q", got.Key())
		}
	}

	sess = loaded(key)
	sess.Set("n", "1")
	must(t, store.Save(ctx, fx, sess))
	if (sess.Key() == key) == inCookie {
		t.Error("a save changes the key only of a session that is its key")
	}
	other := loaded(sess.Key())
	if n, _ := other.Get("n"); n != "1" || other.Len() != 4 {
		t.Fatalf("saved %v", other.Items())
	}

	old := sess.Key()
	sess.Set("n", "2")
	must(t, store.CycleKey(ctx, fx, sess))
	if got := loaded(sess.Key()); got.Len() != 4 || sess.Key() == old {
		t.Errorf("moved %v", got.Items())
	}
	if inCookie {
		must(t, store.Flush(ctx, fx, sess))
		if !sess.Empty() || !sess.Modified() {
			t.Error("a flushed session is not empty")
		}
		return // nothing was stored
	}
	if got := loaded(old); got.Key() != "" {
		t.Error("the old key still works")
	}
	if err := store.Save(ctx, fx, other); !errors.Is(err, djsession.ErrUpdate) {
		t.Errorf("saving a deleted session: %v", err)
	}
	if got := loaded(old); got.Key() != "" {
		t.Error("a deleted session came back")
	}

	key = sess.Key()
	must(t, store.Flush(ctx, fx, sess))
	if !sess.Empty() || !sess.Modified() || loaded(key).Key() != "" {
		t.Error("a flushed session lives on")
	}
	must(t, store.Delete(ctx, fx, key))

	empty := djsession.NewSession("")
	must(t, store.Save(ctx, fx, empty))
	if got := loaded(empty.Key()); got.Key() != empty.Key() || got.Len() != 0 || got.Err() != nil {
		t.Errorf("an empty session: %q, %v", got.Key(), got.Err())
	}
}

func newEngine(t *testing.T, engine djsession.Engine, release string) (*djsession.Store, *fake) {
	v, err := version.Parse(release)
	must(t, err)
	return newStore(t, djsession.Settings{Engine: engine, Version: v}), newFake(t)
}

// entryOf is the key of the only entry, or file.
func entryOf(fx *fake) string {
	for key := range fx.stored {
		return key
	}
	return ""
}

func created(t *testing.T, store *djsession.Store, fx djsession.Effects, items ...djsession.Item) *djsession.Session {
	t.Helper()
	sess := djsession.NewSession("", items...)
	must(t, store.Create(ctx, fx, sess))
	return sess
}

// The database is written first, and what the cache has is what the database has.
func TestCachedDBOrder(t *testing.T) {
	store, fx := newEngine(t, djsession.EngineCachedDB, "5.2")
	sess := created(t, store, fx, djsession.Item{Key: "a", Raw: "1"})
	if got := fx.did(); got != "insert cache_set" {
		t.Errorf("create: %s", got)
	}
	if got, want := entryOf(fx), ":1:django.contrib.sessions.cached_db"+sess.Key(); got != want {
		t.Errorf("key %q, want %q", got, want)
	}
	if e := fx.stored[entryOf(fx)]; !e.expires.Equal(start.Add(1209600 * time.Second)) {
		t.Errorf("expires %v", e.expires)
	}
	load(t, store, fx, sess.Key())
	if got := fx.did(); got != "cache_get" {
		t.Errorf("hit: %s", got)
	}
	must(t, store.Save(ctx, fx, sess))
	if got := fx.did(); got != "update cache_set load" {
		t.Errorf("save: %s", got)
	}
	must(t, store.CycleKey(ctx, fx, sess))
	if got := fx.did(); got != "insert cache_set delete cache_delete" {
		t.Errorf("cycle: %s", got)
	}
	clear(fx.stored)
	fx.now = fx.now.Add(100*time.Second + time.Millisecond)
	load(t, store, fx, sess.Key())
	if got := fx.did(); got != "cache_get load cache_add load" {
		t.Errorf("miss: %s", got)
	}
	if e := fx.stored[entryOf(fx)]; !e.expires.Equal(fx.now.Add(1209499 * time.Second)) { // floor, as timedelta.seconds
		t.Errorf("filled until %v, now %v", e.expires, fx.now)
	}
	must(t, store.Flush(ctx, fx, sess))
	if got := fx.did(); got != "delete cache_delete" || len(fx.stored)+len(fx.rows) != 0 {
		t.Errorf("flush: %s", got)
	}
	load(t, store, fx, "unknown-key")
	if got := fx.did(); got != "cache_get load" {
		t.Errorf("unknown: %s", got)
	}
}

// A value in the cache that cannot be read is a miss, and is replaced.
func TestCachedDBUnreadable(t *testing.T) {
	store, fx := newEngine(t, djsession.EngineCachedDB, "5.2")
	sess := created(t, store, fx, djsession.Item{Key: "a", Raw: "1"})
	for _, value := range []string{"", "17", "\x80\x05K\x01.", "\x80\x05cos\nsystem\n.", "{}", "\x80\x05}"} {
		e := fx.stored[entryOf(fx)]
		e.Value = value
		fx.stored[entryOf(fx)] = e
		fx.did()
		got := load(t, store, fx, sess.Key())
		if got.Len() != 1 || got.Err() != nil || !errors.Is(got.CacheErr(), djsession.ErrCacheValue) {
			t.Errorf("%q: %v, %v, %v", value, got.Items(), got.Err(), got.CacheErr())
		}
		if did := fx.did(); did != "cache_get load cache_delete cache_add load" {
			t.Errorf("%q: %s", value, did)
		}
	}
	if got := load(t, store, fx, sess.Key()); got.CacheErr() != nil || fx.did() != "cache_get" {
		t.Error("the value was not replaced")
	}
	// Nothing is entered for a row that cannot be read: the next Django might.
	r := fx.rows[sess.Key()]
	r.data = "e30:1:x"
	fx.rows[sess.Key()] = r
	clear(fx.stored)
	if got := load(t, store, fx, sess.Key()); got.Err() == nil || got.Key() == "" || len(fx.stored) != 0 {
		t.Errorf("a row without signature: %v, %d entries", got.Err(), len(fx.stored))
	}
}

// What another request does in between never leaves an entry behind.
func TestCachedDBRaces(t *testing.T) {
	for name, c := range map[string]struct {
		after string
		act   func(store *djsession.Store, fx *fake, key string) error
		other func(store *djsession.Store, fx *fake, key string) error
		live  bool
	}{
		"a logout while another reads":  {"session_load", reads, deletes, false},
		"a logout while another fills":  {"cache_add", reads, deletes, false},
		"a logout while another saves":  {"session_update", saves, deletes, false},
		"a logout while another enters": {"cache_set", saves, deletes, false},
		"a save while another reads":    {"session_load", reads, saves, true},
		"a save while another fills":    {"cache_add", reads, saves, true},
		"two saves":                     {"session_update", saves, savesOther, true},
	} {
		store, fx := newEngine(t, djsession.EngineCachedDB, "5.2")
		sess := created(t, store, fx)
		key := sess.Key()
		must(t, c.act(store, fx, key))
		if strings.Contains(name, "reads") || strings.Contains(name, "fills") {
			clear(fx.stored)
		}
		fx.after[c.after] = func() { must(t, c.other(store, fx, key)) }
		if err := c.act(store, fx, key); err != nil && !errors.Is(err, djsession.ErrUpdate) {
			t.Errorf("%s: %v", name, err)
		}
		if len(fx.after) != 0 {
			t.Fatalf("%s: nothing came in between (%s)", name, fx.did())
		}
		if _, live := fx.rows[key]; live != c.live {
			t.Errorf("%s: the row is there: %v", name, live)
		}
		want := ""
		if c.live {
			items, err := store.Decode(fx.rows[key].data)
			must(t, err)
			want = items[len(items)-1].Raw
		}
		if len(fx.stored) > 0 {
			fx.did()
			got := load(t, store, fx, key)
			raw, _ := got.Get("n")
			if fx.did() != "cache_get" || !c.live || raw != want {
				t.Errorf("%s: the cache has %v, the database %s", name, got.Items(), want)
			}
		}
	}
}

func reads(store *djsession.Store, fx *fake, key string) error {
	_, err := store.Load(ctx, fx, key)
	return err
}

func deletes(store *djsession.Store, fx *fake, key string) error { return store.Delete(ctx, fx, key) }

func saves(store *djsession.Store, fx *fake, key string) error {
	return store.Save(ctx, fx, djsession.NewSession(key, djsession.Item{Key: "n", Raw: "1"}))
}

func savesOther(store *djsession.Store, fx *fake, key string) error {
	return store.Save(ctx, fx, djsession.NewSession(key, djsession.Item{Key: "n", Raw: "2"}))
}

// A failing cache: reading and, since 5.1, writing go on without it; a logout
// that it did not hear of has failed.
func TestCachedDBFailures(t *testing.T) {
	for release, ignored := range map[string]bool{"5.0": false, "5.1": true, "6.1": true} {
		store, fx := newEngine(t, djsession.EngineCachedDB, release)
		sess := created(t, store, fx, djsession.Item{Key: "a", Raw: "1"})
		for _, kind := range []djsession.StorageKind{djsession.CacheGet, djsession.CacheSet, djsession.CacheAdd, djsession.CacheDelete} {
			fx.broken[kind] = errDown
		}
		fx.did()
		if got := load(t, store, fx, sess.Key()); got.Len() != 1 || fx.did() != "cache_get load" {
			t.Errorf("%s: read %v", release, got.Items())
		}
		sess.Set("a", "2")
		err := store.Save(ctx, fx, sess)
		if ignored != (err == nil) || err != nil && !errors.Is(err, djsession.ErrStorage) {
			t.Errorf("%s: save: %v", release, err)
		}
		err = store.Create(ctx, fx, djsession.NewSession(""))
		if ignored != (err == nil) {
			t.Errorf("%s: create: %v", release, err)
		}
		if err := store.Flush(ctx, fx, sess); !errors.Is(err, djsession.ErrStorage) || sess.Key() == "" {
			t.Errorf("%s: flush: %v", release, err)
		}
		if _, there := fx.rows[sess.Key()]; there {
			t.Errorf("%s: the row is still there", release)
		}
	}
	// A set that fails alone, as for a value that is too large, takes the old
	// entry away.
	store, fx := newEngine(t, djsession.EngineCachedDB, "5.2")
	sess := created(t, store, fx)
	fx.broken[djsession.CacheSet] = errDown
	fx.did()
	must(t, store.Save(ctx, fx, sess))
	if got := fx.did(); got != "update cache_set cache_delete" || len(fx.stored) != 0 {
		t.Errorf("%s leaves %d entries", got, len(fx.stored))
	}
	// Without the database nothing is known, whatever the order was.
	fx.fail["session_load"] = errDown
	if _, err := store.Load(ctx, fx, sess.Key()); !errors.Is(err, errDown) {
		t.Errorf("without a database: %v", err)
	}
	fx.fail["session_update"] = errDown
	fx.did()
	if err := store.Save(ctx, fx, sess); !errors.Is(err, errDown) || fx.did() != "update" {
		t.Errorf("a save without a database: %v", err)
	}
}

func TestCacheOrder(t *testing.T) {
	store, fx := newEngine(t, djsession.EngineCache, "5.2")
	sess := created(t, store, fx, djsession.Item{Key: "_session_expiry", Raw: "60"})
	if got := fx.did(); got != "cache_add" {
		t.Errorf("create: %s", got)
	}
	if got, want := entryOf(fx), ":1:django.contrib.sessions.cache"+sess.Key(); got != want {
		t.Errorf("key %q, want %q", got, want)
	}
	if e := fx.stored[entryOf(fx)]; !e.expires.Equal(start.Add(time.Minute)) {
		t.Errorf("expires %v", e.expires)
	}
	must(t, store.Save(ctx, fx, sess))
	if got := fx.did(); got != "cache_get cache_set" {
		t.Errorf("save: %s", got)
	}
	fx.now = fx.now.Add(time.Minute)
	if err := store.Save(ctx, fx, sess); err != djsession.ErrUpdate || fx.did() != "cache_get" {
		t.Errorf("saving an expired session: %v", err)
	}
	if len(store.Statements()) != 0 || len(fx.queries) != 0 {
		t.Error("a cache needs no statements")
	}
	// A cache that stores nothing looks like one in which every key is taken.
	stubborn := supplied{fx, refusing{}}
	if err := store.Create(ctx, stubborn, djsession.NewSession("")); err == nil {
		t.Error("a session that was not stored")
	}
	// Down is not logged out.
	fx.broken[djsession.CacheGet] = errDown
	if _, err := store.Load(ctx, fx, sess.Key()); !errors.Is(err, djsession.ErrStorage) || !errors.Is(err, errDown) {
		t.Errorf("a cache that is down: %v", err)
	}
}

type refusing struct{}

func (refusing) Storage(context.Context, djsession.StorageOp) (djsession.StorageResult, error) {
	return djsession.StorageResult{}, nil
}

// An undecodable value keeps its key, since Django reads any pickle, and has a reason.
func TestCacheUndecodable(t *testing.T) {
	store, fx := newEngine(t, djsession.EngineCache, "5.2")
	key := created(t, store, fx).Key()
	entry := entryOf(fx)
	for value, reason := range map[string]string{"17": "protocol", "\x80\x05K\x01.": "top", "\x80\x05cos\nsystem\n(X\x01\x00\x00\x00atR.": "global"} {
		fx.stored[entry] = supply(value, 0)
		got := load(t, store, fx, key)
		if got.Key() != key || got.Len() != 0 || !errors.Is(got.Err(), djsession.ErrCacheValue) || !strings.Contains(got.Err().Error(), reason) {
			t.Errorf("%q: key %q, %v", value, got.Key(), got.Err())
		}
	}
}

func supply(value string, flags uint32) entry {
	return entry{StorageResult: djsession.StorageResult{Found: true, Value: value, Flags: flags}}
}

// Memcached keys have no space and no more than 250 bytes: any other is a miss.
func TestMemcachedKeys(t *testing.T) {
	for _, engine := range []djsession.Engine{djsession.EngineCache, djsession.EngineCachedDB} {
		store, fx := newStore(t, djsession.Settings{Engine: engine, Cache: djsession.Cache{Format: djsession.CacheMemcached}}), newFake(t)
		for _, key := range []string{"with a space", "with\ttab!", "with\x7fdel!", strings.Repeat("x", 240)} {
			if got := load(t, store, fx, key); got.Key() != "" || strings.Contains(fx.did(), "cache") {
				t.Errorf("%q is looked up", key)
			}
			must(t, store.Delete(ctx, fx, key))
			if strings.Contains(fx.did(), "cache") {
				t.Errorf("%q is deleted", key)
			}
		}
	}
}

func TestFileOrder(t *testing.T) {
	store, fx := newEngine(t, djsession.EngineFile, "5.2")
	sess := created(t, store, fx)
	if got := fx.did(); got != "file_create" || entryOf(fx) != "sessionid"+sess.Key() {
		t.Errorf("create: %s %s", got, entryOf(fx))
	}
	must(t, store.Save(ctx, fx, sess))
	must(t, store.Flush(ctx, fx, sess))
	if got := fx.did(); got != "file_replace file_delete" {
		t.Errorf("save and flush: %s", got)
	}
	// Other characters could leave the folder; Django raises InvalidSessionKey.
	for _, key := range []string{"../../../etc/passwd", "ABCDEFGHIJKL", "12345678.", "1234567\u00e9", strings.Repeat("a", 300)} {
		got := load(t, store, fx, key)
		must(t, store.Delete(ctx, fx, key))
		if err := store.Save(ctx, fx, djsession.NewSession(key)); err != djsession.ErrUpdate {
			t.Errorf("%q: save: %v", key, err)
		}
		if did := fx.did(); got.Key() != "" || did != "" {
			t.Errorf("%q: %s", key, did)
		}
	}
	fx.broken[djsession.FileGet] = errDown
	if _, err := store.Load(ctx, fx, "abcdefgh"); !errors.Is(err, djsession.ErrStorage) {
		t.Errorf("a folder that cannot be read: %v", err)
	}
	fx.broken[djsession.FileGet] = nil
	fx.broken[djsession.FileList] = errDown
	if _, err := store.ClearExpired(ctx, fx); !errors.Is(err, djsession.ErrStorage) {
		t.Errorf("clearing a folder that cannot be read: %v", err)
	}
}

// Django's SessionStore.load: _session_expiry counts, or the file's last change
// and the cookie age; what is left must be a whole second or more.
func TestFileExpiry(t *testing.T) {
	const age = 1209600 * time.Second
	for _, c := range []struct {
		expiry   string
		modified time.Duration // before now
		alive    bool
	}{
		{"", 0, true}, {"", age - time.Second, true}, {"", age - time.Second/2, false}, {"", age, false}, {"", -time.Hour, true},
		{"0", age - time.Second, true}, {"0", age, false}, {"null", age, false},
		{"1", 100 * age, true}, {"300", time.Hour, true}, {"-1", 0, false}, {"0.5", 0, true}, {"true", 0, true},
		{`"2026-01-15T12:00:01.250000+00:00"`, 100 * age, true}, {`"2026-01-15T12:00:01.249999+00:00"`, 0, false}, {`"2026-01-15T13:00:02+02:00"`, 0, false},
		{`"tomorrow"`, 0, true}, {`"2027-01-15T13:00:02"`, 0, true}, // Django fails, and deletes no cookie
	} {
		store, fx := newEngine(t, djsession.EngineFile, "5.2")
		var items []djsession.Item
		if c.expiry != "" {
			items = []djsession.Item{{Key: "_session_expiry", Raw: c.expiry}}
		}
		data, err := store.Encode(items, start)
		must(t, err)
		e := supply(data, 0)
		e.Modified = start.Add(-c.modified)
		fx.stored["sessionidabcdefgh"] = e
		if got := load(t, store, fx, "abcdefgh"); (got.Key() != "") != c.alive {
			t.Errorf("expiry %s, changed %v ago: key %q, %v", c.expiry, c.modified, got.Key(), got.Err())
		}
		if len(fx.stored) != 1 {
			t.Error("reading wrote")
		}
	}
	// A file that is being created is an empty session; one without a signature too.
	store, fx := newEngine(t, djsession.EngineFile, "5.2")
	for value, corrupt := range map[string]bool{"": false, "e30:1:x": true} {
		e := supply(value, 0)
		e.Modified = start
		fx.stored["sessionidabcdefgh"] = e
		if got := load(t, store, fx, "abcdefgh"); got.Key() != "abcdefgh" || got.Len() != 0 || (got.Err() != nil) != corrupt {
			t.Errorf("%q: key %q, %v", value, got.Key(), got.Err())
		}
	}
}

func TestSignedCookies(t *testing.T) {
	store, fx := newEngine(t, djsession.EngineSignedCookies, "5.2")
	sess := created(t, store, fx, djsession.Item{Key: "_session_expiry", Raw: "60"})
	fx.random = func(int) ([]byte, error) { return nil, djsession.ErrNoRandomness }
	must(t, store.Save(ctx, fx, sess))
	cookie, err := store.SetCookie(sess, fx.Now())
	must(t, err)
	if !strings.HasPrefix(cookie, "sessionid="+sess.Key()+"; expires=") || !strings.Contains(cookie, "; Max-Age=60;") {
		t.Errorf("cookie %s", cookie)
	}
	// The server's limit is the cookie age, not the session's own expiry.
	fx.now = start.Truncate(time.Second).Add(1209600 * time.Second)
	if got := load(t, store, fx, sess.Key()); got.Len() != 1 {
		t.Errorf("at the cookie age: %v", got.Err())
	}
	fx.now = fx.now.Add(time.Millisecond)
	for _, key := range []string{sess.Key(), "12345678", "e30:1:xy", sess.Key()[1:]} {
		got := load(t, store, fx, key)
		if got.Key() != key || got.Len() != 0 || !got.Modified() || got.Err() == nil || got.Empty() {
			t.Errorf("%q: key %q, %v", key, got.Key(), got.Err())
		}
	}
	if fx.did() != "" || len(store.Statements()) != 0 {
		t.Error("signed cookies need no storage")
	}
	// What no browser would keep is refused, and the session stays as it was.
	fits := ""
	for size := 0; ; size++ {
		sess := djsession.NewSession("", djsession.Item{Key: "r", Raw: `"` + noise(size*64) + `"`})
		if err := store.Create(ctx, fx, sess); err != nil {
			if !errors.Is(err, djsession.ErrCookieSize) || sess.Key() != "" || size < 20 {
				t.Errorf("%d bytes: %v", size*64, err)
			}
			break
		}
		fits = sess.Key()
	}
	if n := len(fits) + len("sessionid"); n > 4096 || n < 3900 {
		t.Errorf("the largest cookie has %d bytes", n)
	}
	bomb := djsession.NewSession("", djsession.Item{Key: "r", Raw: `"` + strings.Repeat("a", 65536) + `"`})
	if err := store.Create(ctx, fx, bomb); !errors.Is(err, djsession.ErrCookieSize) {
		t.Errorf("a bomb: %v", err)
	}
	signed := signing.Dumps(`{"r":"`+strings.Repeat("a", 65536)+`"}`, signing.DeriveKeys("", "secret", nil).Cookie.Current, true, fx.now)
	if got := load(t, store, fx, signed); !errors.Is(got.Err(), signing.ErrTooLarge) {
		t.Errorf("a bomb of the site's own: %v", got.Err())
	}
}

// noise is text that does not compress.
func noise(n int) string {
	var b strings.Builder
	for state := uint32(1); b.Len() < n; {
		state = state*1664525 + 1013904223
		b.WriteByte("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[state>>26])
	}
	return b.String()
}

// Each release has its keys: a cookie's are not those of session data.
func TestEngineKeys(t *testing.T) {
	all := signing.DeriveKeys("", "secret", []string{"older"})
	for _, c := range []struct {
		engine  djsession.Engine
		release version.Version
		keys    signing.Keys
		missing string
	}{
		{djsession.EngineCache, version.Version{Major: 5, Minor: 2}, signing.Keys{}, ""},
		{djsession.EngineSignedCookies, version.Version{Major: 5, Minor: 2}, signing.Keys{Session: all.Session}, "key_cookie:"},
		{djsession.EngineSignedCookies, version.Version{Major: 2, Minor: 2}, signing.Keys{Cookie: all.Cookie}, "key_cookie_sha1:"},
		{djsession.EngineSignedCookies, version.Version{Major: 2, Minor: 2}, signing.Keys{CookieSHA1: all.CookieSHA1}, ""},
		{djsession.EngineFile, version.Version{Major: 5, Minor: 2}, signing.Keys{Cookie: all.Cookie}, "key_session:"},
		{djsession.EngineCachedDB, version.Version{Major: 3}, signing.Keys{Session: all.Session}, "key_session_legacy:"},
	} {
		_, err := djsession.New(djsession.Settings{Engine: c.engine, Version: c.release, Keys: c.keys})
		if c.missing == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), c.missing) {
			t.Errorf("%s of %v: %v", c.engine, c.release, err)
		}
	}
	for _, v := range version.Supported {
		store := newStore(t, djsession.Settings{Version: v, Keys: all})
		k := store.Settings().Keys
		for _, ring := range []signing.Ring{k.Session, k.SessionSHA1, k.SessionLegacy, k.Cookie, k.CookieSHA1, k.AuthHash, k.AuthHashSHA1} {
			if want := v.AtLeast(4, 1); len(ring.Fallbacks) > 0 != want || ring.Current.IsZero() {
				t.Errorf("%v honours %d fallbacks", v, len(ring.Fallbacks))
			}
		}
	}
	if len(all.Session.Fallbacks) != 1 {
		t.Error("the caller's keys were changed")
	}
}

// Of the files, page by page, those of sessions that are over go; what is no
// session's, and what only Django may read, stays.
func TestClearFiles(t *testing.T) {
	store, fx := newEngine(t, djsession.EngineFile, "5.2")
	put := func(name, data string, age time.Duration) {
		e := supply(data, 0)
		e.Modified = start.Add(-age)
		fx.stored[name] = e
	}
	const year = 365 * 24 * time.Hour
	data, err := store.Encode(nil, start)
	must(t, err)
	for i := range 2500 {
		put("sessionid"+strings.Repeat("0", 8)+strconv.Itoa(10000+i), data, time.Duration(i%2)*year)
	}
	deep, err := store.Encode([]djsession.Item{{Key: "a", Raw: strings.Repeat("[", 150) + strings.Repeat("]", 150)}}, start)
	must(t, err)
	for name, alive := range map[string]bool{
		"sessionidabcdefgh": false, "sessionidabcdefgh_out_x": true, "sessionidABCDEFGH": true, "sessionidshort": true, "sessionid": true, "other": true, "sessionid_abcdefg": true,
	} {
		put(name, deep, year)
		defer func() {
			if _, there := fx.stored[name]; there != alive {
				t.Errorf("%s is there: %v", name, there)
			}
		}()
	}
	keys := signing.DeriveKeys("", "secret", nil)
	put("sessionidunreadunread", signing.Dumps(`{"a":`+strings.Repeat("[", 300)+strings.Repeat("]", 300)+`}`, keys.Session.Current, true, start), year)
	n, err := store.ClearExpired(ctx, fx)
	if err != nil || n != 1251 || len(fx.stored) != 1250+6+1 {
		t.Errorf("%d are cleared, %d left: %v", n, len(fx.stored), err)
	}
	if did := fx.did(); strings.Count(did, "file_list") != 3 || strings.Contains(did, "file_create") {
		t.Errorf("asked for %d lists", strings.Count(did, "file_list"))
	}
}
