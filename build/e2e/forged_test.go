package e2e

import (
	"strings"
	"testing"
)

// Whatever is stored or sent that Django did not sign is anonymous on both sides, and is no error.
func TestForgedSession(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		u := s.newUser()
		v := s.visitor()
		v.loginAtDjango(u)
		v.wantUser(u.Username)
		key := v.cookie(sessionCookie)
		var whole string
		s.django.control(t, "session_data", arguments{"key": key}, &whole)

		forge := func(name string, change func()) {
			t.Helper()
			s.django.control(t, "update_session", arguments{"key": key, "session_data": whole}, nil)
			v.wantUser(u.Username)
			change()
			v.twin().wantUser("") // Django takes the cookie away
			if t.Failed() {
				t.Fatalf("with a session that is forged: %s", name)
			}
		}
		store := func(data string) func() {
			return func() {
				s.django.control(t, "update_session", arguments{"key": key, "session_data": data}, nil)
			}
		}
		payload, signature, _ := cutLast(whole, ":")
		_, stamp, _ := cutLast(payload, ":")
		forge("first character", store(flip(whole, 2)))
		forge("payload", store(flip(whole, len(whole)/3)))
		forge("time", store(strings.Replace(whole, stamp, flip(stamp, 0), 1)))
		forge("signature", store(flip(whole, len(whole)-2)))
		forge("cut short", store(whole[:len(whole)-1]))
		forge("longer", store(whole+"A"))
		forge("no signature", store(payload))
		forge("empty signature", store(payload+":"))
		forge("empty", store(""))
		forge("not base64", store("!!!!:1aaaaa:"+signature))
		forge("colons", store(":::"))
		forge("json", store(`{"_auth_user_id":"1"}`))
		forge("another key", func() {
			s.django.control(t, "resign_session", arguments{"key": key, "secret": "another key"}, nil)
		})
		forge("another salt", func() {
			s.django.control(t, "resign_session", arguments{"key": key, "salt": "django.contrib.sessions.backends.signed_cookies"}, nil)
		})
		forge("another backend", func() {
			s.django.control(t, "change_session", arguments{"key": key, "_auth_user_backend": "site.backends.Removed"}, nil)
		})
		forge("another user's id", func() {
			other := s.row(s.newUser("encoded", s.encoded("another password")))
			s.django.control(t, "change_session", arguments{"key": key, "_auth_user_id": other["id"]}, nil)
		})
	})
}

// cutLast is strings.Cut at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// flip changes one character of a text.
func flip(s string, i int) string {
	c := byte('A')
	if s[i] == c {
		c = 'B'
	}
	return s[:i] + string(c) + s[i+1:]
}

func TestForgedCookie(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		u, v := s.newUser(), s.visitor()
		v.loginAtDjango(u)
		key := v.cookie(sessionCookie)
		for _, cookie := range []string{
			"", "x", "short", strings.Repeat("a", 32), strings.Repeat("a", 5000), strings.ToUpper(key), key + "a", key[:31],
			"%00" + key, key + "\\", "../" + key, key + "%", "' OR 1=1 --", `"`,
		} {
			for name, ask := range map[string]string{"djedge": s.edge.url("/auth"), "Django": s.django.url("/whoami")} {
				a := s.visitor().send("GET", ask, nil, "Cookie", sessionCookie+"="+cookie)
				if name == "djedge" && a.status != 401 || name == "Django" && (a.status != 200 || !strings.Contains(a.body, `"user": null`)) {
					t.Errorf("%s answers %d %s to the session cookie %q", name, a.status, a.body, cookie)
				}
			}
		}
		// Both read the same cookie when a header has several.
		for _, header := range []string{
			"a=b; sessionid=" + key, "sessionid=x; sessionid=" + key, `sessionid="` + key + `"`, "sessionid = " + key, ";;;sessionid=" + key + ";", "sessionid=" + key + "; sessionid=x",
			"sessionid=" + key + ", sessionid=x", "$Version=1; sessionid=" + key + "; $Path=/", "x; sessionid=" + key, "Sessionid=" + key,
		} {
			edge := s.visitor().send("GET", s.edge.url("/auth"), nil, "Cookie", header).status == 200
			django := !strings.Contains(s.visitor().send("GET", s.django.url("/whoami"), nil, "Cookie", header).body, `"user": null`)
			if edge != django {
				t.Errorf("%q: djedge lets in: %v, Django: %v", header, edge, django)
			}
		}
	})
}
