package djsession_test

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/internal/vectortest"
)

// vector is one answer of a real Django; each section fills some fields.
type vector struct {
	ID, Section, Django, Tag string

	Secret       string
	Fallbacks    []string
	SessionData  string `json:"session_data"`
	IsDict       *bool  `json:"is_dict"`
	ExpectedJSON string `json:"expected_json"`
	Timestamp    int64
	Compressed   bool
	Format       string
	JSONEquals   bool `json:"json_equals_expected"`

	SessionExpiry  json.RawMessage `json:"session_expiry"`
	CookieAge      int64           `json:"cookie_age"`
	AtBrowserClose bool            `json:"expire_at_browser_close"`
	Modification   time.Time

	Key      *string
	Now      float64
	MaxAge   int64 `json:"max_age"`
	Cookie   *string
	Settings map[string]any
	Expected json.RawMessage
}

var readVectors = sync.OnceValues(func() ([]vector, error) {
	return vectortest.Read[vector](vectortest.Main, "session_data", "expiry", "session_key_validation", "session_middleware", "signed_cookie")
})

func each(t *testing.T, section string, f func(t *testing.T, v vector)) {
	t.Helper()
	all, err := readVectors()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, v := range all {
		if v.Section == section {
			n++
			t.Run(v.ID, func(t *testing.T) { f(t, v) })
		}
	}
	if n == 0 {
		t.Fatalf("no vectors in section %s", section)
	}
}

func newStore(t testing.TB, set djsession.Settings) *djsession.Store {
	t.Helper()
	if set.Keys.Session.Current.IsZero() {
		set.Keys = signing.DeriveKeys("", "secret", nil)
	}
	store, err := djsession.New(set)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// canonical is the object of items as Python would write it again.
func canonical(t *testing.T, items []djsession.Item) string {
	t.Helper()
	var b strings.Builder
	for i, it := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(pyjson.Quote(it.Key) + ":" + it.Raw)
	}
	text, err := pyjson.Canonical("{" + b.String() + "}")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestVectorsSessionData(t *testing.T) {
	each(t, "session_data", func(t *testing.T, v vector) {
		release, err := version.Parse(v.Django)
		if err != nil {
			t.Fatal(err)
		}
		store := newStore(t, djsession.Settings{
			Version: release, Keys: signing.DeriveKeys("", v.Secret, v.Fallbacks), MaxDataBytes: 4 << 20, // some inflate to 3 MB
		})
		items, err := store.Decode(v.SessionData)
		if v.IsDict == nil || !*v.IsDict { // Django fails, at once or when the session is used
			if err == nil || items != nil {
				t.Errorf("%s: got %v, %v, want a refusal", v.Tag, items, err)
			}
			return
		}
		if got := canonical(t, items); got != v.ExpectedJSON {
			t.Errorf("%s: got %q, %v, want %q", v.Tag, got, err, v.ExpectedJSON)
		}
		if !v.JSONEquals || (v.Format == "legacy") != !release.AtLeast(3, 1) {
			return // Django wrote it, but not in the format of this release
		}
		data, err := store.Encode(items, time.Unix(v.Timestamp, 0))
		if err != nil || !v.Compressed && data != v.SessionData {
			t.Errorf("%s: encoded %q, %v, want %q", v.Tag, data, err, v.SessionData)
		}
		if again, err := store.Decode(data); err != nil || !slices.Equal(again, items) {
			t.Errorf("%s: %v comes back as %v, %v", v.Tag, items, again, err)
		}
	})
}

func TestVectorsExpiry(t *testing.T) {
	each(t, "expiry", func(t *testing.T, v vector) {
		store := newStore(t, djsession.Settings{CookieAge: time.Duration(v.CookieAge) * time.Second, ExpireAtBrowserClose: v.AtBrowserClose})
		sess := djsession.NewSession("")
		if string(v.SessionExpiry) != "null" {
			sess.Set("_session_expiry", string(v.SessionExpiry))
		}
		var want struct {
			Age, Date json.RawMessage
			AtClose   bool `json:"at_close"`
		}
		if err := json.Unmarshal(v.Expected, &want); err != nil {
			t.Fatal(err)
		}
		age, err := store.ExpirySeconds(sess, v.Modification)
		if got, want := outcome(strconv.FormatFloat(age, 'f', -1, 64), err), strings.Replace(text(want.Age), "true", "1", 1); got != want {
			t.Errorf("age of %s is %s (%v), want %s", v.SessionExpiry, got, err, want)
		}
		if whole, err := store.ExpiryAge(sess, v.Modification); err == nil && whole != int64(age) {
			t.Errorf("age of %s is %d, want %v", v.SessionExpiry, whole, age)
		}
		date, err := store.ExpiryDate(sess, v.Modification)
		layout := "2006-01-02T15:04:05.000000-07:00"
		if date.Nanosecond() == 0 {
			layout = "2006-01-02T15:04:05-07:00"
		}
		if err == djsession.ErrNaiveExpiry {
			layout, err = "2006-01-02T15:04:05", nil
		}
		if got, want := outcome(date.Format(layout), err), text(want.Date); got != want {
			t.Errorf("date of %s is %s (%v), want %s", v.SessionExpiry, got, err, want)
		}
		if got := store.ExpiresAtBrowserClose(sess); got != want.AtClose {
			t.Errorf("at browser close of %s is %v", v.SessionExpiry, got)
		}
	})
}

func outcome(s string, err error) string {
	if err != nil {
		return "error"
	}
	return s
}

func text(raw json.RawMessage) string {
	s := strings.Trim(string(raw), `"`)
	if strings.HasPrefix(s, "error:") {
		return "error"
	}
	return s
}

func TestVectorsSessionKey(t *testing.T) {
	each(t, "session_key_validation", func(t *testing.T, v vector) {
		key, want := "", string(v.Expected) != "null"
		if v.Key != nil {
			key = *v.Key
		}
		if got := djsession.DjangoKey(key); got != want {
			t.Errorf("%q: Django's rule is %v, want %v", key, got, want)
		}
		// Only NUL is refused where Django would fail in the database.
		if got, want := djsession.ValidKey(key), want && !strings.Contains(key, "\x00"); got != want {
			t.Errorf("%q: valid is %v, want %v", key, got, want)
		}
	})
}

// What Django's middleware put on the wire, for the sections' own settings.
func TestVectorsCookies(t *testing.T) {
	set, deleted := 0, 0
	each(t, "session_middleware", func(t *testing.T, v vector) {
		var expected struct {
			SetCookie *string `json:"set_cookie"`
			Saved     json.RawMessage
		}
		if err := json.Unmarshal(v.Expected, &expected); err != nil {
			t.Fatal(err)
		}
		if expected.SetCookie == nil {
			return
		}
		store := newStore(t, settingsOf(t, v.Settings))
		if strings.Contains(*expected.SetCookie, "Max-Age=0;") {
			deleted++
			if got := store.DeleteCookie(); got != *expected.SetCookie {
				t.Errorf("%s: got  %s\nwant %s", v.Tag, got, *expected.SetCookie)
			}
			return
		}
		var items []djsession.Item
		if string(expected.Saved) != "null" && len(expected.Saved) > 0 {
			members, err := pyjson.Object(string(expected.Saved), 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range members {
				items = append(items, djsession.Item{Key: m.Key, Raw: m.Raw})
			}
		}
		if raw, ok := strings.CutPrefix(v.Tag, "set_expiry("); ok && items == nil {
			// Saved, but expired already, so the file could not show it.
			items = []djsession.Item{{Key: "_session_expiry", Raw: strings.TrimSuffix(raw, ")")}}
		}
		set++
		const key = "0123456789abcdef0123456789abcdef"
		got, err := store.SetCookie(djsession.NewSession(key, items...), time.Unix(int64(v.Now), 0))
		if got = strings.Replace(got, key, "<KEY>", 1); err != nil || got != *expected.SetCookie {
			t.Errorf("%s: got  %s, %v\nwant %s", v.Tag, got, err, *expected.SetCookie)
		}
	})
	if set == 0 || deleted == 0 {
		t.Errorf("%d cookies set, %d deleted", set, deleted)
	}
}

func settingsOf(t *testing.T, from map[string]any) (set djsession.Settings) {
	t.Helper()
	for name, value := range from {
		switch name {
		case "SESSION_COOKIE_NAME":
			set.CookieName = value.(string)
		case "SESSION_COOKIE_DOMAIN":
			set.CookieDomain = value.(string)
		case "SESSION_COOKIE_PATH":
			set.CookiePath = value.(string)
		case "SESSION_COOKIE_SECURE":
			set.CookieSecure = value.(bool)
		case "SESSION_COOKIE_HTTPONLY":
			set.CookieNotHTTPOnly = !value.(bool)
		case "SESSION_COOKIE_SAMESITE":
			set.CookieSameSite = "-"
			if s, ok := value.(string); ok {
				set.CookieSameSite = s
			}
		case "SESSION_COOKIE_AGE":
			set.CookieAge = time.Duration(value.(float64)) * time.Second
		case "SESSION_EXPIRE_AT_BROWSER_CLOSE":
			set.ExpireAtBrowserClose = value.(bool)
		case "SESSION_SAVE_EVERY_REQUEST": // decides when, not what
		default:
			t.Fatalf("setting %s is not known to this test", name)
		}
	}
	return set
}

// The cookies of the engine signed_cookies, as Django's own load reads them.
func TestVectorsSignedCookie(t *testing.T) {
	each(t, "signed_cookie", func(t *testing.T, v vector) {
		release, err := version.Parse(v.Django)
		if err != nil {
			t.Fatal(err)
		}
		if v.MaxAge < 1 {
			t.Fatalf("a cookie age of %d s is no setting", v.MaxAge)
		}
		store := newStore(t, djsession.Settings{
			Engine: djsession.EngineSignedCookies, Version: release, Keys: signing.DeriveKeys("", v.Secret, v.Fallbacks),
			CookieAge: time.Duration(v.MaxAge) * time.Second,
		})
		whole, fraction := math.Modf(v.Now)
		fx := newFake(t)
		fx.now = time.Unix(int64(whole), int64(fraction*1e9)).UTC()
		sess, err := store.Load(ctx, fx, *v.Cookie)
		if err != nil {
			t.Fatal(err)
		}
		if got := canonical(t, sess.Items()); got != v.ExpectedJSON {
			t.Errorf("%s: got %q, %v, want %q", v.Tag, got, sess.Err(), v.ExpectedJSON)
		}
		if sess.Err() != nil {
			if !sess.Modified() {
				t.Errorf("%s: the cookie is not replaced", v.Tag)
			}
			return
		}
		if sess.Key() == "" || v.Timestamp == 0 { // shorter than a session key; signed with a fallback key
			return
		}
		again := djsession.NewSession("", sess.Items()...)
		fx.now = time.Unix(v.Timestamp, 0)
		if err := store.Create(ctx, fx, again); err != nil || !v.Compressed && again.Key() != *v.Cookie {
			t.Errorf("%s: encoded %q, %v, want %q", v.Tag, again.Key(), err, *v.Cookie)
		}
	})
}
