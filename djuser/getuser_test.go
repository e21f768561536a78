package djuser_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
)

// A right hint saves a round trip, a wrong one costs one; neither decides.
func TestHint(t *testing.T) {
	s := newSite(t)
	s.add("zoe", "one", true)
	s.add("root", "two", true)["is_superuser"] = query.Int(1)
	key := s.putLogin(t, "1", "one")
	gone := s.putLogin(t, "9", "one")
	anonymous := s.put(t, djsession.Item{Key: "cart", Raw: "[1]"})
	for _, c := range []struct {
		name  string
		key   string
		hint  query.Value
		user  string
		why   gate.Reason
		trips int
	}{
		{"right", key, query.Int(1), "1", gate.ReasonOK, 1},
		{"right, as text", key, query.Text("1"), "1", gate.ReasonOK, 1},
		{"none", key, query.Null(), "1", gate.ReasonOK, 2},
		{"another user's", key, query.Int(2), "1", gate.ReasonOK, 2},
		{"nobody's", key, query.Int(77), "1", gate.ReasonOK, 2},
		{"no id", key, query.Text("x' OR 1=1"), "1", gate.ReasonOK, 2},
		{"another kind", key, query.Bool(true), "1", gate.ReasonOK, 2},
		{"a deleted user's", gone, query.Int(9), "", gate.ReasonUserMissing, 1},
		{"for a session without a login", anonymous, query.Int(1), "", gate.ReasonAnonymous, 1},
		{"for an unknown session", "unknown-session-key", query.Int(1), "", gate.ReasonSessionUnknown, 1},
		{"for no key", "short", query.Int(1), "", gate.ReasonNoSession, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.reset()
			sess, user, why, err := s.users.FromKey(t.Context(), s.fake, c.key, c.hint)
			if err != nil || sess == nil {
				t.Fatal(sess, err)
			}
			id := ""
			if user != nil {
				id = user.ID()
			}
			if id != c.user || why != c.why || s.trips != c.trips {
				t.Errorf("got user %q, %v in %d round trips", id, why, s.trips)
			}
		})
	}
}

// Errors of the database are never "anonymous".
func TestDatabaseDown(t *testing.T) {
	s := newSite(t, func(s *djuser.Settings) { s.WritesOnReads = true })
	s.add("zoe", "one", true)
	key := s.putLogin(t, "1", "one")
	stale := s.putLogin(t, "1", "another")
	for _, c := range []struct {
		fail, key string
		hint      query.Value
	}{
		{"session_load", key, query.Null()},
		{"user_by_id", key, query.Null()},
		{"user_by_id", key, query.Int(1)},
		{"user_by_id", key, query.Int(5)},
		{"session_delete", stale, query.Null()},
	} {
		s.fail = c.fail
		sess, user, why, err := s.users.FromKey(t.Context(), s.fake, c.key, c.hint)
		if sess == nil || user != nil || !errors.Is(err, errDown) || why.Status() != 503 {
			t.Errorf("%s: %v, %v, %v", c.fail, user, why, err)
		}
	}
}

func TestReasons(t *testing.T) {
	s := newSite(t)
	s.add("zoe", "one", true)
	s.add("idle", "two", false)
	corrupt := s.putLogin(t, "1", "one")
	s.sessions[corrupt] = s.sessions[corrupt][1:]
	idle := s.putLogin(t, "2", "two")
	for key, want := range map[string]gate.Reason{
		corrupt:                            gate.ReasonSessionCorrupt,
		idle:                               gate.ReasonUserInactive,
		s.putLogin(t, "1", "two"):          gate.ReasonAuthHashMismatch,
		s.putLogin(t, "1", "one"):          gate.ReasonOK,
		s.putLogin(t, "9", "one"):          gate.ReasonUserMissing,
		s.putLogin(t, "0x1", "one"):        gate.ReasonUserMissing,
		s.put(t):                           gate.ReasonAnonymous,
		"nul-\x00-in-the-key":              gate.ReasonNoSession,
		strings.Repeat("k", 5000):          gate.ReasonNoSession,
		"\xff\xff\xff\xff\xff\xff\xff\xff": gate.ReasonNoSession,
	} {
		before := maps.Clone(s.sessions)
		if _, user, why, err := s.users.FromKey(t.Context(), s.fake, key, query.Null()); why != want || (user != nil) != (want == gate.ReasonOK) || err != nil {
			t.Errorf("%.30q: %v, %v, %v, want %v", key, user, why, err, want)
		}
		if !maps.Equal(before, s.sessions) {
			t.Errorf("%.30q: a read wrote", key)
		}
	}
	// Reactivation revives the session, because it was not flushed.
	s.fake.users[1]["is_active"] = query.Int(1)
	if _, user, why, _ := s.users.FromKey(t.Context(), s.fake, idle, query.Null()); user == nil {
		t.Errorf("reactivated: %v", why)
	}
}

// Django 3.1 and 3.2 take a SHA-1 hash beside SHA-256; no other release does.
func TestAuthHashByVersion(t *testing.T) {
	keys := signing.DeriveKeys("", secret, []string{oldSecret})
	old := signing.DeriveKeys("", oldSecret, nil)
	hashes := map[string]string{
		"sha1":     djuser.SessionAuthHash(keys.AuthHashSHA1.Current, "pw"),
		"sha256":   djuser.SessionAuthHash(keys.AuthHash.Current, "pw"),
		"fallback": djuser.SessionAuthHash(old.AuthHash.Current, "pw"),
	}
	for _, release := range version.Supported {
		accepted := map[string]bool{
			"sha1":     !release.AtLeast(4, 0),
			"sha256":   release.AtLeast(3, 1),
			"fallback": release.AtLeast(4, 1),
		}
		s := newSite(t, func(s *djuser.Settings) { s.Version, s.Keys = release, keys })
		s.add("zoe", "pw", true)
		for name, hash := range hashes {
			sess := djsession.NewSession("",
				djsession.Item{Key: "_auth_user_id", Raw: `"1"`},
				djsession.Item{Key: "_auth_user_backend", Raw: `"` + backend + `"`},
				djsession.Item{Key: "_auth_user_hash", Raw: `"` + hash + `"`})
			if user, why, err := s.users.GetUser(t.Context(), s.fake, sess); (user != nil) != accepted[name] || err != nil {
				t.Errorf("Django %v, %s: %v, %v", release, name, why, err)
			}
		}
	}
}

// The fallback's session moves with one insert of its final data.
func TestFallbackMoves(t *testing.T) {
	s := newSite(t, func(s *djuser.Settings) { s.WritesOnReads = true })
	s.add("zoe", "pw", true)
	hash := s.users.SessionAuthFallbackHashes("pw")[0]
	key := s.put(t,
		djsession.Item{Key: "cart", Raw: "[1.0, NaN]"},
		djsession.Item{Key: "_auth_user_id", Raw: `"1"`},
		djsession.Item{Key: "_auth_user_backend", Raw: `"` + backend + `"`},
		djsession.Item{Key: "_auth_user_hash", Raw: `"` + hash + `"`})
	s.reset()
	sess, user, _, err := s.users.FromKey(t.Context(), s.fake, key, query.Int(1))
	if err != nil || user == nil {
		t.Fatal(user, err)
	}
	s.asked(t, "session_load", "user_by_id", "session_insert", "session_delete")
	again := s.load(t, sess.Key())
	if raw, _ := again.Get("cart"); raw != "[1.0, NaN]" {
		t.Errorf("the cart is %s", raw)
	}
	if got, _ := again.Text("_auth_user_hash"); got != s.users.SessionAuthHash("pw") {
		t.Error("the hash is not the current one")
	}
}

func TestUserNeverShowsItsPassword(t *testing.T) {
	s := newSite(t)
	const canary = "pbkdf2_sha256$canary"
	s.add("zoe", canary, true)
	user, err := s.users.Load(t.Context(), s.fake, " 1 ")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if text := fmt.Sprintf(verb+verb, user, *user); strings.Contains(text, "canary") || strings.Contains(text, "63616e617279") {
			t.Errorf("%s: %s", verb, text)
		}
	}
	if _, ok := user.Get("password"); ok {
		t.Error("Get gives the password")
	}
	if _, ok := user.Get("nothing"); ok {
		t.Error("Get gives a column that is not there")
	}
	for i, c := range s.users.Columns() {
		if c.Name == "password" && !user.Row()[i].IsNull() {
			t.Error("Row gives the password")
		}
	}
	if v, _ := user.Get("date_joined"); !v.Time().Equal(now) {
		t.Errorf("date_joined is %v", v)
	}
	want := gate.Identity{ID: "1", Name: "zoe", Email: "zoe@example.com"}
	if user.Identity() != want || !user.IsActive() {
		t.Errorf("got %+v", user.Identity())
	}
}
