package djuser_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djuser"
)

// What is valid holds nothing that could end a line, and normalising twice
// changes nothing.
func FuzzNames(f *testing.F) {
	f.Add("ａlice@ΣΑΣ.COM")
	f.Fuzz(func(t *testing.T, s string) {
		if djuser.ValidEmail(s) && (!strings.Contains(s, "@") || strings.ContainsAny(s, "\r\n\x00") || !utf8.ValidString(s)) {
			t.Errorf("%q is a valid address", s)
		}
		if djuser.ValidUsername(s) && (s == "" || strings.ContainsAny(s, " \t\r\n\x00\"'<>/\\;%") || !utf8.ValidString(s)) {
			t.Errorf("%q is a valid name", s)
		}
		if djuser.ValidUsernameASCII(s) && !djuser.ValidUsername(s) {
			t.Errorf("%q is valid in ASCII alone", s)
		}
		if once := djuser.NormalizeEmail(s); utf8.ValidString(s) && djuser.NormalizeEmail(once) != once {
			t.Errorf("%q becomes %q, and then %q", s, once, djuser.NormalizeEmail(once))
		}
	})
}

// Whatever a session says, only the right hash makes it a user's.
func FuzzGetUser(f *testing.F) {
	s := newSite(f)
	s.add("zoe", "pw", true)
	s.add("idle", "pw", false)
	hash := s.users.SessionAuthHash("pw")
	f.Add(`"1"`, `"`+backend+`"`, `"`+hash+`"`)
	f.Fuzz(func(t *testing.T, id, path, sum string) {
		sess := djsession.NewSession("somebodys-session",
			djsession.Item{Key: "_auth_user_id", Raw: id},
			djsession.Item{Key: "_auth_user_backend", Raw: path},
			djsession.Item{Key: "_auth_user_hash", Raw: sum})
		user, why, err := s.users.GetUser(t.Context(), s.fake, sess)
		if err != nil {
			t.Fatal(err)
		}
		if user == nil {
			return
		}
		gotPath, _ := sess.Text("_auth_user_backend")
		gotSum, _ := sess.Text("_auth_user_hash")
		if user.ID() != "1" || gotPath != backend || gotSum != hash {
			t.Errorf("%s, %s, %s: user %s, %v", id, path, sum, user.ID(), why)
		}
	})
}
