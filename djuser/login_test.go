package djuser_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
)

func load(t *testing.T, s *site, id string) *djuser.User {
	t.Helper()
	user, err := s.users.Load(t.Context(), s.fake, id)
	if err != nil {
		t.Fatal(err)
	}
	s.reset()
	return user
}

// What a login writes, in which order: a crash between any two leaves either
// the old session or the new one, whole.
func TestLoginOrder(t *testing.T) {
	s := newSite(t)
	s.add("zoe", "pw", true)
	s.add("ann", "pw", true)
	for _, c := range []struct {
		name string
		key  string
		want []string
	}{
		{"new", "", []string{"session_insert", "user_last_login"}},
		{"anonymous", s.put(t, djsession.Item{Key: "cart", Raw: "[1]"}), []string{"session_insert", "session_delete", "user_last_login"}},
		{"another user's", s.putLogin(t, "2", "pw"), []string{"session_insert", "session_delete", "user_last_login"}},
		{"stale", s.putLogin(t, "1", "old pw"), []string{"session_insert", "session_delete", "user_last_login"}},
		{"own", s.putLogin(t, "1", "pw"), []string{"session_update", "user_last_login"}},
		{"own, id written otherwise", s.putLogin(t, " +01", "pw"), []string{"session_update", "user_last_login"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sess := s.load(t, c.key)
			user := load(t, s, "1")
			if err := s.users.Login(t.Context(), s.fake, sess, user); err != nil {
				t.Fatal(err)
			}
			s.asked(t, c.want...)
			stored := s.load(t, sess.Key())
			if id, _ := stored.Text("_auth_user_id"); id != "1" {
				t.Errorf("the session's user is %q", id)
			}
			if v, _ := user.Get("last_login"); !v.Time().Equal(now) {
				t.Errorf("last_login is %v", v)
			}
		})
	}
}

func TestLoginFails(t *testing.T) {
	s := newSite(t, func(s *djuser.Settings) { s.CSRFUseSessions = true })
	s.add("zoe", "pw", true)
	s.add("idle", "pw", false)
	key := s.put(t, djsession.Item{Key: "cart", Raw: "[1]"})

	user, sess := load(t, s, "1"), s.load(t, key)
	s.reset()
	s.noRandom = true
	if err := s.users.Login(t.Context(), s.fake, sess, user); !errors.Is(err, djsession.ErrNoRandomness) {
		t.Errorf("without randomness: %v", err)
	}
	s.asked(t)
	s.noRandom = false

	s.fail = "session_insert"
	if err := s.users.Login(t.Context(), s.fake, s.load(t, key), user); !errors.Is(err, errDown) {
		t.Errorf("without a database: %v", err)
	}
	s.fail = ""
	if _, ok := s.load(t, key).Get("cart"); !ok {
		t.Error("the old session is gone")
	}

	if err := s.users.Login(t.Context(), s.fake, djsession.NewSession(""), load(t, s, "2")); reasonOf(t, err) != gate.ReasonUserInactive {
		t.Errorf("inactive: %v", err)
	}

	own := s.putLogin(t, "1", "pw")
	sess = s.load(t, own)
	delete(s.sessions, own) // a logout elsewhere
	if err := s.users.Login(t.Context(), s.fake, sess, user); !errors.Is(err, djsession.ErrUpdate) {
		t.Errorf("deleted meanwhile: %v", err)
	}
}

func TestCSRFRotation(t *testing.T) {
	token := djsession.Item{Key: "_csrftoken", Raw: `"old"`}
	for _, c := range []struct {
		name       string
		inSession  bool
		version    string
		items      []djsession.Item
		wantLength int
	}{
		{"cookie", false, "5.2", nil, 0},
		{"a token left in the session", false, "5.2", []djsession.Item{token}, 3}, // Django leaves it alone
		{"session", true, "4.1", nil, 32},
		{"session with a token", true, "5.2", []djsession.Item{token}, 32},
		{"masked", true, "4.0", nil, 64},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, func(s *djuser.Settings) {
				s.CSRFUseSessions = c.inSession
				s.Version = mustVersion(t, c.version)
			})
			s.add("zoe", "pw", true)
			sess := s.load(t, s.put(t, c.items...))
			if err := s.users.Login(t.Context(), s.fake, sess, load(t, s, "1")); err != nil {
				t.Fatal(err)
			}
			got, _ := s.load(t, sess.Key()).Text("_csrftoken")
			if len(got) != c.wantLength || strings.Trim(got, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
				t.Errorf("the token is %q", got)
			}
		})
	}
}

// Django 5.2: response.set_cookie of CsrfViewMiddleware.
func TestCSRFCookie(t *testing.T) {
	s := newSite(t)
	got, err := s.users.CSRFCookie(t.Context(), s.fake)
	want := regexp.MustCompile(`^csrftoken=[a-zA-Z0-9]{32}; expires=Mon, 22 Nov 2027 03:11:02 GMT; Max-Age=31449600; Path=/; SameSite=Lax$`)
	if err != nil || !want.MatchString(got) {
		t.Errorf("got %q, %v", got, err)
	}
	s = newSite(t, func(s *djuser.Settings) {
		s.CSRFCookieName, s.CSRFCookieDomain, s.CSRFCookiePath, s.CSRFCookieSameSite, s.CSRFCookieSecure = "c", ".example.com", "/app", "-", true
		s.Version = mustVersion(t, "3.2")
	})
	got, err = s.users.CSRFCookie(t.Context(), s.fake)
	want = regexp.MustCompile(`^c=[a-zA-Z0-9]{64}; Domain=\.example\.com; expires=[^;]*; Max-Age=31449600; Path=/app; Secure$`)
	if err != nil || !want.MatchString(got) {
		t.Errorf("got %q, %v", got, err)
	}
	s = newSite(t, func(s *djuser.Settings) { s.CSRFUseSessions = true })
	if got, err = s.users.CSRFCookie(t.Context(), s.fake); got != "" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestLogout(t *testing.T) {
	s := newSite(t)
	s.add("zoe", "pw", true)
	sess := s.load(t, s.putLogin(t, "1", "pw", djsession.Item{Key: "cart", Raw: "[1]"}))
	if err := s.users.Logout(t.Context(), s.fake, sess); err != nil {
		t.Fatal(err)
	}
	if len(s.sessions) != 0 || sess.Key() != "" || sess.Len() != 0 {
		t.Errorf("left: %v, %q", s.sessions, sess.Key())
	}
	if err := s.users.Logout(t.Context(), s.fake, sess); err != nil {
		t.Errorf("again: %v", err)
	}
	sess = s.load(t, s.putLogin(t, "1", "pw"))
	s.fail = "session_delete"
	if err := s.users.Logout(t.Context(), s.fake, sess); !errors.Is(err, errDown) || sess.Key() == "" {
		t.Errorf("without a database: %v", err)
	}
}

// A table without last_login, is_active or permissions, and other names.
func TestOtherTable(t *testing.T) {
	s := newSite(t, func(s *djuser.Settings) {
		s.Table, s.PK, s.UsernameField = "accounts_user", "user_ptr_id", "email"
		s.Columns = []query.Column{{Name: "nick"}, {Name: "email", Kind: query.KindBytes}, {Name: "password"}, {Name: "user_ptr_id", Kind: query.KindInt}}
		s.SessionKeys = djuser.SessionKeys{UserID: "u", Backend: "b", Hash: "h"}
	})
	var names []string
	for _, c := range s.users.Columns() {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, " "); got != "user_ptr_id password email nick" {
		t.Fatalf("the columns are %s", got)
	}
	s.fake.users = []map[string]query.Value{{"user_ptr_id": query.Int(4), "id": query.Int(4), "email": query.Bytes("z@x.y"), "username": query.Text("z@x.y"), "password": query.Bytes(s.encode(t, "pw")), "nick": query.Text("z")}}
	user, err := s.users.Authenticate(t.Context(), s.fake, "z@x.y", "pw")
	if err != nil {
		t.Fatal(err)
	}
	if !user.IsActive() || user.IsStaff() || user.IsSuperuser() || user.Email() != "z@x.y" || user.Username() != "z@x.y" {
		t.Errorf("got %+v", user.Identity())
	}
	s.reset()
	sess := djsession.NewSession("")
	if err := s.users.Login(t.Context(), s.fake, sess, user); err != nil {
		t.Fatal(err)
	}
	s.asked(t, "session_insert")
	if id, _ := sess.Text("u"); id != "4" {
		t.Errorf("the session holds %v", sess.Items())
	}
}
