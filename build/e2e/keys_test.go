package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// everyEngine is everySite for a test that starts servers of its own.
func everyEngine(t *testing.T, test func(t *testing.T, kind, engine string)) {
	t.Parallel()
	for _, kind := range kinds {
		for _, engine := range engines {
			t.Run(kind+"/"+engine, func(t *testing.T) {
				t.Parallel()
				test(t, kind, engine)
			})
		}
	}
}

// startSite starts a Django and a djedge of one test.
func startSite(t *testing.T, kind, version string, s settings, o edgeOptions) *site {
	t.Helper()
	if _, given := s["SECRET_KEY"]; !given {
		s["SECRET_KEY"] = secretKey
	}
	db := newDatabase(t, kind, version)
	return &site{t, db, startDjango(t, version, db, s), startEdge(t, db.url, o)}
}

// Sessions live through a change of SECRET_KEY on both sides, and djedge writes under the new key.
func TestFallbackKeys(t *testing.T) {
	everyEngine(t, func(t *testing.T, kind, engine string) {
		const newKey = "the new key"
		old := startSite(t, kind, current, settings{}, edgeOptions{engine: engine})
		u := old.newUser()
		madeByDjango, madeByEdge := old.visitor(), old.visitor()
		madeByDjango.loginAtDjango(u)
		madeByEdge.loginAtEdge(u)

		rotated := &site{t, old.db,
			startDjango(t, current, old.db, settings{"SECRET_KEY": newKey, "SECRET_KEY_FALLBACKS": []string{"older still", secretKey}}),
			startEdge(t, old.db.url, edgeOptions{engine: engine, secret: newKey, args: []string{
				"--secret-key-fallbacks-file", file(t, "fallbacks", "older still\n"+secretKey+"\n"),
			}}),
		}
		for _, v := range []*visitor{madeByDjango, madeByEdge} {
			v.site = rotated
			v.wantUser(u.Username)
		}
		fresh := rotated.visitor()
		fresh.loginAtEdge(u)
		fresh.wantUser(u.Username)

		// Without the fallback the old sessions are nobody's, and the fresh one is Django's.
		final := &site{t, old.db,
			startDjango(t, current, old.db, settings{"SECRET_KEY": newKey}),
			startEdge(t, old.db.url, edgeOptions{engine: engine, secret: newKey}),
		}
		fresh.site = final
		fresh.wantUser(u.Username)
		stale := old.visitor()
		stale.loginAtDjango(u)
		stale.site = final
		stale.wantUser("")
	})
}

// A djedge that holds derived keys, and not SECRET_KEY, does the same.
func TestDerivedKeys(t *testing.T) {
	everyEngine(t, func(t *testing.T, kind, engine string) {
		cmd := exec.Command(djedge(), "keys", "--secret-key-file", file(t, "secret-key", secretKey+"\n"))
		cmd.Env = plainEnvironment()
		keys, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(keys), secretKey) {
			t.Error("djedge keys prints SECRET_KEY")
		}
		s := startSite(t, kind, current, settings{}, edgeOptions{engine: engine, config: string(keys), noSecret: true})
		u := s.newUser()
		for _, login := range []func(*visitor, user){(*visitor).loginAtDjango, (*visitor).loginAtEdge} {
			v := s.visitor()
			login(v, u)
			v.wantUser(u.Username)
		}
	})
}

// Settings that differ from Django's defaults are followed: cookie, session keys, salt class and backends.
func TestSettingsOfTheSite(t *testing.T) {
	everyEngine(t, func(t *testing.T, kind, engine string) {
		s := startSite(t, kind, current, settings{
			"SESSION_COOKIE_NAME": sessionCookie, "SESSION_COOKIE_AGE": 1000, "SESSION_COOKIE_SAMESITE": "Strict",
			"AUTHENTICATION_BACKENDS": []string{"django.contrib.auth.backends.RemoteUserBackend", "django.contrib.auth.backends.ModelBackend"},
			"PASSWORD_HASHERS":        []string{"django.contrib.auth.hashers.ScryptPasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"},
		}, edgeOptions{engine: engine, config: `
[django]
version = "5.2"
session_cookie_age = 1000
session_cookie_samesite = "Strict"
authentication_backends = ["django.contrib.auth.backends.ModelBackend"]
password_hashers = ["django.contrib.auth.hashers.ScryptPasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
`})
		u := user{newName(), "a new user's password"}
		v := s.visitor()
		a := v.want(200, v.edge("POST", "/api/register", u))
		cookies, _ := json.Marshal(a.header.Values("Set-Cookie"))
		if !strings.Contains(string(cookies), "Max-Age=1000;") || !strings.Contains(string(cookies), "SameSite=Strict") {
			t.Errorf("djedge sets the cookies %s", cookies)
		}
		v.wantUser(u.Username)
		if encoded, _ := s.row(u)["password"].(string); !strings.HasPrefix(encoded, "scrypt$") {
			t.Errorf("the new user's hash is %.10s…", encoded)
		}
		atDjango := s.visitor()
		atDjango.loginAtDjango(u)
		v.wantUser(u.Username) // Django found the hash as it would have made it
		s.django.control(t, "change_session", arguments{"key": v.cookie(sessionCookie), "_auth_user_backend": "django.contrib.auth.backends.RemoteUserBackend"}, nil)
		v.wantEdgeUser("") // djedge was told of one backend only
	})
}
