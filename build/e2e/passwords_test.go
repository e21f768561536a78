package e2e

import (
	"testing"

	"github.com/djedge/djedge/build/compat/record"
)

// A password changed on either side ends the user's other sessions on both, whoever made them.
func TestPasswordChangeEndsOtherSessions(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		changes := map[string]func(v *visitor, password string){
			"Django": func(v *visitor, password string) {
				v.want(200, v.django("POST", "/password", map[string]string{"password": password}))
			},
			"djedge": func(v *visitor, password string) {
				v.want(200, v.edge("POST", "/api/change-password", map[string]string{"password": password}))
			},
		}
		for side, change := range changes {
			u, other := s.newUser(), s.newUser()
			here, atDjango, atEdge, bystander := s.visitor(), s.visitor(), s.visitor(), s.visitor()
			here.loginAtEdge(u)
			atDjango.loginAtDjango(u)
			atEdge.loginAtEdge(u)
			bystander.loginAtEdge(other)

			changed := user{u.Username, "changed at " + side + " 5"}
			change(here, changed.Password)
			atDjango.wantUser("")
			atEdge.wantUser("")
			bystander.wantUser(other.Username)
			if side == "Django" {
				here.wantUser(u.Username) // update_session_auth_hash
			} else {
				here.wantUser("") // djedge logs out with the change
			}

			if a := s.visitor().edge("POST", "/api/login", u); a.status != 400 {
				t.Errorf("changed at %s: djedge answers %d to the old password", side, a.status)
			}
			if a := s.visitor().django("POST", "/login", u); a.status != 400 {
				t.Errorf("changed at %s: Django answers %d to the old password", side, a.status)
			}
			again := s.visitor()
			again.loginAtEdge(changed)
			again.wantUser(u.Username)
			again = s.visitor()
			again.loginAtDjango(changed)
			again.wantUser(u.Username)
		}
	})
}

// A password set by an administrator ends all sessions of the user.
func TestPasswordSetElsewhereEndsSessions(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		u, v := s.newUser(), s.visitor()
		v.loginAtEdge(u)
		v.wantUser(u.Username)
		s.django.control(t, "update_user", arguments{"username": u.Username, "password": "!"}, nil)
		v.wantUser("")
		if a := v.edge("POST", "/api/login", u); a.status != 400 {
			t.Errorf("djedge answers %d to a login with an unusable password", a.status)
		}
	})
}

// Whatever hasher a site stored a password with, its users log in at djedge, and the hash stays as it is.
func TestHashersOfDjango(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		for _, hasher := range []string{"pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "scrypt"} {
			record.Passed(t, record.Cell{Python: component(t, "django"+current+"/bin/python"), Database: s.db.kind, Hasher: hasher})
			u := user{newName(), "pässword 密码"}
			var encoded string
			s.django.control(t, "make_password", arguments{"password": u.Password, "hasher": hasher}, &encoded)
			s.django.control(t, "create_user", arguments{"username": u.Username, "encoded": encoded}, nil)
			if a := s.visitor().edge("POST", "/api/login", user{u.Username, u.Password + "x"}); a.status != 400 {
				t.Errorf("%s: a wrong password is answered with %d", hasher, a.status)
			}
			v := s.visitor()
			v.loginAtEdge(u)
			v.wantUser(u.Username)
			if got := s.row(u)["password"]; got != encoded {
				t.Errorf("%s: the stored hash was changed, though djedge was not told how the site hashes", hasher)
			}
		}
	})
}
