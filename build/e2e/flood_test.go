package e2e

import (
	"net/http"
	"strconv"
	"testing"
)

// wantTold fails the test unless an answer is a 429 that says how long to wait.
func wantTold(t *testing.T, a answer, longest int) {
	t.Helper()
	if a.status != http.StatusTooManyRequests {
		t.Fatalf("a flood is answered with %d %s", a.status, a.body)
	}
	if wait, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || wait < 1 || wait > longest {
		t.Errorf("a flood is answered with Retry-After %q", a.header.Get("Retry-After"))
	}
}

// One address makes 60 requests with a password in a minute, and no more; other addresses and checks do not notice.
func TestFloodFromOneAddress(t *testing.T) {
	t.Parallel()
	const limit = 60
	s := startSite(t, "sqlite", current, settings{}, edgeOptions{engine: "wasm"})
	u, bystander, v := s.newUser(), s.visitor(), s.visitor()
	bystander.loginAtEdge(u)
	// Nobody is logged in, and so nothing is hashed: the request counts all the same.
	for i := range limit {
		if a := v.edge("POST", "/api/change-password", map[string]string{"password": "another password"}); a.status != 400 {
			t.Fatalf("request %d is answered with %d %s", i+1, a.status, a.body)
		}
	}
	for path, body := range map[string]any{
		"/api/login":           u,
		"/api/register":        user{newName(), "a new user's password"},
		"/api/change-password": map[string]string{"password": "another password"},
	} {
		wantTold(t, v.edge("POST", path, body), 60)
	}
	if a := v.edge("GET", "/auth", nil); a.status != 401 {
		t.Errorf("a check from the same address is answered with %d", a.status)
	}
	bystander.wantUser(u.Username)
	s.visitor().loginAtEdge(u)
}

// One user's login fails ten times in ten minutes, wherever from; then not even the right password is tried, and other users
// do not notice.
func TestFloodOnOneUser(t *testing.T) {
	t.Parallel()
	s := startSite(t, "sqlite", current, settings{}, edgeOptions{engine: "native"})
	u, other, v := s.newUser("encoded", s.weak("a password", 1)), s.newUser(), s.visitor()
	u.Password = "a password"
	v.loginAtEdge(u)
	for range 10 {
		guesser := s.visitor()
		guesser.want(400, guesser.edge("POST", "/api/login", user{u.Username, "a guess"}))
	}
	wantTold(t, s.visitor().edge("POST", "/api/login", u), 600)
	v.wantUser(u.Username)
	s.visitor().loginAtEdge(other)
}
