package host_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/build/compat/record"
	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host"
)

// siteEffects are this machine's clock, randomness, database and storage.
type siteEffects struct {
	storage host.Storage
	db      host.DB
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

// One Django of each release does everything in turn: to start it takes longer.
func TestDjangoSessions(t *testing.T) {
	servers := startStores(t)
	for _, release := range djangos {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			for _, site := range servers.start(t, release, nil).sites() {
				t.Run(site.name(), site.test)
			}
		})
	}
	berlin := zone(t, "Europe/Berlin")
	t.Run("USE_TZ off", func(t *testing.T) {
		t.Parallel()
		for _, site := range (stores{databases: servers.databases}).start(t, "5.2", berlin).sites() {
			if site.engine == djsession.EngineDB {
				t.Run(site.name(), site.test)
			}
		}
	})
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// test: each side reads, changes, moves and ends what the other wrote.
func (site sessionSite) test(t *testing.T) {
	record.Passed(t, site.cell())
	store, fx := site.open(t)
	inCookie := site.engine == djsession.EngineSignedCookies
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
	written := site.do(t, sessionRequest{Do: "write"})
	sess := load(written.Key)
	same(sess, written)
	sess.Set("go", "[1.0,NaN]")
	check(store.Save(t.Context(), fx, sess))
	same(sess, site.do(t, sessionRequest{Do: "read", Key: sess.Key()}))
	old := sess.Key()
	check(store.CycleKey(t.Context(), fx, sess))
	same(sess, site.do(t, sessionRequest{Do: "read", Key: sess.Key()}))
	if got := site.do(t, sessionRequest{Do: "read", Key: old}); got.Repr != "[]" && !inCookie {
		t.Errorf("the old key still works: %+v", got)
	}

	inTable := site // which a session of cached_db is in, too
	if site.engine == djsession.EngineCachedDB {
		inTable.engine = djsession.EngineDB
		same(sess, inTable.do(t, sessionRequest{Do: "read", Key: sess.Key()}))
	}

	// Django changes and moves; we read.
	changed := site.do(t, sessionRequest{Do: "change", Key: sess.Key(), Value: 7})
	same(load(changed.Key), changed)
	if site.engine == djsession.EngineCachedDB {
		table, fx := inTable.open(t)
		row, err := table.Load(t.Context(), fx, changed.Key)
		check(err)
		same(row, changed)
	}
	moved := site.do(t, sessionRequest{Do: "cycle", Key: changed.Key})
	same(load(moved.Key), site.do(t, sessionRequest{Do: "read", Key: moved.Key}))

	if site.engine == djsession.EngineCache && site.cache.set.Serializer != "json" { // values that JSON cannot say survive
		written := site.do(t, sessionRequest{Do: "write", Typed: true})
		sess := load(written.Key)
		sess.Set("n", "3")
		check(store.Save(t.Context(), fx, sess))
		if got := site.do(t, sessionRequest{Do: "read", Key: sess.Key()}); got.Repr != written.Repr {
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
	site.do(t, sessionRequest{Do: "flush", Key: moved.Key})
	if err := store.Save(t.Context(), fx, late); !errors.Is(err, djsession.ErrUpdate) || load(moved.Key).Key() != "" {
		t.Errorf("a save after Django's logout: %v", err)
	}
	check(store.Flush(t.Context(), fx, sess))
	if got := site.do(t, sessionRequest{Do: "read", Key: old}); got.Repr != "[]" {
		t.Errorf("Django reads an ended session: %+v", got)
	}
	ended := site.do(t, sessionRequest{Do: "write"})
	check(store.Delete(t.Context(), fx, ended.Key))
	if got := site.do(t, sessionRequest{Do: "change", Key: ended.Key}); got.Error != "UpdateError" && got.Key == ended.Key {
		t.Errorf("Django brings an ended session back: %+v", got)
	}
	// Expired is expired.
	if short := site.do(t, sessionRequest{Do: "write", Expiry: -1800}); load(short.Key).Key() != "" {
		t.Error("a session that Django wrote as expired lives")
	}
	if long := site.do(t, sessionRequest{Do: "write", Expiry: 1800}); load(long.Key).Key() != long.Key {
		t.Error("a session that expires in half an hour is gone")
	}
}

// Without USE_TZ Django counts on the site's clock, also where that jumps.
func TestDjangoExpiryWithoutUseTZ(t *testing.T) {
	for _, name := range []string{"America/Chicago", "Europe/Berlin", "Australia/Lord_Howe"} {
		zone := zone(t, name)
		site := sessionSite{djangoSessions: stores{databases: []string{"sqlite"}}.start(t, "5.2", zone), engine: djsession.EngineDB, database: "sqlite"}
		store, _ := site.open(t)
		for _, expiry := range []any{nil, 0, 60, 86400 * 30, 0.5, -3, "2026-07-01T10:00:00.000001", "2026-12-01T10:00:00", "2026-07-01T10:00:00+00:00"} {
			for _, modified := range []string{"2026-01-01T00:00:00", "2026-03-20T12:00:00.250000", "2026-10-20T12:00:00", "2026-07-01T09:59:59.999999"} {
				want := site.do(t, sessionRequest{Do: "expiry", Expiry: expiry, Modified: modified})
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
