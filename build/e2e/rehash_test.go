package e2e

import (
	"strings"
	"testing"
)

// weak is a hash that Django 5.2 made with few iterations.
func (s *site) weak(password string, iterations int) string {
	s.t.Helper()
	var encoded string
	s.django.control(s.t, "make_password", arguments{"password": password, "hasher": "pbkdf2_sha256", "iterations": iterations}, &encoded)
	return encoded
}

// A djedge that knows the site's version upgrades a weaker hash at login, as Django does, and Django finds it as its own.
func TestHashUpgradeAtLogin(t *testing.T) {
	everyEngine(t, func(t *testing.T, kind, engine string) {
		s := startSite(t, kind, current, settings{}, edgeOptions{engine: engine, args: []string{"--django-version", "5.2"}})
		const password = "a weakly hashed password"
		weak := s.weak(password, 1000)
		u := user{newName(), password}
		s.django.control(t, "create_user", arguments{"username": u.Username, "encoded": weak}, nil)

		if a := s.visitor().edge("POST", "/api/login", user{u.Username, "wrong"}); a.status != 400 || s.row(u)["password"] != weak {
			t.Errorf("a wrong password is answered with %d, or changed the hash", a.status)
		}
		v := s.visitor()
		v.loginAtEdge(u)
		v.wantUser(u.Username)
		upgraded, _ := s.row(u)["password"].(string)
		if !strings.HasPrefix(upgraded, "pbkdf2_sha256$1000000$") {
			t.Fatalf("after the login the hash is %.30s…", upgraded)
		}
		atDjango := s.visitor()
		atDjango.loginAtDjango(u)
		if s.row(u)["password"] != upgraded {
			t.Error("Django upgrades djedge's upgrade")
		}
		v.wantUser(u.Username)
	})
}

// Without being told, djedge leaves the hash alone, and the other sessions of the user alive.
func TestNoHashUpgradeUnasked(t *testing.T) {
	everySite(t, func(t *testing.T, s *site) {
		const password = "a weakly hashed password"
		weak := s.weak(password, 1000)
		u := user{newName(), password}
		s.django.control(t, "create_user", arguments{"username": u.Username, "encoded": weak}, nil)
		first, second := s.visitor(), s.visitor()
		first.loginAtEdge(u)
		second.loginAtEdge(u)
		first.wantUser(u.Username)
		second.wantUser(u.Username)
		if s.row(u)["password"] != weak {
			t.Error("the hash was changed")
		}
	})
}
