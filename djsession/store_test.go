package djsession_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
)

var ctx = context.Background()

func forDialects(t *testing.T, f func(t *testing.T, store *djsession.Store, fx *fake)) {
	for _, d := range []query.Dialect{query.PostgreSQL, query.SQLite, query.MySQL} {
		t.Run(d.String(), func(t *testing.T) {
			fx := newFake(t)
			fx.loose = d == query.MySQL
			f(t, newStore(t, djsession.Settings{Dialect: d}), fx)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, store *djsession.Store, fx *fake, key string) *djsession.Session {
	t.Helper()
	sess, err := store.Load(ctx, fx, key)
	must(t, err)
	return sess
}

var wellFormed = regexp.MustCompile(`^[a-z0-9]{32}$`)

func TestLifeOfASession(t *testing.T) {
	forDialects(t, func(t *testing.T, store *djsession.Store, fx *fake) {
		sess := djsession.NewSession("")
		sess.SetText("name", "zoë")
		sess.Set("n", "1.0")
		must(t, store.Save(ctx, fx, sess)) // without a key, so it is created
		key := sess.Key()
		if !wellFormed.MatchString(key) || fx.asked() != "insert" {
			t.Fatalf("created %q", key)
		}
		if want := store.Settings().Dialect.Time(start.Add(1209600 * time.Second)); fx.rows[key].expires != want {
			t.Errorf("expires at %v, want %v", fx.rows[key].expires, want)
		}

		fx.now = start.Add(time.Hour)
		sess = load(t, store, fx, key)
		if fx.asked() != "load" || sess.Key() != key || sess.Accessed() || sess.Modified() || sess.Err() != nil {
			t.Errorf("loaded %+v", sess)
		}
		if name, ok := sess.Text("name"); name != "zoë" || !ok || !sess.Accessed() || sess.Modified() {
			t.Errorf("name is %q, %v", name, ok)
		}
		sess.Delete("name")
		must(t, store.Save(ctx, fx, sess))
		if fx.asked() != "update" {
			t.Error("a stored session is saved by one UPDATE")
		}
		sess = load(t, store, fx, key)
		if want := []djsession.Item{{Key: "n", Raw: "1.0"}}; !slices.Equal(sess.Items(), want) {
			t.Errorf("items are %v, want %v", sess.Items(), want)
		}

		fx.asked()
		must(t, store.CycleKey(ctx, fx, sess))
		if fx.asked() != "insert delete" || sess.Key() == key || !wellFormed.MatchString(sess.Key()) || len(fx.rows) != 1 || !sess.Modified() {
			t.Errorf("cycled to %q, %d rows", sess.Key(), len(fx.rows))
		}
		if load(t, store, fx, sess.Key()).Len() != 1 || load(t, store, fx, key).Key() != "" {
			t.Error("cycling moves the entries to the new key")
		}

		fx.asked()
		must(t, store.Flush(ctx, fx, sess))
		if fx.asked() != "delete" || !sess.Empty() || !sess.Modified() || len(fx.rows) != 0 {
			t.Errorf("flushed: %+v, %d rows", sess, len(fx.rows))
		}
		must(t, store.Flush(ctx, fx, sess)) // nothing stored: nothing asked
		must(t, store.Delete(ctx, fx, key+key))
		if fx.asked() != "delete" {
			t.Error("a session without a key has no row to delete")
		}
	})
}

// A logout elsewhere wins: what was deleted is not inserted again.
func TestSaveDeleted(t *testing.T) {
	forDialects(t, func(t *testing.T, store *djsession.Store, fx *fake) {
		sess := djsession.NewSession("")
		must(t, store.Create(ctx, fx, sess))
		must(t, store.Delete(ctx, fx, sess.Key()))
		if err := store.Save(ctx, fx, sess); !errors.Is(err, djsession.ErrUpdate) || len(fx.rows) != 0 {
			t.Errorf("saved: %v, %d rows", err, len(fx.rows))
		}
	})
}

func TestExpired(t *testing.T) {
	forDialects(t, func(t *testing.T, store *djsession.Store, fx *fake) {
		sess := djsession.NewSession("")
		sess.Set("_session_expiry", "60")
		must(t, store.Create(ctx, fx, sess))
		key := sess.Key()
		fx.now = start.Add(60*time.Second - time.Microsecond)
		if got := load(t, store, fx, key).Key(); got != key {
			t.Errorf("just before it expires: %q", got)
		}
		fx.now = start.Add(60 * time.Second) // expire_date > now is strict
		if got := load(t, store, fx, key).Key(); got != "" {
			t.Errorf("when it expires: %q", got)
		}
		if n, err := store.ClearExpired(ctx, fx); n != 0 || err != nil { // and so is expire_date < now
			t.Errorf("cleared %d, %v", n, err)
		}
		fx.now = fx.now.Add(time.Microsecond)
		if n, err := store.ClearExpired(ctx, fx); n != 1 || err != nil || len(fx.rows) != 0 {
			t.Errorf("cleared %d, %v", n, err)
		}
	})
}

// No fixation: a key that is not stored is never taken over.
func TestUnknownKeys(t *testing.T) {
	forDialects(t, func(t *testing.T, store *djsession.Store, fx *fake) {
		for _, key := range []string{"", "short", "with\x00nul", "12345678\xff", strings.Repeat("x", 5000), "unknown-but-well-formed", "' OR 1=1 --"} {
			sess := load(t, store, fx, key)
			if sess.Key() != "" || !sess.Empty() {
				t.Errorf("%q was adopted", key)
			}
		}
		if got := fx.asked(); got != "load load" {
			t.Errorf("asked %q, want two", got)
		}
	})
}

// MySQL finds keys that only resemble the stored one.
func TestLooseCollation(t *testing.T) {
	store, fx := newStore(t, djsession.Settings{Dialect: query.MySQL}), newFake(t)
	fx.loose = true
	sess := djsession.NewSession("")
	must(t, store.Create(ctx, fx, sess))
	for _, key := range []string{strings.ToUpper(sess.Key()), sess.Key() + "  "} {
		if got := load(t, store, fx, key); got.Key() != "" {
			t.Errorf("%q finds %q", key, got.Key())
		}
	}
}

func TestCreateRetries(t *testing.T) {
	store, fx := newStore(t, djsession.Settings{}), newFake(t)
	same := fx.random
	calls := 0
	fx.random = func(n int) ([]byte, error) {
		if calls++; calls <= 3 {
			return bytes.Repeat([]byte{1}, n), nil
		}
		return same(n)
	}
	one, two := djsession.NewSession(""), djsession.NewSession("")
	must(t, store.Create(ctx, fx, one))
	must(t, store.Create(ctx, fx, two))
	if got := fx.asked(); got != "insert insert insert insert" || one.Key() == two.Key() || len(fx.rows) != 2 {
		t.Errorf("asked %q", got)
	}
	fx.random = func(n int) ([]byte, error) { return bytes.Repeat([]byte{1}, n), nil }
	err := store.Create(ctx, fx, two)
	if !errors.Is(err, query.ErrDuplicate) || strings.Count(fx.asked(), "insert") > 10 || len(fx.rows) != 2 {
		t.Errorf("without randomness: %v, %d rows", err, len(fx.rows))
	}
}

func TestNoRandomness(t *testing.T) {
	store, fx := newStore(t, djsession.Settings{}), newFake(t)
	for name, random := range map[string]func(int) ([]byte, error){
		"refused": func(int) ([]byte, error) { return nil, djsession.ErrNoRandomness },
		"empty":   func(int) ([]byte, error) { return nil, nil },
		"biased":  func(n int) ([]byte, error) { return bytes.Repeat([]byte{0xff}, n), nil },
	} {
		fx.random = random
		sess := djsession.NewSession("")
		if err := store.Save(ctx, fx, sess); !errors.Is(err, djsession.ErrNoRandomness) || sess.Key() != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := fx.asked(); got != "" {
		t.Errorf("asked %q", got)
	}
}

// Each of the 36 characters comes from exactly seven of the 252 bytes in use.
func TestKeysAreUnbiased(t *testing.T) {
	fx := newFake(t)
	next := 0
	fx.random = func(n int) ([]byte, error) {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(next)
			next++
		}
		return b, nil
	}
	counts := map[rune]int{}
	for range 252 {
		fx.random(0)
		key, err := djsession.NewKey(ctx, fx)
		must(t, err)
		for _, r := range key {
			counts[r]++
		}
	}
	if len(counts) != 36 {
		t.Errorf("%d characters are used", len(counts))
	}
	low, high := 1<<30, 0
	for _, n := range counts {
		low, high = min(low, n), max(high, n)
	}
	if high-low > high/8 {
		t.Errorf("characters come %d to %d times", low, high)
	}
}

// An unreachable database is an error, never an empty session, and leaves the
// session as it was.
func TestDatabaseDown(t *testing.T) {
	forDialects(t, func(t *testing.T, store *djsession.Store, fx *fake) {
		sess := djsession.NewSession("")
		sess.Set("a", "1")
		must(t, store.Create(ctx, fx, sess))
		key := sess.Key()
		for _, name := range []string{"load", "insert", "update", "delete", "clear_expired"} {
			fx.fail["session_"+name] = errDown
		}
		for name, f := range map[string]func() error{
			"load":   func() error { _, err := store.Load(ctx, fx, key); return err },
			"create": func() error { return store.Create(ctx, fx, sess) },
			"save":   func() error { return store.Save(ctx, fx, sess) },
			"delete": func() error { return store.Delete(ctx, fx, key) },
			"cycle":  func() error { return store.CycleKey(ctx, fx, sess) },
			"flush":  func() error { return store.Flush(ctx, fx, sess) },
			"clear":  func() error { _, err := store.ClearExpired(ctx, fx); return err },
		} {
			if err := f(); !errors.Is(err, errDown) || strings.Contains(err.Error(), key) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if sess.Key() != key || sess.Len() != 1 {
			t.Errorf("the session became %+v", sess)
		}
		// Cycling while only deletes fail leaves both rows, and the new key.
		delete(fx.fail, "session_insert")
		if err := store.CycleKey(ctx, fx, sess); !errors.Is(err, errDown) || sess.Key() == key || len(fx.rows) != 2 {
			t.Errorf("cycled: %v, %q, %d rows", err, sess.Key(), len(fx.rows))
		}
	})
}

// As in Django, a session whose data cannot be read is empty, keeps its key,
// and is replaced by the next save.
func TestCorruptData(t *testing.T) {
	store, fx := newStore(t, djsession.Settings{}), newFake(t)
	sess := djsession.NewSession("")
	sess.Set("a", "1")
	must(t, store.Create(ctx, fx, sess))
	r := fx.rows[sess.Key()]
	r.data = strings.Replace(r.data, "e", "f", 1)
	fx.rows[sess.Key()] = r
	got := load(t, store, fx, sess.Key())
	if got.Key() != sess.Key() || got.Len() != 0 || !errors.Is(got.Err(), signing.ErrBadSignature) {
		t.Errorf("loaded %+v", got)
	}
	got.Set("b", "2")
	must(t, store.Save(ctx, fx, got))
	if got := load(t, store, fx, sess.Key()); got.Len() != 1 || got.Err() != nil {
		t.Errorf("loaded %+v", got)
	}
}

// What cannot be stored is refused before anything is written.
func TestUnstorable(t *testing.T) {
	store, fx := newStore(t, djsession.Settings{MaxDataBytes: 1000}), newFake(t)
	for key, raw := range map[string]string{
		"bad":             "{",
		"empty":           "",
		"two":             "1,2",
		"deep":            strings.Repeat("[", 201) + strings.Repeat("]", 201),
		"long":            `"` + strings.Repeat("x", 1000) + `"`,
		"_session_expiry": `"2026-01-15T12:00:10"`,
	} {
		sess := djsession.NewSession("")
		sess.Set(key, raw)
		if err := store.Save(ctx, fx, sess); err == nil || sess.Key() != "" {
			t.Errorf("%s was stored", key)
		}
	}
	if got := fx.asked(); got != "" {
		t.Errorf("asked %q", got)
	}
}

// Values that nobody touches keep their text, whatever it is.
func TestUntouchedValues(t *testing.T) {
	for _, release := range version.Supported {
		store, fx := newStore(t, djsession.Settings{Version: release}), newFake(t)
		items := []djsession.Item{
			{Key: "nested", Raw: strings.Repeat("[", 200) + strings.Repeat("]", 200)}, {Key: "nan", Raw: "[NaN,-Infinity]"},
			{Key: "big", Raw: strings.Repeat("9", 400)}, {Key: "lone", Raw: `"\ud800 \udc00\ud800"`}, {Key: "float", Raw: "[1.0,1e+16,-0.0,1.50]"},
			{Key: "spaces", Raw: `{ "a" : 1, "a" : 2 }`}, {Key: "k\u00e9y \xed\xa0\x80", Raw: `"\u00E9\/"`},
		}
		sess := djsession.NewSession("", items...)
		must(t, store.Create(ctx, fx, sess))
		sess = load(t, store, fx, sess.Key())
		sess.Set("other", "1")
		must(t, store.Save(ctx, fx, sess))
		got := load(t, store, fx, sess.Key()).Items()
		if want := append(slices.Clone(items), djsession.Item{Key: "other", Raw: "1"}); !slices.Equal(got, want) {
			t.Errorf("%v: got  %q\nwant %q", release, got, want)
		}
		for _, r := range fx.rows {
			for i := range len(r.data) {
				if r.data[i] >= 0x80 {
					t.Fatalf("%v: stored %q", release, r.data)
				}
			}
		}
	}
}

// Everything written is signed by the current key, also what came under a fallback.
func TestKeyRotation(t *testing.T) {
	for _, release := range version.Supported {
		fx := newFake(t)
		older := newStore(t, djsession.Settings{Version: release, Keys: signing.DeriveKeys("", "older", nil)})
		both := newStore(t, djsession.Settings{Version: release, Keys: signing.DeriveKeys("", "newer", []string{"other", "older"})})
		newer := newStore(t, djsession.Settings{Version: release, Keys: signing.DeriveKeys("", "newer", nil)})
		sess := djsession.NewSession("")
		sess.Set("a", "1")
		must(t, older.Create(ctx, fx, sess))
		if load(t, newer, fx, sess.Key()).Err() == nil {
			t.Errorf("%v: the new key alone reads the old signature", release)
		}
		rotated := load(t, both, fx, sess.Key())
		if !release.AtLeast(4, 1) { // there is no SECRET_KEY_FALLBACKS
			if rotated.Err() == nil || rotated.Len() != 0 {
				t.Errorf("%v: a fallback key reads the old signature", release)
			}
			continue
		}
		must(t, both.Save(ctx, fx, rotated))
		if got := load(t, newer, fx, sess.Key()); got.Err() != nil || got.Len() != 1 {
			t.Errorf("%v: %v", release, got.Err())
		}
	}
}

// What each release writes, and which releases read it.
func TestFormats(t *testing.T) {
	data := map[string]string{}
	items := []djsession.Item{{Key: "a", Raw: "1"}}
	keys := signing.DeriveKeys("", "secret", nil)
	for _, v := range []version.Version{{Major: 3, Minor: 0}, {Major: 4, Minor: 0}} {
		text, err := newStore(t, djsession.Settings{Version: v}).Encode(items, start)
		must(t, err)
		data[v.String()] = text
	}
	data["3.1 with DEFAULT_HASHING_ALGORITHM sha1"] = signing.Dumps(`{"a":1}`, keys.SessionSHA1.Current, true, start)
	for _, v := range version.Supported {
		store := newStore(t, djsession.Settings{Version: v})
		transitional := v.AtLeast(3, 1) && !v.AtLeast(4, 0)
		for format, want := range map[string]bool{
			"3.0": !v.AtLeast(4, 0), "4.0": v.AtLeast(3, 1), "3.1 with DEFAULT_HASHING_ALGORITHM sha1": transitional,
		} {
			got, err := store.Decode(data[format])
			if want != (err == nil) || want && !slices.Equal(got, items) {
				t.Errorf("%v reads %s as %v, %v", v, format, got, err)
			}
		}
	}
}

func TestSQL(t *testing.T) {
	got := map[query.Dialect][]string{}
	for _, d := range []query.Dialect{query.PostgreSQL, query.SQLite, query.MySQL} {
		for _, s := range newStore(t, djsession.Settings{Dialect: d, Table: "app.sessions"}).Statements() {
			got[d] = append(got[d], s.Name+": "+s.SQL)
		}
	}
	for d, want := range map[query.Dialect][]string{
		query.PostgreSQL: {
			`session_load: SELECT "session_key", "session_data" FROM "app"."sessions" WHERE "session_key" = $1 AND "expire_date" > $2`,
			`session_insert: INSERT INTO "app"."sessions" ("session_key", "session_data", "expire_date") VALUES ($1, $2, $3)`,
			`session_update: UPDATE "app"."sessions" SET "session_data" = $1, "expire_date" = $2 WHERE "session_key" = $3`,
			`session_delete: DELETE FROM "app"."sessions" WHERE "session_key" = $1`,
			`session_clear_expired: DELETE FROM "app"."sessions" WHERE "expire_date" < $1`,
		},
		query.SQLite: {
			`session_load: SELECT "session_key", "session_data" FROM "app"."sessions" WHERE "session_key" = ? AND "expire_date" > ?`,
		},
		query.MySQL: {
			"session_load: SELECT `session_key`, `session_data` FROM `app`.`sessions` WHERE `session_key` = ? AND `expire_date` > ?",
		},
	} {
		if len(got[d]) != 5 || !slices.Equal(got[d][:len(want)], want) {
			t.Errorf("%v:\n%s", d, strings.Join(got[d], "\n"))
		}
	}
}

// What is no answer to the statement says nothing of the session: not even that there is none.
func TestHostAnswersWrong(t *testing.T) {
	const key = "12345678"
	columns := map[djsession.Engine]int{djsession.EngineDB: 2, djsession.EngineCachedDB: 3}
	for engine, n := range columns {
		store := newStore(t, djsession.Settings{Engine: engine})
		row := []query.Value{query.Text(key), query.Text("data"), query.Text("2030-01-01 00:00:00"), query.Null()}
		for _, rows := range [][][]query.Value{
			{nil}, {row[:1]}, {row[:n-1]}, {row[:n+1]}, {row[:n], row[:n-1]},
			{append([]query.Value{query.Null()}, row[1:n]...)}, {append([]query.Value{query.Int(12345678)}, row[1:n]...)},
		} {
			if sess, err := store.FromResult(key, query.Result{Rows: rows}); err == nil || sess.Key() != "" {
				t.Errorf("%s: %v is taken as an answer", engine, rows)
			}
		}
		if sess, err := store.FromResult(key, query.Result{}); err != nil || sess.Key() != "" {
			t.Errorf("%s: no row is %v", engine, err)
		}
		// A column that has no null in Django's table; there it reads as an empty session.
		if sess, err := store.FromResult(key, query.Result{Rows: [][]query.Value{append([]query.Value{row[0], query.Null()}, row[2:n]...)}}); err != nil || sess.Err() == nil {
			t.Errorf("%s: null is taken as data (%v)", engine, err)
		}
	}
}

func TestSettings(t *testing.T) {
	keys := signing.DeriveKeys("", "secret", nil)
	for name, set := range map[string]djsession.Settings{
		"version":                 {Version: version.Version{Major: 1, Minor: 11}},
		"dialect":                 {Dialect: 9},
		"session_cookie_name":     {CookieName: "a b"},
		"session_cookie_domain":   {CookieDomain: "a;b"},
		"session_cookie_path":     {CookiePath: "/\r\nSet-Cookie: x"},
		"session_cookie_samesite": {CookieSameSite: "Off"},
		"session_cookie_age":      {CookieAge: 1500 * time.Millisecond},
		"session_max_bytes":       {MaxDataBytes: -1},
		"session_table":           {Table: `x" WHERE 1=1 --`},
	} {
		set.Keys = keys
		if _, err := djsession.New(set); err == nil || !strings.Contains(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for v, name := range map[version.Version]string{{Major: 3, Minor: 0}: "key_session_legacy", {Major: 3, Minor: 1}: "key_session"} {
		if _, err := djsession.New(djsession.Settings{Version: v}); err == nil || !strings.Contains(err.Error(), name+":") {
			t.Errorf("%v: %v", v, err)
		}
	}
	set := newStore(t, djsession.Settings{}).Settings()
	if got, want := fmt.Sprint(set.Version, set.CookieName, set.CookiePath, set.CookieSameSite, set.CookieAge, set.Table, set.MaxDataBytes), "5.2sessionid/Lax336h0m0sdjango_session1048576"; strings.ReplaceAll(got, " ", "") != want {
		t.Errorf("defaults are %s, want %s", got, want)
	}
}
