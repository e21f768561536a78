package host_test

import (
	"strings"
	"testing"

	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
)

// grant gives bob a permission of his own and, by a group, another.
func grant(t *testing.T, db *database) {
	t.Helper()
	for _, sql := range []string{
		`INSERT INTO django_content_type (id, app_label, model) VALUES (1, 'reports', 'report')`,
		`INSERT INTO auth_permission (id, content_type_id, codename, name) VALUES (1, 1, 'view_report', ''), (2, 1, 'add_report', ''), (3, 1, 'delete_report', '')`,
		`INSERT INTO auth_group (id, name) VALUES (1, 'Readers of reports')`,
		`INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (1, 2)`,
		`INSERT INTO auth_user_groups (user_id, group_id) SELECT id, 1 FROM auth_user WHERE username = 'bob'`,
		`INSERT INTO auth_user_user_permissions (user_id, permission_id) SELECT id, 1 FROM auth_user WHERE username = 'bob'`,
	} {
		db.exec(t, sql)
	}
}

// withGrants runs a test on SQLite with every engine.
func withGrants(t *testing.T, test func(t *testing.T, db *database, config host.Config)) {
	for name, newEngine := range engines {
		t.Run(name, func(t *testing.T) {
			db := openSQLite(t)
			grant(t, db)
			test(t, db, host.Config{DB: db, SecretKey: secret, Engine: newEngine()})
		})
	}
}

func TestRequireGrants(t *testing.T) {
	withGrants(t, func(t *testing.T, db *database, config host.Config) {
		h := newHost(t, config)
		db.exec(t, `UPDATE auth_user SET is_superuser = 1 WHERE username = 'carol'`)
		for _, c := range []struct {
			user    string
			require gate.Requirement
			want    int
		}{
			{"bob", gate.Permission("reports.view_report"), 200},
			{"bob", gate.Permission("reports.add_report"), 200},
			{"bob", gate.Permission("reports.delete_report"), 403},
			{"bob", gate.Permission("reports.VIEW_REPORT"), 403},
			{"bob", gate.Group("Readers of reports"), 200},
			{"bob", gate.Group("readers of reports"), 403},
			{"carol", gate.Permission("reports.delete_report"), 200},
			{"carol", gate.Group("Readers of reports"), 403},
			{"dave", gate.Permission("reports.view_report"), 401}, // not active
			{"", gate.Permission("reports.view_report"), 401},
			{"bob", gate.Permission("view_report"), 503}, // no permission's name
			{"bob", "", 503},
		} {
			if res := serve(h.Require(c.require, ok), request(c.user)); res.StatusCode != c.want {
				t.Errorf("%q, %s: %s, want %d", c.user, c.require, res.Status, c.want)
			}
		}
		// The second time, the hint is there, and everything comes at once.
		if n := db.trips(func() { serve(h.Require(gate.Permission("reports.view_report"), ok), request("bob")) }); n != 1 {
			t.Errorf("%d round trips", n)
		}
		db.exec(t, `DELETE FROM auth_user_user_permissions`)
		if res := serve(h.Require(gate.Permission("reports.view_report"), ok), request("bob")); res.StatusCode != 403 {
			t.Errorf("after the permission was withdrawn: %s", res.Status)
		}
	})
}

func TestRulesOfTheHost(t *testing.T) {
	withGrants(t, func(t *testing.T, db *database, config host.Config) {
		config.Rules = []gate.Rule{
			{Path: "/public/", Allow: gate.Anyone},
			{Path: "/reports/", Methods: []string{"GET", "POST"}, Allow: gate.Group("Readers of reports")},
		}
		h := newHost(t, config)
		for _, c := range []struct {
			user, method, uri string
			want              gate.Reason
			rule              int
		}{
			{"", "GET", "/public/a", gate.ReasonNoSession, 1},
			{"bob", "GET", "/reports/", gate.ReasonOK, 2},
			{"alice", "GET", "/reports/", gate.ReasonNotInGroup, 2},
			{"alice", "PUT", "/reports/", gate.ReasonOK, 0},
			{"bob", "GET", "/reports//", gate.ReasonPathAmbiguous, 0},
		} {
			r := h.Summary(request(c.user))
			r.Method, r.URI = c.method, c.uri
			if d := h.Do(t.Context(), &abi.Op{Kind: abi.OpCheck, Request: r, Require: gate.ByRules}).Decision; d.Reason != c.want || d.Rule != c.rule {
				t.Errorf("%q %s %s: %+v", c.user, c.method, c.uri, d)
			}
		}
		// Require follows the rules too, by the request's own path.
		if res := serve(h.Require(gate.ByRules, ok), request("alice")); res.StatusCode != 403 {
			t.Errorf("alice: %s", res.Status)
		}
	})
}

// What the rules need and the database has not is said at the start.
func TestRulesAtTheStart(t *testing.T) {
	reports := []gate.Rule{{Path: "/reports/", Allow: gate.Permission("reports.view_report")}}
	for want, change := range map[string]func(*testing.T, *database, *host.Config){
		"rule 1 (/reports/): allow": func(_ *testing.T, _ *database, c *host.Config) {
			c.Rules = []gate.Rule{{Path: "/reports/", Allow: "everybody"}}
		},
		"rule 2 (/reports/x): is never reached": func(_ *testing.T, _ *database, c *host.Config) {
			c.Rules = append(reports[:1:1], gate.Rule{Path: "/reports/x", Allow: gate.Anyone})
		},
		"rule: one needs a permission or a group, which cannot be read": func(_ *testing.T, _ *database, c *host.Config) {
			c.Rules, c.PermissionTables = reports, djuser.PermissionTables{Group: "no_such_table"}
		},
		"password_validators": func(_ *testing.T, _ *database, c *host.Config) { c.PasswordValidators = []string{"x"} },
	} {
		db := openSQLite(t)
		config := host.Config{DB: db, SecretKey: secret, Logger: logs(t)}
		change(t, db, &config)
		if h, err := host.New(t.Context(), config); err == nil || h != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
