package djsession_test

import (
	"encoding/base64"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pickle"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/internal/vectortest"
)

// Each kind of wrong data has its own word, in each engine that can hold it.
func TestFaults(t *testing.T) {
	const key = "abcdefghijklmnop"
	keys := signing.DeriveKeys("", "secret", nil)
	signed := func(text string) string { return signing.Dumps(text, keys.Session.Current, true, start) }
	dated := func(payload string) string { return signing.SignTimestamp(payload, keys.Session.Current, start) }
	baked := func(text string) string { return signing.Dumps(text, keys.Cookie.Current, true, start) }
	bomb := `{"a":"` + strings.Repeat("x", 4<<20) + `"}`
	deep := `{"a":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`
	cases := []struct {
		engine djsession.Engine
		cache  djsession.Cache
		data   string
		flags  uint32
		want   djsession.Fault
	}{
		{engine: djsession.EngineDB, data: signed(`{}`)},
		{engine: djsession.EngineDB, data: "", want: "signature"},
		{engine: djsession.EngineDB, data: "e30:1:x", want: "signature"},
		{engine: djsession.EngineDB, data: strings.Repeat(":", 1<<20), want: "signature"},
		{engine: djsession.EngineDB, data: signing.Sign("e30", keys.Session.Current), want: "timestamp"},
		{engine: djsession.EngineDB, data: signing.Sign("e30:!", keys.Session.Current), want: "timestamp"},
		{engine: djsession.EngineDB, data: dated("e"), want: "base64"},
		{engine: djsession.EngineDB, data: dated(".e30"), want: "zlib"},
		{engine: djsession.EngineDB, data: signed(bomb), want: "size"},
		{engine: djsession.EngineDB, data: signed(deep), want: "json_depth"},
		{engine: djsession.EngineDB, data: signed(`[]`), want: "json"},
		{engine: djsession.EngineDB, data: signed(`{"a":01}`), want: "json"},
		{engine: djsession.EngineFile, data: "e30:1:x", want: "signature"},
		{engine: djsession.EngineFile, data: signed(bomb), want: "size"},
		{engine: djsession.EngineCachedDB, data: "\x80\x05.", want: "pickle_stack"},
		{engine: djsession.EngineCache, data: "\x80\x05cos\nsystem\n(X\x01\x00\x00\x00atR.", want: "pickle_global"},
		{engine: djsession.EngineCache, data: "17", want: "pickle_protocol"},
		{engine: djsession.EngineCache, data: "\x80\x05].", want: "pickle_top"},
		{engine: djsession.EngineCache, data: strings.Repeat("x", 2<<20), want: "size"},
		{engine: djsession.EngineCache, cache: djsession.Cache{Format: djsession.CacheMemcached}, data: "17", flags: 2, want: "flags"},
		{engine: djsession.EngineCache, cache: djsession.Cache{Format: djsession.CacheMemcached}, data: "no zlib", flags: 9, want: "zlib"},
		{engine: djsession.EngineCache, cache: djsession.Cache{Format: djsession.CacheMemcached}, data: signing.Deflate(bomb), flags: 9, want: "size"},
		{engine: djsession.EngineCache, cache: djsession.Cache{Format: djsession.CacheDjangoRedis, Compressor: "zlib"}, data: signing.Deflate(bomb), want: "size"},
		{engine: djsession.EngineCache, cache: djsession.Cache{Format: djsession.CacheDjangoRedis, Serializer: "json"}, data: `{"a":`, want: "json"},
		{engine: djsession.EngineCache, cache: djsession.Cache{Format: djsession.CacheDjangoRedis, Serializer: "json"}, data: deep, want: "json_depth"},
		{engine: djsession.EngineSignedCookies, data: baked(`{}`)},
		{engine: djsession.EngineSignedCookies, data: "12345678", want: "signature"},
		{engine: djsession.EngineSignedCookies, data: baked(`{"a":"` + strings.Repeat("x", 1<<17) + `"}`), want: "size"},
		{engine: djsession.EngineSignedCookies, data: signing.Dumps("{}", keys.Cookie.Current, true, start.Add(-365*24*time.Hour))}, // only old
	}
	for _, c := range cases {
		store, fx := newStore(t, djsession.Settings{Engine: c.engine, Cache: c.cache, Keys: keys}), newFake(t)
		name := key
		fx.rows[key] = row{signed(`{"a":1}`), store.Time(start.Add(time.Hour))}
		stored := supply(c.data, c.flags)
		stored.Modified = start
		switch c.engine {
		case djsession.EngineDB:
			fx.rows[key] = row{c.data, store.Time(start.Add(time.Hour))}
		case djsession.EngineSignedCookies:
			name = c.data
		default:
			fx.stored["sessionid"+key] = stored
			fx.stored[":1:django.contrib.sessions."+string(c.engine)+key] = stored
		}
		bounded(t, c.data, func() {
			sess := load(t, store, fx, name)
			if got := sess.Fault(); got != c.want || got != "" && c.engine != djsession.EngineCachedDB && sess.Len() != 0 {
				t.Errorf("%s %.30q: fault %q, want %q (%v)", c.engine, c.data, got, c.want, sess.Err())
			}
		})
	}
}

// bounded runs f, which must neither take long nor use much memory.
func bounded(t *testing.T, data string, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	f()
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if took > 5*time.Second { // on a busy machine under the race detector
		t.Errorf("%.30q takes %v", data, took)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 100<<20 {
		t.Errorf("%.30q allocates %d MiB", data, used>>20)
	}
}

// Every hostile, malformed and enormous pickle of the vectors has a fault that
// is a known word, and decisions tell of it.
func TestFaultsOfPickles(t *testing.T) {
	vectors, err := vectortest.Read[struct{ ID, Tag, Class, B64 string }](vectortest.Main, "pickle")
	must(t, err)
	store := newStore(t, djsession.Settings{Engine: djsession.EngineCache})
	seen := map[djsession.Fault]int{}
	for _, v := range vectors {
		if !slices.Contains([]string{"hostile", "malformed", "resource"}, v.Class) || v.Tag == "resource/many-marks" {
			continue
		}
		data, err := base64.StdEncoding.DecodeString(v.B64)
		must(t, err)
		fx := newFake(t)
		fx.stored[":1:django.contrib.sessions.cacheabcdefgh"] = supply(string(data), 0)
		bounded(t, v.ID, func() {
			fault := load(t, store, fx, "abcdefgh").Fault()
			if got, ok := djsession.ParseDetail(fault.Detail()); !ok || got != fault || !strings.HasPrefix(string(fault), "pickle_") {
				t.Errorf("%s %s: fault %q", v.ID, v.Tag, fault)
			}
			seen[fault]++
		})
	}
	if len(seen) < 5 {
		t.Error("too few kinds of faults")
	}
	t.Log(seen)
}

func TestDetail(t *testing.T) {
	for r := pickle.ReasonOpcode; r <= pickle.ReasonInteger; r++ {
		fault := djsession.FaultOf(&pickle.Error{Reason: r})
		if got, ok := djsession.ParseDetail(fault.Detail()); !ok || got != fault {
			t.Errorf("%q is parsed as %q", fault, got)
		}
	}
	if got, ok := djsession.ParseDetail(djsession.FaultSize.Detail() + "; and more"); !ok || got != "size" {
		t.Errorf("with text behind it: %q", got)
	}
	if got := djsession.FaultOf(io.EOF); got != "other" {
		t.Errorf("an unknown error is %q", got)
	}
	if got := djsession.Fault("").Detail(); got != "" || djsession.FaultOf(nil) != "" || djsession.FaultOf(errors.Join(signing.ErrExpired)) != "" {
		t.Errorf("no fault is %q", got)
	}
	if got, ok := djsession.ParseDetail("session data: other"); !ok || got != "other" {
		t.Errorf("other is %q", got)
	}
	for _, detail := range []string{"", "size", "session data: ", "session data: pickle_", "session data: pickle_none", "session data: pickle_x", "session data: x"} {
		if got, ok := djsession.ParseDetail(detail); ok {
			t.Errorf("%q is the fault %q", detail, got)
		}
	}
}
