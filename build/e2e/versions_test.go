package e2e

import (
	"testing"

	"github.com/djedge/djedge/build/compat/record"
)

// Every Django from 2.2 on shares its logins with a djedge that is told the version.
func TestEveryDjango(t *testing.T) {
	t.Parallel()
	for version, name := range map[string]string{"22": "2.2", "32": "3.2", "42": "4.2", "52": "5.2", "60": "6.0", "61": "6.1"} {
		for _, kind := range kinds {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				record.Passed(t, record.Cell{Python: component(t, "django"+version+"/bin/python"), Engine: "db", Database: kind})
				s := startSite(t, kind, version, settings{}, edgeOptions{engine: "wasm", args: []string{"--django-version", name}})
				u := s.newUser("is_staff", true)
				for side, login := range map[string]func(*visitor, user){"Django": (*visitor).loginAtDjango, "djedge": (*visitor).loginAtEdge} {
					v := s.visitor()
					v.want(200, v.django("POST", "/session", `{"kept":{"a":[1.0,null,"ü"]}}`))
					login(v, u)
					v.wantUser(u.Username)
					v.want(200, v.django("GET", "/admin/", nil))
					if v.whoami().Session["kept"] == nil || v.me().Session["kept"] == nil {
						t.Errorf("logged in at %s, the session is lost", side)
					}
				}

				registered := user{newName(), "a new user's password"}
				atEdge, atDjango := s.visitor(), s.visitor()
				atEdge.want(200, atEdge.edge("POST", "/api/register", registered))
				encoded := s.row(registered)["password"]
				atDjango.loginAtDjango(registered)
				if s.row(registered)["password"] != encoded {
					t.Error("Django upgrades the hash that djedge made")
				}
				atEdge.wantUser(registered.Username)
				s.django.control(t, "update_user", arguments{"username": registered.Username, "is_staff": true}, nil)
				for _, v := range []*visitor{atDjango, atEdge} {
					v.want(200, v.django("GET", "/admin/", nil))
				}
				atDjango.want(200, atDjango.django("POST", "/password", map[string]string{"password": "another password"}))
				atEdge.wantUser("")
				atDjango.wantUser(registered.Username)
				thief := atDjango.twin()
				atDjango.want(200, atDjango.edge("POST", "/api/logout", nil))
				thief.wantUser("")
			})
		}
	}
}
