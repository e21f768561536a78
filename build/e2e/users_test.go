package e2e

import (
	"testing"
	"time"
)

func TestUserRegisteredAtDjedgeLogsInToDjango(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		u, v := user{newName(), "a new user's password"}, s.visitor()
		v.want(200, v.edge("POST", "/api/register", u))
		v.wantUser(u.Username) // registering logs in
		again := s.visitor()
		again.loginAtDjango(u)
		again.wantUser(u.Username)

		row := s.row(u)
		for name, want := range map[string]any{
			"is_active": true, "is_staff": false, "is_superuser": false, "first_name": "", "last_name": "", "email": "",
		} {
			if row[name] != want {
				t.Errorf("%s is %v, want %v", name, row[name], want)
			}
		}
		joined, err := time.Parse(time.RFC3339, row["date_joined"].(string))
		if err != nil || time.Since(joined).Abs() > time.Minute {
			t.Errorf("date_joined is %v", row["date_joined"])
		}
		if a := s.visitor().edge("POST", "/api/register", u); a.status != 400 {
			t.Errorf("registering the name again is answered with %d", a.status)
		}
	})
}

// A user that is not active is nobody on either side; made active again, the session lives again.
func TestInactiveUser(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		u := s.newUser()
		atDjango, atEdge := s.visitor(), s.visitor()
		atDjango.loginAtDjango(u)
		atEdge.loginAtEdge(u)
		active := func(is bool) {
			s.django.control(t, "update_user", arguments{"username": u.Username, "is_active": is}, nil)
		}
		active(false)
		atDjango.wantUser("")
		atEdge.wantUser("")
		if a := s.visitor().edge("POST", "/api/login", u); a.status != 400 || a.body != `{"message":"User isn't active"}` {
			t.Errorf("the login of an inactive user is answered with %d %s", a.status, a.body)
		}
		wrong := user{u.Username, "not the password"}
		if a := s.visitor().edge("POST", "/api/login", wrong); a.status != 400 || a.body != `{"message":"Bad username or password"}` {
			t.Errorf("a wrong password of an inactive user is answered with %d %s", a.status, a.body)
		}
		active(true)
		atDjango.wantUser(u.Username)
		atEdge.wantUser(u.Username)
	})
}

func TestDeletedUser(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		u, v := s.newUser(), s.visitor()
		v.loginAtEdge(u)
		v.wantUser(u.Username)
		s.django.control(t, "delete_user", arguments{"username": u.Username}, nil)
		v.wantUser("")
		if a := v.edge("POST", "/api/change-password", map[string]string{"password": "another password"}); a.status != 400 {
			t.Errorf("a deleted user's password change is answered with %d", a.status)
		}
	})
}

// Names are compared as Django compares them: in NFKC, and by case.
func TestUsernameIsNormalisedAsInDjango(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		name := newName()
		u, v := user{"ﬁ" + name, "a new user's password"}, s.visitor()
		v.want(200, v.edge("POST", "/api/register", u))
		v.wantUser("fi" + name)
		again := s.visitor()
		again.loginAtDjango(user{"fi" + name, u.Password})
		if a := s.visitor().edge("POST", "/api/login", user{"FI" + name, u.Password}); a.status != 400 {
			t.Errorf("a name in other letters is answered with %d", a.status)
		}
	})
}
