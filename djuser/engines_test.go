package djuser_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
)

// The user of a session that is not in the database is asked for alone, by what
// the session says: a hint is worth nothing.
func TestFromKeyWithoutASessionTable(t *testing.T) {
	for _, engine := range []djsession.Engine{djsession.EngineCache, djsession.EngineFile, djsession.EngineSignedCookies} {
		s := newSite(t)
		s.add("zoe", "one", true)
		keys := signing.DeriveKeys("", secret, nil)
		store, err := djsession.New(djsession.Settings{Engine: engine, Dialect: query.SQLite, Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		users, err := djuser.New(djuser.Settings{Version: version.Default, Dialect: query.SQLite, Hashers: s.hashers, Keys: keys}, store)
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]djsession.StorageResult{}
		s.storage = func(op djsession.StorageOp) (result djsession.StorageResult, err error) {
			if op.Kind == djsession.CacheAdd || op.Kind == djsession.FileCreate {
				values[op.Key] = djsession.StorageResult{Found: true, Value: op.Value, Modified: now}
			}
			return values[op.Key], nil
		}
		sess := djsession.NewSession("", djsession.Item{Key: "_auth_user_id", Raw: `"1"`}, djsession.Item{Key: "_auth_user_backend", Raw: `"` + backend + `"`},
			djsession.Item{Key: "_auth_user_hash", Raw: `"` + users.SessionAuthHash("one") + `"`})
		if err := store.Create(t.Context(), s.fake, sess); err != nil {
			t.Fatal(err)
		}
		inCookie := engine == djsession.EngineSignedCookies
		is := func(key string, hint query.Value, want gate.Reason) {
			t.Helper()
			got, user, why, err := users.FromKey(t.Context(), s.fake, key, hint)
			if got == nil || why != want || (user != nil) != (want == gate.ReasonOK) || (err != nil) != (want == gate.ReasonDatabaseUnavailable) {
				t.Errorf("%s: %v, %v, want %v", engine, why, err, want)
			}
			if err != nil && !errors.Is(err, djsession.ErrStorage) {
				t.Errorf("%s: %v", engine, err)
			}
		}
		s.reset()
		is(sess.Key(), query.Int(999), gate.ReasonOK)
		want := "storage user_by_id"
		if inCookie {
			want = "user_by_id"
		}
		if did := strings.Join(s.log, " "); did != want {
			t.Errorf("%s: %s, want %s", engine, did, want)
		}
		if inCookie {
			is(sess.Key()[1:], query.Null(), gate.ReasonSessionCorrupt)
			is(signing.Dumps("{}", keys.Cookie.Current, true, now.AddDate(0, -1, 0)), query.Null(), gate.ReasonSessionUnknown)
			continue
		}
		for key, value := range values {
			value.Value = "17"
			values[key] = value
		}
		is(sess.Key(), query.Null(), gate.ReasonSessionCorrupt)
		clear(values)
		is(sess.Key(), query.Null(), gate.ReasonSessionUnknown)
		s.storage = nil // which fails
		is(sess.Key(), query.Null(), gate.ReasonDatabaseUnavailable)
	}
}
