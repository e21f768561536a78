package gate_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/djedge/djedge/djuser/gate"
)

func TestDecide(t *testing.T) {
	g := mustNew(t, gate.Settings{})
	plain := &gate.Identity{ID: "7", Name: "zoë", Email: "z@x.y"}
	staff := &gate.Identity{ID: "8", Name: "s", Staff: true}
	super := &gate.Identity{ID: "9", Name: "r", Superuser: true}
	for _, c := range []struct {
		require gate.Requirement
		who     *gate.Identity
		why     gate.Reason
		outcome gate.Outcome
		status  int
		reason  gate.Reason
	}{
		{gate.Anyone, nil, gate.ReasonNoSession, gate.Allow, 200, gate.ReasonNoSession},
		{gate.Anyone, plain, gate.ReasonOK, gate.Allow, 200, gate.ReasonOK},
		{gate.Authenticated, plain, gate.ReasonOK, gate.Allow, 200, gate.ReasonOK},
		{gate.Authenticated, nil, gate.ReasonAuthHashMismatch, gate.Deny, 401, gate.ReasonAuthHashMismatch},
		{gate.Staff, nil, gate.ReasonAnonymous, gate.Deny, 401, gate.ReasonAnonymous},
		{gate.Staff, plain, gate.ReasonOK, gate.Deny, 403, gate.ReasonNotStaff},
		{gate.Staff, super, gate.ReasonOK, gate.Deny, 403, gate.ReasonNotStaff}, // as in Django's admin
		{gate.Staff, staff, gate.ReasonOK, gate.Allow, 200, gate.ReasonOK},
		{gate.Superuser, staff, gate.ReasonOK, gate.Deny, 403, gate.ReasonNotSuperuser},
		{gate.Superuser, super, gate.ReasonOK, gate.Allow, 200, gate.ReasonOK},

		// What cannot be decided lets nobody in, not even where anyone may.
		{gate.Anyone, nil, gate.ReasonDatabaseUnavailable, gate.Error, 503, gate.ReasonDatabaseUnavailable},
		{gate.Anyone, nil, gate.ReasonBusy, gate.Error, 503, gate.ReasonBusy},
		{gate.Anyone, nil, gate.Reason(200), gate.Error, 503, gate.Reason(200)},
		{gate.Anyone, nil, 0, gate.Error, 503, gate.ReasonInternal},
		{gate.Anyone, nil, gate.ReasonOK, gate.Error, 503, gate.ReasonInternal},
		{gate.Anyone, plain, gate.ReasonUserInactive, gate.Error, 503, gate.ReasonInternal},
		{gate.Anyone, &gate.Identity{}, gate.ReasonOK, gate.Error, 503, gate.ReasonInternal},
		{gate.Requirement("77"), super, gate.ReasonOK, gate.Error, 503, gate.ReasonInternal},
		{"", super, gate.ReasonOK, gate.Error, 503, gate.ReasonInternal},
		{gate.ByRules, super, gate.ReasonOK, gate.Error, 503, gate.ReasonInternal}, // not resolved
		{gate.Permission("view"), super, gate.ReasonOK, gate.Error, 503, gate.ReasonInternal},
		{gate.Permission("reports.view"), plain, gate.ReasonOK, gate.Error, 503, gate.ReasonInternal}, // and no grants
		{gate.Group("readers"), nil, gate.ReasonAnonymous, gate.Deny, 401, gate.ReasonAnonymous},
		{gate.Anyone, nil, gate.ReasonRateLimited, gate.Deny, 429, gate.ReasonRateLimited},
	} {
		d := g.Decide(gate.Request{}, c.require, c.who, c.why, nil)
		if d.Outcome != c.outcome || d.Status != c.status || d.Reason != c.reason {
			t.Errorf("%v for %v, %v: got %v %d %v", c.require, c.who, c.why, d.Outcome, d.Status, d.Reason)
		}
		if len(d.SetHeaders) != 5 || !d.Vary {
			t.Errorf("%v for %v: headers %v, vary %v", c.require, c.who, d.SetHeaders, d.Vary)
		}
		for _, h := range d.SetHeaders {
			if (d.Outcome != gate.Allow || c.who == nil) && h.Value != "" {
				t.Errorf("%v for %v, %v: %s leaks %q", c.require, c.who, c.why, h.Name, h.Value)
			}
		}
	}
}

func TestIdentityHeaders(t *testing.T) {
	g := mustNew(t, gate.Settings{HeaderUserID: "X-User_Id"})
	who := &gate.Identity{ID: "7", Name: "zoë\r\nRemote-Staff: true %2f", Email: "A.b+c_d-e@x.y", Staff: true}
	d := g.Decide(gate.Request{}, gate.Authenticated, who, gate.ReasonOK, nil)
	want := []gate.Header{
		{Name: "Remote-User", Value: "zo%C3%AB%0D%0ARemote-Staff%3A%20true%20%252f"},
		{Name: "X-User_Id", Value: "7"},
		{Name: "Remote-Email", Value: "A.b+c_d-e@x.y"},
		{Name: "Remote-Staff", Value: "true"},
		{Name: "Remote-Superuser", Value: "false"},
	}
	if !slices.Equal(d.SetHeaders, want) {
		t.Errorf("got %q", d.SetHeaders)
	}
	for _, name := range []string{"Remote-User", "Remote_User", "X-User-Id", "X_User_Id", "X-User_Id", "X_User-Id", "Remote_Superuser"} {
		if !slices.Contains(d.RemoveHeaders, name) {
			t.Errorf("%s is not removed", name)
		}
	}
	if len(d.RemoveHeaders) != 12 {
		t.Errorf("removed: %q", d.RemoveHeaders)
	}
}

// The anonymous decision costs nothing, since most requests of a site are.
func TestDecideAllocates(t *testing.T) {
	g := mustNew(t, gate.Settings{})
	req := gate.Request{Headers: []gate.Header{{Name: "Cookie", Value: "a=b; sessionid=0123456789abcdef0123456789abcdef"}}}
	if n := testing.AllocsPerRun(100, func() {
		g.SessionKey(req)
		g.Decide(req, gate.Authenticated, nil, gate.ReasonNoSession, nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestReasonNames(t *testing.T) {
	seen := map[string]bool{}
	for r := gate.ReasonInternal; r <= gate.ReasonNoRandomness; r++ {
		name := r.String()
		if name == "" || seen[name] {
			t.Errorf("reason %d has the name %q", r, name)
		}
		seen[name] = true
		if s := r.Status(); s < 200 || s > 503 || s == 200 && r != gate.ReasonOK {
			t.Errorf("%v: status %d", r, s)
		}
	}
	if got := gate.ReasonBackendNotAllowed.String(); got != "backend_not_allowed" {
		t.Errorf("got %s", got)
	}
	if got := gate.Reason(255).String(); got != "reason 255" {
		t.Errorf("got %s", got)
	}
}

func ExampleGate_Decide() {
	g, err := gate.New(gate.Settings{PublicOrigins: []string{"https://example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	req := gate.Request{
		Method: "GET", URI: "/reports/", Host: "example.com", Scheme: "https",
		Headers: []gate.Header{{Name: "Cookie", Value: "sessionid=old; sessionid=x7tbb0e6q2v1k9mndn6c8b0h1gwzcj5d"}},
	}
	key, _ := g.SessionKey(req)
	fmt.Println(key)

	// The caller finds the user of that session, and asks again.
	user := &gate.Identity{ID: "1", Name: "zoe", Email: "zoe@example.com"}
	d := g.Decide(req, gate.Staff, user, gate.ReasonOK, nil)
	fmt.Println(d.Status, d.Reason)
	d = g.Decide(req, gate.Authenticated, user, gate.ReasonOK, nil)
	fmt.Println(d.Status, d.Reason, d.SetHeaders[0])
	// Output:
	// x7tbb0e6q2v1k9mndn6c8b0h1gwzcj5d
	// 403 not_staff
	// 200 ok {Remote-User zoe}
}
