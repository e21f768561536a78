package djuser_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
)

func mustVersion(t *testing.T, s string) version.Version {
	t.Helper()
	v, err := version.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestRegister(t *testing.T) {
	s := newSite(t)
	user, err := s.users.Register(t.Context(), s.fake, "ａlice", " A@EX.com ", "right")
	if err != nil {
		t.Fatal(err)
	}
	s.asked(t, "user_insert", "user_by_name")
	row := s.fake.users[0]
	// As in the trace of Django's create_user on SQLite.
	for column, want := range map[string]query.Value{
		"last_login": query.Null(), "is_superuser": query.Int(0), "username": query.Text("alice"), "first_name": query.Text(""), "last_name": query.Text(""),
		"email": query.Text("A@ex.com"), "is_staff": query.Int(0), "is_active": query.Int(1), "date_joined": query.Text("2026-11-23 03:11:02.606468"),
	} {
		if row[column] != want {
			t.Errorf("%s is %v, want %v", column, row[column], want)
		}
	}
	if user.Username() != "alice" || user.ID() != "1" || !user.IsActive() {
		t.Errorf("got %+v", user.Identity())
	}
	if _, err := s.users.Authenticate(t.Context(), s.fake, "alice", "right"); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		username, email, password string
		want                      gate.Reason
	}{
		{"alice", "", "x", gate.ReasonUsernameTaken},
		{"ａｌｉｃｅ", "", "x", gate.ReasonUsernameTaken},
		{"Alice", "", "x", gate.ReasonOK}, // only UserCreationForm looks at case
		{"", "", "x", gate.ReasonUsernameInvalid},
		{"a b", "", "x", gate.ReasonUsernameInvalid},
		{"a\n", "", "x", gate.ReasonUsernameInvalid},
		{"a\x00", "", "x", gate.ReasonUsernameInvalid},
		{"a\xff", "", "x", gate.ReasonUsernameInvalid},
		{strings.Repeat("a", 150), "", "x", gate.ReasonOK},
		{strings.Repeat("a", 151), "", "x", gate.ReasonUsernameInvalid},
		{strings.Repeat("ﬁ", 100), "", "x", gate.ReasonUsernameInvalid}, // 200 after NFKC
		{strings.Repeat("\ufdfa", 1<<18), "", "x", gate.ReasonUsernameInvalid},
		{"bob", "nodomain", "x", gate.ReasonEmailInvalid},
		{"bob", "a@b.co\nBcc: x@y.zz", "x", gate.ReasonEmailInvalid},
		{"bob", strings.Repeat("a", 250) + "@b.co", "x", gate.ReasonEmailInvalid},
		{"bob", "", "", gate.ReasonPasswordEmpty},
		{"bob", "", strings.Repeat("x", 5000), gate.ReasonPasswordInvalid},
		{"bob", "", "x", gate.ReasonOK},
	} {
		n := len(s.fake.users)
		user, err := s.users.Register(t.Context(), s.fake, c.username, c.email, c.password)
		if got := reasonOf(t, err); got != c.want || (user != nil) != (c.want == gate.ReasonOK) {
			t.Errorf("%.20q, %.20q: got %v, want %v", c.username, c.email, got, c.want)
		}
		if (len(s.fake.users) > n) != (c.want == gate.ReasonOK) {
			t.Errorf("%.20q, %.20q: a row was written", c.username, c.email)
		}
	}
	s.noRandom = true
	if user, err := s.users.Register(t.Context(), s.fake, "carol", "", "x"); user != nil || err == nil {
		t.Errorf("without randomness: %v, %v", user, err)
	}
}

func TestRegisterByEmail(t *testing.T) {
	s := newSite(t, func(s *djuser.Settings) { s.UsernameField = "email" })
	if _, err := s.users.Register(t.Context(), s.fake, "no address", "", "x"); reasonOf(t, err) != gate.ReasonUsernameInvalid {
		t.Error(err)
	}
	s = newSite(t, func(s *djuser.Settings) {
		s.Columns = []query.Column{{Name: "id", Kind: query.KindText}, {Name: "username"}, {Name: "password"}}
	})
	if _, err := s.users.Register(t.Context(), s.fake, "zoe", "", "x"); err == nil || len(s.log) != 0 {
		t.Errorf("a primary key of text: %v", err)
	}
}

func TestSetPassword(t *testing.T) {
	s := newSite(t)
	row := s.add("zoe", s.encode(t, "old"), true)
	key := s.putLogin(t, "1", row["password"].Text())
	if err := s.users.SetPassword(t.Context(), s.fake, "1", "new"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.users.Authenticate(t.Context(), s.fake, "zoe", "new"); err != nil {
		t.Error(err)
	}
	if _, user, why, _ := s.users.FromKey(t.Context(), s.fake, key, query.Null()); user != nil || why != gate.ReasonAuthHashMismatch {
		t.Errorf("the session lives on: %v", why)
	}
	for _, c := range []struct {
		id, password string
		want         gate.Reason
	}{
		{"9", "x", gate.ReasonUserMissing},
		{"", "x", gate.ReasonUserMissing},
		{"1; DROP TABLE", "x", gate.ReasonUserMissing},
		{"1", "", gate.ReasonPasswordEmpty},
		{"1", strings.Repeat("x", 5000), gate.ReasonPasswordInvalid},
	} {
		old := row["password"]
		if err := s.users.SetPassword(t.Context(), s.fake, c.id, c.password); reasonOf(t, err) != c.want || row["password"] != old {
			t.Errorf("%q: %v", c.id, err)
		}
	}
}

func TestSave(t *testing.T) {
	s := newSite(t)
	row := s.add("zoe", "pw", true)
	field := func(column string, v query.Value) []djuser.Field { return []djuser.Field{{Column: column, Value: v}} }
	err := s.users.Save(t.Context(), s.fake, "1", []djuser.Field{
		{Column: "first_name", Value: query.Text("Zoë")},
		{Column: "is_staff", Value: query.Bool(true)},
		{Column: "last_login", Value: query.Time(now)},
	})
	if err != nil || row["first_name"] != query.Text("Zoë") || row["is_staff"] != query.Int(1) || row["last_login"] != query.Text("2026-11-23 03:11:02.606468") {
		t.Errorf("%v: %v", err, row)
	}
	for _, c := range []struct {
		name   string
		id     string
		fields []djuser.Field
		want   gate.Reason
	}{
		{"nothing", "1", nil, gate.ReasonOK},
		{"null where it may be", "1", field("last_login", query.Null()), gate.ReasonOK},
		{"number as bool", "1", field("is_staff", query.Int(0)), gate.ReasonOK},
		{"password", "1", field("password", query.Text("x")), gate.ReasonFieldInvalid},
		{"primary key", "1", field("id", query.Int(2)), gate.ReasonFieldInvalid},
		{"unknown", "1", field("nothing", query.Int(2)), gate.ReasonFieldInvalid},
		{"SQL", "1", field(`is_staff" = 1, "is_superuser`, query.Int(1)), gate.ReasonFieldInvalid},
		{"another case", "1", field("PASSWORD", query.Text("x")), gate.ReasonFieldInvalid},
		{"twice", "1", append(field("is_staff", query.Bool(true)), field("is_staff", query.Bool(false))...), gate.ReasonFieldInvalid},
		{"null where it may not be", "1", field("email", query.Null()), gate.ReasonFieldInvalid},
		{"text as bool", "1", field("is_staff", query.Text("yes")), gate.ReasonFieldInvalid},
		{"NUL", "1", field("first_name", query.Text("a\x00")), gate.ReasonFieldInvalid},
		{"too long", "1", field("first_name", query.Text(strings.Repeat("ä", 151))), gate.ReasonFieldInvalid},
		{"no name", "1", field("username", query.Text("")), gate.ReasonFieldInvalid},
		{"nobody", "9", field("is_staff", query.Bool(true)), gate.ReasonUserMissing},
		{"no id", "x", field("is_staff", query.Bool(true)), gate.ReasonUserMissing},
	} {
		if err := s.users.Save(t.Context(), s.fake, c.id, c.fields); reasonOf(t, err) != c.want {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if row["password"] != query.Text("pw") || row["is_superuser"] != query.Int(0) {
		t.Errorf("the row is %v", row)
	}
	s.fail = "user_save"
	if err := s.users.Save(t.Context(), s.fake, "1", field("is_staff", query.Bool(true))); !errors.Is(err, errDown) {
		t.Error(err)
	}
}
