package djuser_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/internal/vectortest"
)

// vector is what real Django answered; see testdata/vectors.
type vector struct {
	ID, Section, Django, Tag  string
	Secret, Algorithm         string
	Fallbacks, Backends       []string
	Username, Email, Password *string
	PasswordField             string `json:"password_field"`
	UserID                    int64  `json:"user_id"`
	UserPassword              string `json:"user_password"`
	Session                   json.RawMessage
	SessionBefore             json.RawMessage `json:"session_before"`
	Users, Expected           json.RawMessage
}

var readVectors = sync.OnceValues(func() ([]vector, error) {
	return vectortest.Read[vector](vectortest.Main, "username", "email", "auth_hash", "auth_hash_fallbacks", "get_user", "login", "authenticate")
})

// each calls test for every vector of a section, of which there must be n.
func each(t *testing.T, section string, n int, test func(*testing.T, vector)) {
	t.Helper()
	all, err := readVectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Section == section {
			n--
			t.Run(v.ID+"/"+v.Tag, func(t *testing.T) { test(t, v) })
		}
	}
	if n != 0 {
		t.Errorf("%d vectors are missing", n)
	}
}

func (v *vector) expect(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal(v.Expected, into); err != nil {
		t.Fatal(err)
	}
}

// items reads a JSON object in order.
func items(t *testing.T, text json.RawMessage) (list []djsession.Item) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(text)))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		key, err := d.Token()
		var value json.RawMessage
		if err = errors.Join(err, d.Decode(&value)); err != nil {
			t.Fatal(err)
		}
		list = append(list, djsession.Item{Key: key.(string), Raw: string(value)})
	}
	return list
}

// same compares a session with what Django left, whatever the order.
func same(t *testing.T, got *djsession.Session, want map[string]any) {
	t.Helper()
	have := map[string]any{}
	for _, item := range got.Items() {
		var value any
		if err := json.Unmarshal([]byte(item.Raw), &value); err != nil {
			t.Fatal(err)
		}
		have[item.Key] = value
	}
	a, _ := json.Marshal(have)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("the session is %s, Django's %s", a, b)
	}
}

func TestUsernameVectors(t *testing.T) {
	each(t, "username", 66, func(t *testing.T, v vector) {
		var want struct {
			NFKC    string
			Unicode bool `json:"unicode_valid"`
			ASCII   bool `json:"ascii_valid"`
		}
		v.expect(t, &want)
		if got := djuser.NormalizeUsername(*v.Username); got != want.NFKC {
			t.Errorf("NormalizeUsername(%q) = %q, want %q", *v.Username, got, want.NFKC)
		}
		if got := djuser.ValidUsername(*v.Username); got != want.Unicode {
			t.Errorf("ValidUsername(%q) = %v", *v.Username, got)
		}
		if got := djuser.ValidUsernameASCII(*v.Username); got != want.ASCII {
			t.Errorf("ValidUsernameASCII(%q) = %v", *v.Username, got)
		}
	})
}

func TestEmailVectors(t *testing.T) {
	each(t, "email", 52, func(t *testing.T, v vector) {
		var want struct {
			Normalized string
			Valid      bool
		}
		v.expect(t, &want)
		email := ""
		if v.Email != nil {
			email = *v.Email
		}
		if got := djuser.NormalizeEmail(email); got != want.Normalized {
			t.Errorf("NormalizeEmail(%q) = %q, want %q", email, got, want.Normalized)
		}
		if got := djuser.ValidEmail(email); got != want.Valid {
			t.Errorf("ValidEmail(%q) = %v", email, got)
		}
	})
}

func TestAuthHashVectors(t *testing.T) {
	each(t, "auth_hash", 252, func(t *testing.T, v vector) {
		var want string
		v.expect(t, &want)
		alg := signing.SHA256
		if v.Algorithm == "sha1" {
			alg = signing.SHA1
		}
		key := signing.Derive(alg, signing.AuthHashSalt, v.Secret)
		if got := djuser.SessionAuthHash(key, v.PasswordField); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		release, err := version.Parse(v.Django)
		if err != nil {
			t.Fatal(err)
		}
		if release.AtLeast(3, 1) == (v.Algorithm == "sha256") { // not 3.x with DEFAULT_HASHING_ALGORITHM
			s := newSite(t, func(s *djuser.Settings) { s.Version, s.Keys = release, signing.DeriveKeys("", v.Secret, nil) })
			if got := s.users.SessionAuthHash(v.PasswordField); got != want {
				t.Errorf("Django %v: got %s, want %s", release, got, want)
			}
		}
	})
}

func TestAuthHashFallbackVectors(t *testing.T) {
	each(t, "auth_hash_fallbacks", 14, func(t *testing.T, v vector) {
		var want []string
		v.expect(t, &want)
		s := newSite(t, func(s *djuser.Settings) { s.Keys = signing.DeriveKeys("", v.Secret, v.Fallbacks) })
		if got := s.users.SessionAuthFallbackHashes(v.PasswordField); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestGetUserVectors(t *testing.T) {
	each(t, "get_user", 27, func(t *testing.T, v vector) {
		var want struct {
			UserID        *int64         `json:"user_id"`
			SessionAfter  map[string]any `json:"session_after"`
			KeyChanged    bool           `json:"key_changed"`
			OldRowExists  bool           `json:"old_row_exists"`
			Error         string
			Flushed       bool
			Authenticated bool
		}
		v.expect(t, &want)
		for _, writes := range []bool{true, false} {
			s := newSite(t, func(s *djuser.Settings) {
				s.Keys, s.Backends, s.WritesOnReads = signing.DeriveKeys("", v.Secret, v.Fallbacks), v.Backends, writes
			})
			var users []struct {
				ID       int64
				Password string
				IsActive bool `json:"is_active"`
			}
			if err := json.Unmarshal(v.Users, &users); err != nil {
				t.Fatal(err)
			}
			for _, u := range users {
				s.add("user"+string(rune('0'+u.ID)), u.Password, u.IsActive)["id"] = query.Int(u.ID)
			}
			key := s.put(t, items(t, v.Session)...)
			before := maps.Clone(s.sessions)
			sess, user, why, err := s.users.FromKey(t.Context(), s.fake, key, query.Null())
			if err != nil {
				t.Fatal(err)
			}
			if (user != nil) != want.Authenticated || (user != nil) != (why == gate.ReasonOK) || user != nil && user.PK().Int() != *want.UserID {
				t.Errorf("the user is %v, %v; Django's %v", user, why, want.UserID)
			}
			if !writes {
				if !maps.Equal(before, s.sessions) || sess.Key() != key {
					t.Error("a read wrote")
				}
				continue
			}
			if want.KeyChanged != (sess.Key() != key) || want.Flushed != (sess.Key() == "") {
				t.Errorf("the key changed from %s to %s", key, sess.Key())
			}
			if _, exists := s.sessions[key]; exists != want.OldRowExists {
				t.Errorf("the old row exists: %v", exists)
			}
			same(t, sess, want.SessionAfter)
			if sess.Key() != "" {
				same(t, s.load(t, sess.Key()), want.SessionAfter)
			}
		}
	})
}

func TestLoginVectors(t *testing.T) {
	each(t, "login", 6, func(t *testing.T, v vector) {
		var want struct {
			SessionAfter     map[string]any `json:"session_after"`
			KeyChanged       bool           `json:"key_changed"`
			OldRowExists     bool           `json:"old_row_exists"`
			LastLoginChanged bool           `json:"last_login_changed"`
		}
		v.expect(t, &want)
		s := newSite(t, func(s *djuser.Settings) { s.Keys = signing.DeriveKeys("", v.Secret, nil) })
		row := s.add("zoe", v.UserPassword, true)
		sess := djsession.NewSession("")
		if string(v.SessionBefore) != "null" {
			sess = s.load(t, s.put(t, items(t, v.SessionBefore)...))
		}
		key := sess.Key()
		user, err := s.users.Load(t.Context(), s.fake, "1")
		if err != nil {
			t.Fatal(err)
		}
		s.reset()
		if err := s.users.Login(t.Context(), s.fake, sess, user); err != nil {
			t.Fatal(err)
		}
		if key != "" && want.KeyChanged != (sess.Key() != key) {
			t.Errorf("the key changed from %q to %q", key, sess.Key())
		}
		if _, exists := s.sessions[key]; exists != want.OldRowExists {
			t.Errorf("the old row exists: %v", exists)
		}
		same(t, s.load(t, sess.Key()), want.SessionAfter)
		if len(s.sessions) != 1 {
			t.Errorf("%d sessions are left", len(s.sessions))
		}
		if row["last_login"].IsNull() == want.LastLoginChanged {
			t.Error("last_login is as before")
		}
	})
}

func TestAuthenticateVectors(t *testing.T) {
	s := newSite(t)
	s.add("act", s.encode(t, "pw"), true)
	s.add("inact", s.encode(t, "pw"), false)
	each(t, "authenticate", 11, func(t *testing.T, v vector) {
		var want struct {
			UserID *int64 `json:"user_id"`
		}
		v.expect(t, &want)
		if v.Username == nil || v.Password == nil {
			return // there is no such call here
		}
		user, err := s.users.Authenticate(t.Context(), s.fake, *v.Username, *v.Password)
		if (err == nil) != (want.UserID != nil) || err == nil && user.PK().Int() != *want.UserID {
			t.Errorf("%q: %v, %v; Django's %v", *v.Username, user, err, want.UserID)
		}
		if denied := new(gate.Denied); err != nil && !errors.As(err, &denied) {
			t.Error(err)
		}
	})
}
