package djsession_test

import (
	"slices"
	"testing"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
)

// FuzzSessionDecode: text that the site signed, in every format, and text that
// nobody signed. Nothing panics; what is decoded can be written and read again,
// in every release; one changed bit is refused.
func FuzzSessionDecode(f *testing.F) {
	f.Add(`{"_auth_user_id":"1","a":[1.0,NaN],"\ud800":"\u00e9"}`, uint(7))
	keys := signing.DeriveKeys("", "secret", nil)
	var stores []*djsession.Store
	for _, v := range []version.Version{{Major: 2, Minor: 2}, {Major: 3, Minor: 2}, {Major: 6, Minor: 1}} {
		stores = append(stores, newStore(f, djsession.Settings{Version: v, Keys: keys, MaxDataBytes: 1 << 16}))
	}
	f.Fuzz(func(t *testing.T, text string, bit uint) {
		for _, data := range []string{
			text, signing.DumpsLegacy(text, keys.SessionLegacy.Current), signing.Dumps(text, keys.Session.Current, true, start),
			signing.Dumps(text, keys.SessionSHA1.Current, false, start), signing.SignTimestamp(text, keys.Session.Current, start),
		} {
			for _, store := range stores {
				items, err := store.Decode(data)
				if err != nil {
					if items != nil {
						t.Fatalf("%q is %v, %v", data, items, err)
					}
					continue
				}
				again, err := store.Encode(items, start)
				if err != nil {
					t.Fatalf("%q cannot be written again: %v", items, err)
				}
				if got, err := store.Decode(again); err != nil || !sameItems(got, items) {
					t.Fatalf("%q comes back as %q, %v", items, got, err)
				}
				flipped := []byte(again)
				at := bit % uint(8*len(flipped))
				flipped[at/8] ^= 1 << (at % 8)
				if got, err := store.Decode(string(flipped)); err == nil && !sameItems(got, items) {
					t.Fatalf("%q is accepted as %q", flipped, got)
				} else if err == nil && store.Settings().Version.AtLeast(4, 0) {
					t.Fatalf("%q is accepted", flipped)
				}
			}
		}
	})
}

// sameItems compares with raw text made ASCII, as it is written.
func sameItems(a, b []djsession.Item) bool {
	return slices.EqualFunc(a, b, func(x, y djsession.Item) bool {
		return x.Key == y.Key && pyjson.ASCII(x.Raw) == pyjson.ASCII(y.Raw)
	})
}

// FuzzSessionKey: no query is asked for what is no key, and a key that is sent
// in a cookie is one line.
func FuzzSessionKey(f *testing.F) {
	f.Add("0123456789abcdef0123456789abcdef")
	store := newStore(f, djsession.Settings{})
	f.Fuzz(func(t *testing.T, key string) {
		fx := newFake(t) // reports NUL
		sess, err := store.Load(t.Context(), fx, key)
		if err != nil || sess.Key() != "" {
			t.Fatalf("%q is adopted: %v", key, err)
		}
		if asked := fx.asked() != ""; asked != djsession.ValidKey(key) {
			t.Fatalf("%q is asked for: %v", key, asked)
		}
		cookie, err := store.SetCookie(djsession.NewSession(key), start)
		for i := range len(cookie) {
			if c := cookie[i]; c < ' ' || c > '~' {
				t.Fatalf("%q is sent as %q", key, cookie)
			}
		}
		if err != nil && cookie != "" {
			t.Fatalf("%q is sent as %q, %v", key, cookie, err)
		}
	})
}

// FuzzExpiry: any value under _session_expiry gives a date that Python can
// hold, or an error.
func FuzzExpiry(f *testing.F) {
	f.Add(`"2026-01-15T12:00:10+00:00"`)
	store := newStore(f, djsession.Settings{})
	f.Fuzz(func(t *testing.T, raw string) {
		sess := djsession.NewSession("12345678", djsession.Item{Key: "_session_expiry", Raw: raw})
		date, dateErr := store.ExpiryDate(sess, start)
		if dateErr == nil && (date.UTC().Year() < 1 || date.UTC().Year() > 9999) {
			t.Fatalf("%q is %v", raw, date)
		}
		_, ageErr := store.ExpiryAge(sess, start)
		if dateErr == nil && ageErr != nil {
			t.Fatalf("%q has the date %v but no age: %v", raw, date, ageErr)
		}
		store.ExpiresAtBrowserClose(sess)
	})
}
