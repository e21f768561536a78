package djuser_test

import (
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
)

const (
	dashed = "0f8fad5b-d9cb-469f-a165-70867728950e"
	digits = "0f8fad5bd9cb469fa16570867728950e"
)

func uuidUsers(d query.Dialect) func(*djuser.Settings) {
	return func(s *djuser.Settings) {
		s.Dialect = d
		s.Columns = []query.Column{{Name: "id", Kind: query.KindUUID}, {Name: "username"}, {Name: "password"}, {Name: "last_login"}, {Name: "ref", Kind: query.KindUUID}}
	}
}

// Django keeps a UUID as 32 digits in SQLite and MySQL, and dashed in a session.
func TestUUIDKey(t *testing.T) {
	for _, d := range []query.Dialect{query.SQLite, query.MySQL} {
		s := newSite(t, uuidUsers(d))
		s.fake.users = append(s.fake.users, map[string]query.Value{
			"id": query.Text(digits), "username": query.Text("zoe"), "password": query.Text(s.encode(t, "right")), "ref": query.Text(digits),
		})
		user, err := s.users.Authenticate(t.Context(), s.fake, "zoe", "right")
		if err != nil || user.ID() != dashed || user.PK() != query.Text(dashed) || user.Identity().ID != dashed {
			t.Fatalf("%v: %v, %v", d, user, err)
		}
		if ref, _ := user.Get("ref"); ref != query.Text(dashed) {
			t.Errorf("%v: another UUID is %q", d, ref.Text())
		}
		sess := s.load(t, "")
		if err := s.users.Login(t.Context(), s.fake, sess, user); err != nil {
			t.Fatal(err)
		}
		if id, _ := sess.Text("_auth_user_id"); id != dashed {
			t.Errorf("%v: the session's id is %q", d, id)
		}
		if s.fake.users[0]["last_login"].IsNull() {
			t.Errorf("%v: last_login was not written", d)
		}
		encoded := s.fake.users[0]["password"].Text()
		for _, id := range []string{dashed, digits, strings.ToUpper(dashed), "{" + dashed + "}", "urn:uuid:" + dashed} {
			for hint, trips := range map[query.Value]int{query.Null(): 2, query.Text(dashed): 1, query.Text("1"): 2} {
				key := s.putLogin(t, id, encoded)
				s.reset()
				if _, user, why, err := s.users.FromKey(t.Context(), s.fake, key, hint); err != nil || user == nil || user.ID() != dashed || s.trips != trips {
					t.Errorf("%v: %s, hint %q: %v, %v, %v in %d round trips", d, id, hint.Text(), user, why, err, s.trips)
				}
			}
		}
		for _, id := range []string{"", "1", "x", dashed + "0", dashed[1:], strings.Replace(dashed, "0f", "0g", 1), dashed + "\x00"} {
			key := s.putLogin(t, strings.ReplaceAll(id, "\x00", `\u0000`), encoded)
			s.reset()
			if _, user, why, err := s.users.FromKey(t.Context(), s.fake, key, query.Null()); user != nil || why != gate.ReasonUserMissing || err != nil {
				t.Errorf("%v: %q: %v, %v, %v", d, id, user, why, err)
			}
			s.asked(t, "session_load") // PostgreSQL would fail for what is no UUID
		}
		if err := s.users.SetPassword(t.Context(), s.fake, digits, "new"); err != nil {
			t.Error(err)
		}
		err = s.users.Save(t.Context(), s.fake, dashed, []djuser.Field{{Column: "ref", Value: query.Text(strings.ToUpper(dashed))}})
		if err != nil || s.fake.users[0]["ref"] != query.Text(digits) {
			t.Errorf("%v: saved %v: %v", d, s.fake.users[0]["ref"], err)
		}
		err = s.users.Save(t.Context(), s.fake, dashed, []djuser.Field{{Column: "ref", Value: query.Text("x")}})
		if reasonOf(t, err) != gate.ReasonFieldInvalid {
			t.Errorf("%v: saved what is no UUID: %v", d, err)
		}
	}
}

// Django's UUIDField gets its value from uuid4 before the row is written.
func TestRegisterUUID(t *testing.T) {
	s := newSite(t, uuidUsers(query.SQLite))
	user, err := s.users.Register(t.Context(), s.fake, "zoe", "", "right")
	if err != nil {
		t.Fatal(err)
	}
	id, ok := query.ParseUUID(user.ID())
	if !ok || id != user.ID() || id[14] != '4' || !strings.ContainsRune("89ab", rune(id[19])) {
		t.Errorf("the id is %q, which is no uuid4", user.ID())
	}
	if stored := s.fake.users[0]["id"].Text(); stored != strings.ReplaceAll(id, "-", "") {
		t.Errorf("%q is stored", stored)
	}
	s = newSite(t, uuidUsers(query.PostgreSQL))
	if user, err = s.users.Register(t.Context(), s.fake, "zoe", "", "right"); err != nil || s.fake.users[0]["id"].Text() != user.ID() {
		t.Errorf("PostgreSQL: %v, %v", user, err)
	}
}

// USERNAME_FIELD may be a number: what Django shows is str() of it.
func TestNumericUsername(t *testing.T) {
	s := newSite(t, func(s *djuser.Settings) {
		s.Dialect, s.UsernameField = query.SQLite, "phone"
		s.Columns = []query.Column{{Name: "id", Kind: query.KindInt}, {Name: "phone", Kind: query.KindInt}, {Name: "password"}}
	})
	s.fake.users = append(s.fake.users, map[string]query.Value{"id": query.Int(7), "phone": query.Int(4912345), "password": query.Text(s.encode(t, "right"))})
	user, err := s.users.Load(t.Context(), s.fake, "7")
	if err != nil || user.Username() != "4912345" || user.Identity().Name != "4912345" {
		t.Errorf("%v, %v", user, err)
	}
}

// A user name may be the primary key itself.
func TestTextKey(t *testing.T) {
	s := newSite(t, func(s *djuser.Settings) {
		s.PK = "username"
		s.Columns = []query.Column{{Name: "username"}, {Name: "password"}}
	})
	user, err := s.users.Register(t.Context(), s.fake, "zoe", "", "right")
	if err != nil || user.ID() != "zoe" || user.Identity().Name != "zoe" {
		t.Fatal(user, err)
	}
	if user, err = s.users.Authenticate(t.Context(), s.fake, "zoe", "right"); err != nil {
		t.Fatal(err)
	}
	sess := s.load(t, "")
	if err := s.users.Login(t.Context(), s.fake, sess, user); err != nil {
		t.Fatal(err)
	}
	if id, _ := sess.Text("_auth_user_id"); id != "zoe" {
		t.Errorf("the session's id is %q", id)
	}
}

// Without a backend that takes passwords nobody could log in who registers.
func TestRegisterWithoutBackend(t *testing.T) {
	s := newSite(t, func(s *djuser.Settings) { s.Backends = []string{"accounts.backends.LDAPBackend"} })
	if _, err := s.users.Register(t.Context(), s.fake, "zoe", "", "right"); reasonOf(t, err) != gate.ReasonBackendNotAllowed || len(s.fake.users) != 0 {
		t.Errorf("registered: %v", err)
	}
	s.add("ann", "pw", true)
	user := load(t, s, "1")
	if err := s.users.Login(t.Context(), s.fake, s.load(t, ""), user); reasonOf(t, err) != gate.ReasonBackendNotAllowed {
		t.Errorf("logged in: %v", err)
	}
}

// Django 2.2's logout carries the language over into a new session.
func TestLogoutKeepsLanguage(t *testing.T) {
	for release, kept := range map[string]bool{"2.2": true, "3.0": false, "5.2": false} {
		s := newSite(t, func(s *djuser.Settings) { s.Version = mustVersion(t, release) })
		s.add("zoe", "pw", true)
		key := s.putLogin(t, "1", "pw", djsession.Item{Key: "cart", Raw: "[1]"}, djsession.Item{Key: "_language", Raw: `"de-ch"`})
		sess := s.load(t, key)
		if err := s.users.Logout(t.Context(), s.fake, sess); err != nil {
			t.Fatal(err)
		}
		if _, ok := s.sessions[key]; ok {
			t.Errorf("%s: the old session lives on", release)
		}
		if !kept {
			if sess.Key() != "" || sess.Len() != 0 || len(s.sessions) != 0 {
				t.Errorf("%s: left %v", release, s.sessions)
			}
			continue
		}
		stored := s.load(t, sess.Key())
		if language, _ := stored.Text("_language"); language != "de-ch" || stored.Len() != 1 || sess.Key() == key {
			t.Errorf("%s: the new session is %v", release, stored.Items())
		}
		for _, item := range [][]djsession.Item{nil, {{Key: "_language", Raw: "null"}}} {
			sess := s.load(t, s.put(t, item...))
			if err := s.users.Logout(t.Context(), s.fake, sess); err != nil || sess.Key() != "" {
				t.Errorf("%s: without a language: %q, %v", release, sess.Key(), err)
			}
		}
	}
}
