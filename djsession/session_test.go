package djsession_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
)

// The flags are those of Django's SessionBase.
func TestFlags(t *testing.T) {
	fresh := func() *djsession.Session {
		return djsession.NewSession("12345678", djsession.Item{Key: "a", Raw: "1"}, djsession.Item{Key: "b", Raw: `"x"`})
	}
	for name, c := range map[string]struct {
		do                 func(s *djsession.Session)
		accessed, modified bool
	}{
		"nothing":        {func(s *djsession.Session) {}, false, false},
		"key and empty":  {func(s *djsession.Session) { s.Key(); s.Empty(); s.Err() }, false, false},
		"get":            {func(s *djsession.Session) { s.Get("a") }, true, false},
		"get missing":    {func(s *djsession.Session) { s.Get("z") }, true, false},
		"text":           {func(s *djsession.Session) { s.Text("b") }, true, false},
		"items":          {func(s *djsession.Session) { s.Items() }, true, false},
		"len":            {func(s *djsession.Session) { s.Len() }, true, false},
		"set":            {func(s *djsession.Session) { s.Set("a", "1") }, true, true},
		"delete":         {func(s *djsession.Session) { s.Delete("a") }, true, true},
		"delete missing": {func(s *djsession.Session) { s.Delete("z") }, true, false},
		"clear":          {func(s *djsession.Session) { s.Clear() }, true, true},
	} {
		s := fresh()
		c.do(s)
		if s.Accessed() != c.accessed || s.Modified() != c.modified {
			t.Errorf("%s: accessed %v, modified %v", name, s.Accessed(), s.Modified())
		}
	}
}

func TestOrder(t *testing.T) {
	stored := []djsession.Item{{Key: "a", Raw: "1"}, {Key: "b", Raw: "2"}, {Key: "c", Raw: "3"}}
	s := djsession.NewSession("12345678", stored...)
	s.Set("b", "20")
	s.Delete("a")
	s.SetText("a", "é")
	want := []djsession.Item{{Key: "b", Raw: "20"}, {Key: "c", Raw: "3"}, {Key: "a", Raw: `"\u00e9"`}}
	if !slices.Equal(s.Items(), want) {
		t.Errorf("items are %v, want %v", s.Items(), want)
	}
	if text, ok := s.Text("c"); ok {
		t.Errorf("a number is the text %q", text)
	}
	if s.Empty() || !djsession.NewSession("").Empty() || djsession.NewSession("12345678").Empty() {
		t.Error("a session is empty with neither a key nor entries")
	}
}

func TestCookieValues(t *testing.T) {
	store := newStore(t, djsession.Settings{ExpireAtBrowserClose: true})
	// From Python: http.cookies.SimpleCookie's OutputString for such a value.
	for key, want := range map[string]string{
		"abcdefgh12345678": `abcdefgh12345678`,
		"!#$%&'*+-.^_`|~:": "!#$%&'*+-.^_`|~:",
		"with space":       `"with space"`,
		`quo"te\back`:      `"quo\"te\\back"`,
		"a;b,c\r\nd":       `"a\073b\054c\015\012d"`,
		"é\x7f":            `"\351\177"`,
		"../../etc":        `"../../etc"`,
	} {
		got, err := store.SetCookie(djsession.NewSession(key), start)
		if want = "sessionid=" + want + "; HttpOnly; Path=/; SameSite=Lax"; got != want || err != nil {
			t.Errorf("%q: got  %s, %v\nwant %s", key, got, err, want)
		}
	}
	for _, key := range []string{"", "€uro-key", "12345678\xff"} {
		if got, err := store.SetCookie(djsession.NewSession(key), start); err == nil {
			t.Errorf("%q is sent as %s", key, got)
		}
	}
}

func TestExpiryOdd(t *testing.T) {
	store := newStore(t, djsession.Settings{})
	expiry := func(raw string) *djsession.Session {
		return djsession.NewSession("12345678", djsession.Item{Key: "_session_expiry", Raw: raw})
	}
	for _, raw := range []string{"NaN", "Infinity", "-Infinity", "1e300", strings.Repeat("9", 400), "[1]", `{"a":1}`, `"x"`, `"2026-01-15T12:00:00"`, "1e12", "-1e12", "{", ""} {
		if age, err := store.ExpiryAge(expiry(raw), start); err == nil {
			t.Errorf("%s: age %d", raw, age)
		}
		if date, err := store.ExpiryDate(expiry(raw), start); err == nil {
			t.Errorf("%s: date %v", raw, date)
		}
		if cookie, err := store.SetCookie(expiry(raw), start); err == nil {
			t.Errorf("%s: cookie %s", raw, cookie)
		}
	}
	for raw, want := range map[string]int64{"[]": 1209600, "{}": 1209600, "0.0": 1209600, " 60 ": 60, "6e1": 60, "-5.9": -5, `"2026-01-15T12:00:00.250001Z"`: 0, `"2026-01-15T12:00:00.249999Z"`: -1} {
		if age, err := store.ExpiryAge(expiry(raw), start); age != want || err != nil {
			t.Errorf("%s: age %d, %v, want %d", raw, age, err, want)
		}
	}
	if store.ExpiresAtBrowserClose(expiry("[]")) || !store.ExpiresAtBrowserClose(expiry("-0.0")) {
		t.Error("only what equals 0 expires at browser close")
	}
	// timedelta rounds to even microseconds.
	if date, err := store.ExpiryDate(expiry("0.0000025"), start); err != nil || !date.Equal(start.Add(2*time.Microsecond)) {
		t.Errorf("date %v, %v", date, err)
	}
	if age, err := store.ExpirySeconds(expiry("12.5"), start); math.Abs(age-12.5) > 0 || err != nil {
		t.Errorf("age %v, %v", age, err)
	}
}
