package djuser_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
)

func reasonOf(t testing.TB, err error) gate.Reason {
	t.Helper()
	var denied *gate.Denied
	switch {
	case err == nil:
		return gate.ReasonOK
	case !errors.As(err, &denied):
		t.Fatalf("not a denial: %v", err)
	}
	return denied.Reason
}

// Who exists must not be told by the work that a failure takes
// (CVE-2024-39329, CVE-2025-13473).
func TestEqualWork(t *testing.T) {
	s := newSite(t)
	good := s.encode(t, "right")
	weak, err := password.New(password.Config{PBKDF2Iterations: iterations / 4})
	if err != nil {
		t.Fatal(err)
	}
	weaker, err := weak.Make(t.Context(), s.fake, s.Random, "right", "")
	if err != nil {
		t.Fatal(err)
	}
	s.add("zoe", good, true)
	s.add("idle", good, false)
	s.add("weak", weaker, true)
	s.add("unusable", "!veDKR4yrzvetiqPQbjllNy3h7pzkTswNHiz6h7Ny", true)
	s.add("unknown", "whirlpool$1$salt$hash", true)
	s.add("malformed", "pbkdf2_sha256$x$salt$hash", true)
	s.add("costly", "pbkdf2_sha256$2147483647$salt$hash", true)
	s.add("empty", "", true)
	s.loose = true

	for _, c := range []struct {
		name, username, password string
		want                     gate.Reason
		trips                    int
	}{
		{"right", "zoe", "right", gate.ReasonOK, 1},
		{"wrong", "zoe", "wrong", gate.ReasonBadCredentials, 1},
		{"empty password", "zoe", "", gate.ReasonBadCredentials, 1},
		{"missing user", "nobody", "right", gate.ReasonBadCredentials, 1},
		{"another case, which the collation finds", "ZOE", "right", gate.ReasonBadCredentials, 1},
		{"a blank at the end, which the collation finds", "zoe ", "right", gate.ReasonBadCredentials, 1},
		{"inactive, wrong", "idle", "wrong", gate.ReasonBadCredentials, 1},
		{"inactive, right", "idle", "right", gate.ReasonUserInactive, 1},
		{"weaker hash, wrong", "weak", "wrong", gate.ReasonBadCredentials, 1},
		{"unusable", "unusable", "right", gate.ReasonBadCredentials, 1},
		{"unknown hasher", "unknown", "right", gate.ReasonBadCredentials, 1},
		{"malformed", "malformed", "right", gate.ReasonBadCredentials, 1},
		{"over the cost limit", "costly", "right", gate.ReasonBadCredentials, 1},
		{"empty hash", "empty", "", gate.ReasonBadCredentials, 1},
		{"no name", "", "right", gate.ReasonBadCredentials, 0},
		{"NUL in the name", "zoe\x00", "right", gate.ReasonBadCredentials, 0},
		{"no UTF-8", "zo\xe9", "right", gate.ReasonBadCredentials, 0},
		{"over-long name", strings.Repeat("a", 255), "right", gate.ReasonBadCredentials, 0},
		{"a megabyte of name", strings.Repeat("a", 1<<20), "right", gate.ReasonBadCredentials, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.reset()
			user, err := s.users.Authenticate(t.Context(), s.fake, c.username, c.password)
			if got := reasonOf(t, err); got != c.want || (user != nil) != (c.want == gate.ReasonOK) {
				t.Errorf("got %v, %v, want %v", user, got, c.want)
			}
			if s.units != iterations {
				t.Errorf("%d units of work, want %d", s.units, iterations)
			}
			if s.trips != c.trips {
				t.Errorf("%d round trips, want %d", s.trips, c.trips)
			}
		})
	}
	t.Run("password too long", func(t *testing.T) { // by itself, whoever's it is
		for _, name := range []string{"zoe", "nobody", "unusable"} {
			s.reset()
			_, err := s.users.Authenticate(t.Context(), s.fake, name, strings.Repeat("x", 1<<20))
			if reasonOf(t, err) != gate.ReasonBadCredentials || s.units != 0 {
				t.Errorf("%s: %v after %d units", name, err, s.units)
			}
		}
	})
	t.Run("database down", func(t *testing.T) {
		s.fail = "user_by_name"
		defer func() { s.fail = "" }()
		user, err := s.users.Authenticate(t.Context(), s.fake, "zoe", "right")
		if user != nil || !errors.Is(err, errDown) || errors.As(err, new(*gate.Denied)) {
			t.Errorf("got %v, %v: no answer is no denial", user, err)
		}
	})
}

func TestAuthenticateByBackend(t *testing.T) {
	const (
		allowAll = djuser.AllowAllUsersModelBackend
		remote   = djuser.RemoteUserBackend
		custom   = "accounts.backends.EmailBackend"
	)
	for _, c := range []struct {
		backends []string
		inactive bool
		want     gate.Reason
		recorded string
	}{
		{nil, false, gate.ReasonOK, backend},
		{nil, true, gate.ReasonUserInactive, ""},
		{[]string{allowAll}, true, gate.ReasonOK, allowAll},
		{[]string{backend, allowAll}, true, gate.ReasonOK, allowAll},
		{[]string{backend, allowAll}, false, gate.ReasonOK, backend},
		{[]string{custom, backend}, false, gate.ReasonOK, backend},
		{[]string{allowAll, backend}, true, gate.ReasonOK, allowAll},
		// What a backend of the site's own would say of a password is not known.
		{[]string{custom}, false, gate.ReasonBadCredentials, ""},
		{[]string{custom}, true, gate.ReasonBadCredentials, ""},
		{[]string{remote, custom}, false, gate.ReasonBadCredentials, ""},
		{[]string{remote}, false, gate.ReasonBadCredentials, ""},
		{[]string{djuser.AllowAllUsersRemoteUserBackend}, false, gate.ReasonBadCredentials, ""},
	} {
		s := newSite(t, func(s *djuser.Settings) { s.Backends = c.backends })
		s.add("zoe", s.encode(t, "right"), !c.inactive)
		s.reset()
		user, err := s.users.Authenticate(t.Context(), s.fake, "zoe", "right")
		if got := reasonOf(t, err); got != c.want || s.units != iterations {
			t.Errorf("%v, inactive %v: %v after %d units", c.backends, c.inactive, got, s.units)
			continue
		}
		if c.want != gate.ReasonOK {
			continue
		}
		sess := s.load(t, "")
		if err := s.users.Login(t.Context(), s.fake, sess, user); err != nil {
			t.Fatal(err)
		}
		if got, _ := sess.Text("_auth_user_backend"); got != c.recorded {
			t.Errorf("%v, inactive %v: recorded %s", c.backends, c.inactive, got)
		}
		if _, user, why, err := s.users.FromKey(t.Context(), s.fake, sess.Key(), query.Null()); user == nil || err != nil {
			t.Errorf("%v, inactive %v: the session has no user: %v, %v", c.backends, c.inactive, why, err)
		}
	}
}

func rehashing(t *testing.T) (*site, map[string]query.Value) {
	t.Helper()
	s := newSite(t, func(s *djuser.Settings) { s.Rehash = true })
	old, err := password.New(password.Config{PBKDF2Iterations: iterations / 2})
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := old.Make(t.Context(), s.fake, s.Random, "right", "")
	if err != nil {
		t.Fatal(err)
	}
	return s, s.add("zoe", encoded, true)
}

func TestRehash(t *testing.T) {
	s, row := rehashing(t)
	old := row["password"]
	s.reset()
	user, err := s.users.Authenticate(t.Context(), s.fake, "zoe", "right")
	if err != nil {
		t.Fatal(err)
	}
	s.asked(t, "user_by_name", "user_password_cas")
	if row["password"] == old || s.hashers.MustUpdate(row["password"].Text()) {
		t.Errorf("the hash is %q", row["password"].Text())
	}
	// The session is made with the hash as stored now.
	sess := s.load(t, "")
	if err := s.users.Login(t.Context(), s.fake, sess, user); err != nil {
		t.Fatal(err)
	}
	if got, _ := sess.Text("_auth_user_hash"); got != s.users.SessionAuthHash(row["password"].Text()) {
		t.Error("the session's hash is not of the stored password")
	}
	s.reset()
	if _, err := s.users.Authenticate(t.Context(), s.fake, "zoe", "right"); err != nil {
		t.Error(err)
	}
	s.asked(t, "user_by_name")
}

func TestRehashOnlyWhenSet(t *testing.T) {
	s, row := rehashing(t)
	plain := newSite(t)
	plain.fake.users = []map[string]query.Value{row}
	old := row["password"]
	if _, err := plain.users.Authenticate(t.Context(), plain.fake, "zoe", "right"); err != nil || row["password"] != old {
		t.Errorf("%v; the hash was rewritten", err)
	}
	// Nor for a wrong password, or for someone who may not log in.
	row["is_active"] = query.Int(0)
	for _, secret := range []string{"wrong", "right"} {
		s.reset()
		if _, err := s.users.Authenticate(t.Context(), s.fake, "zoe", secret); err == nil || row["password"] != old {
			t.Errorf("%q: %v", secret, err)
		}
		s.asked(t, "user_by_name")
	}
}

// Somebody else writes between the read and the compare-and-swap.
func TestRehashRace(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*site, map[string]query.Value) func(*fake)
		want   gate.Reason
	}{
		{"upgraded elsewhere", func(s *site, row map[string]query.Value) func(*fake) {
			upgraded := query.Text(s.encode(t, "right"))
			return func(*fake) { row["password"] = upgraded }
		}, gate.ReasonOK},
		{"changed", func(s *site, row map[string]query.Value) func(*fake) {
			changed := query.Text(s.encode(t, "other"))
			return func(*fake) { row["password"] = changed }
		}, gate.ReasonBadCredentials},
		{"deleted", func(s *site, row map[string]query.Value) func(*fake) {
			return func(f *fake) { f.users = nil }
		}, gate.ReasonBadCredentials},
		{"upgraded and deactivated", func(s *site, row map[string]query.Value) func(*fake) {
			upgraded := query.Text(s.encode(t, "right"))
			return func(*fake) { row["password"], row["is_active"] = upgraded, query.Int(0) }
		}, gate.ReasonUserInactive},
		{"renamed", func(s *site, row map[string]query.Value) func(*fake) {
			upgraded := query.Text(s.encode(t, "right"))
			return func(*fake) { row["password"], row["username"] = upgraded, query.Text("ann") }
		}, gate.ReasonBadCredentials},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, row := rehashing(t)
			s.beforeCAS = c.change(s, row)
			s.reset()
			user, err := s.users.Authenticate(t.Context(), s.fake, "zoe", "right")
			if got := reasonOf(t, err); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
			s.asked(t, "user_by_name", "user_password_cas", "user_by_id")
			if c.want != gate.ReasonOK {
				return
			}
			sess := s.load(t, "")
			if err := s.users.Login(t.Context(), s.fake, sess, user); err != nil {
				t.Fatal(err)
			}
			if got, _ := sess.Text("_auth_user_hash"); got != s.users.SessionAuthHash(row["password"].Text()) {
				t.Error("the session's hash is not of the stored password")
			}
		})
	}
}

// Many logins at once: one upgrade is written, everyone is let in.
func TestRehashConcurrently(t *testing.T) {
	s, row := rehashing(t)
	old := row["password"]
	s.reset()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.users.Authenticate(t.Context(), s.fake, "zoe", "right"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if row["password"] == old {
		t.Error("nobody upgraded")
	}
	if ok, _, err := s.hashers.Check(t.Context(), s.fake, "right", row["password"].Text()); !ok || err != nil {
		t.Error("the stored hash is not the password's")
	}
}

func TestRehashWithoutRandomness(t *testing.T) {
	s, row := rehashing(t)
	old := row["password"]
	s.noRandom = true
	if user, err := s.users.Authenticate(t.Context(), s.fake, "zoe", "right"); user != nil || err == nil || row["password"] != old {
		t.Errorf("got %v, %v", user, err)
	}
}
