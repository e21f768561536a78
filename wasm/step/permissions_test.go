package step_test

import (
	"slices"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// What a user may do comes with the user, in one round trip; only of a
// superuser another asks for all permissions that exist.
func TestPermissions(t *testing.T) {
	for name, run := range ways(t) {
		t.Run(name, func(t *testing.T) {
			h := granting(t)
			for _, c := range []struct {
				who, sql            string
				permissions, groups []string
				everything          bool
				trips               int
			}{
				{"ann", "", []string{"reports.change_report", "reports.view_report"}, []string{"readers"}, false, 1},
				{"root", "", []string{"reports.change_report", "reports.view_report", "shop.view_report"}, nil, true, 2},
				{"root", "DELETE FROM auth_permission WHERE id = 3", []string{"reports.change_report", "reports.view_report"}, nil, true, 2},
				{"ann", "DELETE FROM auth_user_groups", []string{"reports.view_report"}, nil, false, 1},
				{"ann", "DELETE FROM auth_user_user_permissions", nil, nil, false, 1},
			} {
				key := login(t, h, run, c.who)
				id := map[string]int64{"ann": 1, "root": 3}[c.who]
				if _, err := h.db.Exec(c.sql); err != nil {
					t.Fatal(err)
				}
				h.effects = 0
				p := run(h, &abi.Op{Kind: abi.OpPermissions, Request: request(key), Hint: query.Int(id)})
				if p.Decision.Outcome != gate.Allow || p.Decision.Identity == nil || p.Decision.Identity.Name != c.who || p.Decision.SetHeaders != nil || p.SessionKey != key || p.User == nil {
					t.Fatalf("%s: %+v", c.who, p)
				}
				if !slices.Equal(p.Permissions, c.permissions) || !slices.Equal(p.Groups, c.groups) || p.Everything != c.everything || h.effects != c.trips {
					t.Errorf("%s: %q, %q, %v in %d round trips", c.who, p.Permissions, p.Groups, p.Everything, h.effects)
				}
			}
			p := run(h, &abi.Op{Kind: abi.OpPermissions, Request: request("")})
			if p.Decision.Outcome != gate.Allow || p.Decision.Identity != nil || p.Permissions != nil || p.Groups != nil || p.Everything {
				t.Errorf("nobody: %+v", p)
			}
			key := login(t, h, run, "ann")
			for at := 1; at <= 2; at++ {
				h.effects, h.breakAt = 0, at
				p := run(h, &abi.Op{Kind: abi.OpPermissions, Request: request(key)})
				if p.Decision.Outcome != gate.Error || p.Decision.Reason != gate.ReasonDatabaseUnavailable || p.Permissions != nil {
					t.Errorf("without a database from round trip %d on: %+v", at, p)
				}
			}
		})
	}
}

// A superuser who is not active may do nothing, even where AllowAllUsersModelBackend lets them in.
func TestPermissionsOfTheInactive(t *testing.T) {
	for name, run := range ways(t, "authentication_backends=django.contrib.auth.backends.AllowAllUsersModelBackend") {
		h := granting(t)
		key := login(t, h, run, "ann")
		if _, err := h.db.Exec("UPDATE auth_user SET is_active = 0, is_superuser = 1"); err != nil {
			t.Fatal(err)
		}
		p := run(h, &abi.Op{Kind: abi.OpPermissions, Request: request(key)})
		if p.Decision.Identity == nil || p.Everything || len(p.Permissions) != 0 || !slices.Equal(p.Groups, []string{"readers"}) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
