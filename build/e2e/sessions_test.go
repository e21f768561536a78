package e2e

import (
	"maps"
	"math"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/djedge/djedge/build/compat/record"
)

func TestSessionMadeByDjangoIsRecognised(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		u := s.newUser("email", "someone@example.com", "first_name", "Zoë", "is_staff", true)
		v := s.visitor()
		v.loginAtDjango(u)
		v.wantUser(u.Username)

		row := s.row(u)
		header := v.edge("GET", "/auth", nil).header
		for name, want := range map[string]string{
			"Remote-User":      u.Username,
			"Remote-Email":     "someone@example.com",
			"Remote-Staff":     "true",
			"Remote-Superuser": "false",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("/auth answers with %s %q, want %q", name, got, want)
			}
		}
		me := v.me()
		for name := range row {
			if name == "password" {
				if _, told := me.User[name]; told {
					t.Error("/api/me tells the password hash")
				}
				continue
			}
			if name != "date_joined" && name != "last_login" && !reflect.DeepEqual(me.User[name], row[name]) {
				t.Errorf("/api/me has %s %v, Django %v", name, me.User[name], row[name])
			}
		}
	})
}

func TestSessionMadeByDjangoThroughTheAdminIsRecognised(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		u := s.newUser("is_staff", true, "is_superuser", true)
		v := s.visitor()
		loginAtAdmin(v, u)
		v.wantUser(u.Username)
	})
}

// loginAtAdmin fills in the form of Django's admin.
func loginAtAdmin(v *visitor, u user) {
	v.t.Helper()
	page := v.want(200, v.django("GET", "/admin/login/?next=/admin/", nil)).body
	_, token, _ := strings.Cut(page, `name="csrfmiddlewaretoken" value="`)
	token, _, _ = strings.Cut(token, `"`)
	v.want(302, v.django("POST", "/admin/login/?next=/admin/", url.Values{
		"csrfmiddlewaretoken": {token}, "username": {u.Username}, "password": {u.Password}, "next": {"/admin/"},
	}))
}

func TestSessionMadeByDjedgeIsAcceptedByDjango(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		u := s.newUser("is_staff", true, "is_superuser", true)
		v := s.visitor()
		v.loginAtEdge(u)
		v.wantUser(u.Username)
		if page := v.want(200, v.django("GET", "/admin/auth/user/", nil)).body; !strings.Contains(page, u.Username) {
			t.Error("Django's admin does not list the user")
		}
		// The session is of the length and age that Django gives it, and its cookie found by Django's name.
		found := s.session(v.cookie(sessionCookie))
		if found == nil || !found.Live || len(found.Key) != 32 || found.User != u.Username {
			t.Errorf("Django finds the session %+v", found)
		}
		if s.row(u)["last_login"] == nil {
			t.Error("last_login was not written")
		}
		// Forms of Django's admin work with the CSRF cookie that djedge gave at login.
		if token := v.cookie(csrfCookie); token == "" {
			t.Error("djedge's login rotates no CSRF token")
		} else if a := v.django("POST", "/admin/logout/", url.Values{"csrfmiddlewaretoken": {token}}); a.status != 200 {
			t.Errorf("Django refuses a form with djedge's CSRF token: %d", a.status)
		}
		v.wantUser("")
	})
}

// A login keeps what an anonymous session held and changes its key, on both sides.
func TestLoginKeepsAnonymousSessionUnderNewKey(t *testing.T) {
	held := map[string]any{
		"basket":  []any{map[string]any{"id": 1.0, "price": 12.5}, nil, true, "x"},
		"unicode": "Grüße 😀 \u2028 </script>",
		"empty":   map[string]any{},
		"number":  -1e300,
		"exact":   math.Pi,
	}
	everySite(t, func(t *testing.T, s *site) {
		record.Passed(t, record.Cell{Python: component(t, "django"+current+"/bin/python"), Engine: "db", Database: s.db.kind})
		u := s.newUser()
		for side, login := range map[string]func(*visitor){
			"Django": func(v *visitor) { v.loginAtDjango(u) },
			"djedge": func(v *visitor) { v.loginAtEdge(u) },
		} {
			v := s.visitor()
			v.want(200, v.django("POST", "/session", held))
			before := v.twin()
			login(v)
			if v.cookie(sessionCookie) == before.cookie(sessionCookie) {
				t.Errorf("%s: the session key is the one from before the login", side)
			}
			v.wantUser(u.Username)
			before.wantUser("")
			if found := s.session(before.cookie(sessionCookie)); found != nil {
				t.Errorf("%s: the session from before the login is still there", side)
			}
			for name, session := range map[string]map[string]any{"Django": v.whoami().Session, "djedge": v.me().Session} {
				maps.DeleteFunc(session, func(key string, _ any) bool { return strings.HasPrefix(key, "_") })
				if !reflect.DeepEqual(session, held) {
					t.Errorf("logged in at %s, %s has the session %v", side, name, session)
				}
			}
		}
	})
}

// Numbers beyond a float, repeated escapes and the like go through djedge without a change.
func TestLoginKeepsValuesThatGoWouldChange(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		u, v := s.newUser(), s.visitor()
		v.want(200, v.django("POST", "/session", `{"big":123456789012345678901234567890,"float":1.0,"small":1e-7,"nan":NaN,"surrogate":"\ud800"}`))
		before := v.django("GET", "/whoami", nil).body
		v.loginAtEdge(u)
		after := v.django("GET", "/whoami", nil).body
		_, before, _ = strings.Cut(strings.TrimRight(before, "}"), `"session": {`)
		if !strings.Contains(after, before) || before == "" {
			t.Errorf("the session was %s and is %s", before, after)
		}
	})
}

// Another user's login, or the same user's after a password change, takes nothing over from the session that was there.
func TestLoginOfAnotherUserStartsAnEmptySession(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		first, second, v := s.newUser(), s.newUser(), s.visitor()
		v.loginAtDjango(first)
		v.want(200, v.django("POST", "/session", map[string]any{"secret": "of the first"}))
		old := v.twin()
		v.loginAtEdge(second)
		v.wantUser(second.Username)
		old.wantUser("")
		if session := v.whoami().Session; session["secret"] != nil {
			t.Errorf("the second user has the first one's session: %v", session)
		}
	})
}

func TestLogoutIsSeenByTheOtherSide(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		u := s.newUser()
		logouts := map[string]func(*visitor){
			"Django": func(v *visitor) { v.want(200, v.django("POST", "/logout", nil)) },
			"djedge": func(v *visitor) { v.want(200, v.edge("POST", "/api/logout", nil)) },
		}
		logins := map[string]func(*visitor){
			"Django": func(v *visitor) { v.loginAtDjango(u) },
			"djedge": func(v *visitor) { v.loginAtEdge(u) },
		}
		for in, login := range logins {
			for out, logout := range logouts {
				v := s.visitor()
				login(v)
				v.wantUser(u.Username)
				thief := v.twin()
				thief.wantUser(u.Username)
				logout(v)
				if v.cookie(sessionCookie) != "" {
					t.Errorf("in at %s, out at %s: the cookie stays", in, out)
				}
				thief.wantUser("")
				if found := s.session(thief.cookie(sessionCookie)); found != nil {
					t.Errorf("in at %s, out at %s: the session is still there", in, out)
				}
			}
		}
	})
}

func TestExpiredSession(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		u := s.newUser()
		for side, login := range map[string]func(*visitor, user){"Django": (*visitor).loginAtDjango, "djedge": (*visitor).loginAtEdge} {
			v := s.visitor()
			login(v, u)
			v.wantUser(u.Username)
			s.django.control(t, "expire_session", arguments{"key": v.cookie(sessionCookie)}, nil)
			v.wantUser("")
			if t.Failed() {
				t.Fatalf("session made by %s", side)
			}
		}
	})
}
