package step_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// grants is what Django's migrations make of permissions, some of them, and
// who has which: ann one of her own and one of her group, the superuser none.
const grants = `
CREATE TABLE django_content_type (id integer NOT NULL PRIMARY KEY, app_label varchar(100) NOT NULL, model varchar(100) NOT NULL);
CREATE TABLE auth_permission (id integer NOT NULL PRIMARY KEY, content_type_id integer NOT NULL, codename varchar(100) NOT NULL, name varchar(255) NOT NULL);
CREATE TABLE auth_group (id integer NOT NULL PRIMARY KEY, name varchar(150) NOT NULL UNIQUE);
CREATE TABLE auth_group_permissions (id integer NOT NULL PRIMARY KEY, group_id integer NOT NULL, permission_id integer NOT NULL);
CREATE TABLE auth_user_groups (id integer NOT NULL PRIMARY KEY, user_id integer NOT NULL, group_id integer NOT NULL);
CREATE TABLE auth_user_user_permissions (id integer NOT NULL PRIMARY KEY, user_id integer NOT NULL, permission_id integer NOT NULL);
INSERT INTO django_content_type VALUES (1, 'reports', 'report'), (2, 'shop', 'order');
INSERT INTO auth_permission VALUES (1, 1, 'view_report', ''), (2, 1, 'change_report', ''), (3, 2, 'view_report', '');
INSERT INTO auth_group VALUES (1, 'readers'), (2, 'Writers of books');
INSERT INTO auth_group_permissions VALUES (1, 1, 2);
INSERT INTO auth_user_groups VALUES (1, 1, 1);
INSERT INTO auth_user_user_permissions VALUES (1, 1, 1);
INSERT INTO auth_user (password, is_superuser, username, last_name, email, is_staff, is_active, date_joined, first_name) VALUES
	('pbkdf2_sha256$1$salt$` + annHash + `', 1, 'root', '', '', 0, 1, '2020-01-01 00:00:00', '');`

// ways is the ways to run operations under some settings.
func ways(t *testing.T, more ...string) map[string]do {
	t.Helper()
	r, err := step.Configure(append(settings(), parse(more...)...))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]do{"natively": natively(r), "machine": newGuest(t, r).do}
}

// granting is a host whose database has the tables of permissions.
func granting(t *testing.T) *host {
	t.Helper()
	h := newHost(t)
	if _, err := h.db.Exec(grants); err != nil {
		t.Fatal(err)
	}
	return h
}

func login(t *testing.T, h *host, run do, name string) (session string) {
	t.Helper()
	result := run(h, &abi.Op{Kind: abi.OpLogin, Username: name, Password: "lake", Request: request("")})
	if result.SessionKey == "" {
		t.Fatalf("%s: %+v", name, result.Decision)
	}
	return result.SessionKey
}

func TestGrants(t *testing.T) {
	for name, run := range ways(t) {
		t.Run(name, func(t *testing.T) {
			h := granting(t)
			ann, root := login(t, h, run, "ann"), login(t, h, run, "root")
			for _, c := range []struct {
				session string
				id      int64
				require gate.Requirement
				want    gate.Reason
			}{
				{ann, 1, gate.Permission("reports.view_report"), gate.ReasonOK},
				{ann, 1, gate.Permission("reports.change_report"), gate.ReasonOK}, // her group's
				{ann, 1, gate.Permission("shop.view_report"), gate.ReasonPermissionMissing},
				{ann, 1, gate.Group("readers"), gate.ReasonOK},
				{ann, 1, gate.Group("Readers"), gate.ReasonNotInGroup},
				{ann, 1, gate.Group("Writers of books"), gate.ReasonNotInGroup},
				{root, 3, gate.Permission("no.such"), gate.ReasonOK},
				{root, 3, gate.Group("readers"), gate.ReasonNotInGroup},
				{"", 0, gate.Permission("reports.view_report"), gate.ReasonNoSession},
				{"", 0, gate.Group("readers"), gate.ReasonNoSession},
			} {
				// With the right hint it is one round trip, else two.
				for hint, trips := range map[int64]int{c.id: 1, 0: 2, 2: 2} {
					op := &abi.Op{Kind: abi.OpCheck, Require: c.require, Request: request(c.session)}
					if hint != 0 {
						op.Hint = query.Int(hint)
					}
					h.effects, h.queries = 0, nil
					d := run(h, op).Decision
					if d.Reason != c.want || (d.Outcome == gate.Allow) != (c.want == gate.ReasonOK) {
						t.Errorf("%s for user %d: %+v", c.require, c.id, d)
					}
					if c.session != "" && h.effects != trips {
						t.Errorf("%s for user %d with hint %d: %d round trips: %v", c.require, c.id, hint, h.effects, h.queries)
					}
				}
			}
			// Nobody asks for what no requirement needs.
			h.queries = nil
			run(h, &abi.Op{Kind: abi.OpCheck, Require: gate.Staff, Request: request(ann), Hint: query.Int(1)})
			if want := []string{"session_load", "user_by_id"}; !slices.Equal(h.queries, want) {
				t.Errorf("for staff: %v", h.queries)
			}
			// A withdrawn permission counts at once, and no answer is no permission.
			if _, err := h.db.Exec("DELETE FROM auth_user_groups; DELETE FROM auth_user_user_permissions"); err != nil {
				t.Fatal(err)
			}
			op := &abi.Op{Kind: abi.OpCheck, Require: gate.Permission("reports.view_report"), Request: request(ann)}
			if d := run(h, op).Decision; d.Reason != gate.ReasonPermissionMissing || d.Detail != "reports.view_report" || d.Status != 403 {
				t.Errorf("withdrawn: %+v", d)
			}
			for at := 1; at <= 2; at++ {
				h.effects, h.breakAt = 0, at
				if d := run(h, op).Decision; d.Outcome != gate.Error || d.Reason != gate.ReasonDatabaseUnavailable {
					t.Errorf("without a database from round trip %d on: %+v", at, d)
				}
			}
		})
	}
}

func TestRules(t *testing.T) {
	for name, run := range ways(t, "rule=* /public/ anyone", "rule=GET /reports/ permission:reports.view_report", "rule=* /reports/ group:Writers of books", "rule=* /staff/ staff") {
		t.Run(name, func(t *testing.T) {
			h := granting(t)
			sessions := map[string]string{"ann": login(t, h, run, "ann"), "root": login(t, h, run, "root"), "": ""}
			for _, c := range []struct {
				who, method, uri string
				want             gate.Reason
				status, rule     int
			}{
				{"", "GET", "/public/x", gate.ReasonNoSession, 200, 1},
				{"ann", "GET", "/public/x", gate.ReasonOK, 200, 1},
				{"", "GET", "/reports/", gate.ReasonNoSession, 401, 2},
				{"ann", "GET", "/reports/?x", gate.ReasonOK, 200, 2},
				{"root", "GET", "/reports/?x", gate.ReasonOK, 200, 2},
				{"ann", "POST", "/reports/", gate.ReasonNotInGroup, 403, 3},
				{"ann", "GET", "/staff", gate.ReasonOK, 200, 4},
				{"root", "GET", "/staff", gate.ReasonNotStaff, 403, 4},
				{"ann", "GET", "/", gate.ReasonOK, 200, 0},
				{"", "GET", "/", gate.ReasonNoSession, 401, 0},
				{"root", "GET", "/public/../staff", gate.ReasonPathAmbiguous, 403, 0},
				{"root", "GET", "/Staff", gate.ReasonPathAmbiguous, 403, 4},
				{"", "", "/public/", gate.ReasonPathAmbiguous, 403, 0},
			} {
				r := request(sessions[c.who])
				r.Method, r.URI = c.method, c.uri
				result := run(h, &abi.Op{Kind: abi.OpCheck, Require: gate.ByRules, Request: r})
				d := result.Decision
				if d.Reason != c.want || d.Status != c.status || d.Rule != c.rule || (d.Outcome == gate.Allow) != (c.status == 200) {
					t.Errorf("%q %s %s: %+v", c.who, c.method, c.uri, d)
				}
				if len(d.SetHeaders) != 5 || (d.SetHeaders[0].Value != "") != (c.who != "" && c.status == 200) {
					t.Errorf("%q %s %s: headers %v", c.who, c.method, c.uri, d.SetHeaders)
				}
				if c.want == gate.ReasonPathAmbiguous && (result.User != nil || d.Identity != nil) {
					t.Errorf("%q %s %s: somebody was looked up", c.who, c.method, c.uri)
				}
			}
		})
	}
}

// form is a form of the site's own page, with these cookies.
func form(token, cookies string) *abi.Op {
	r := gate.Request{Method: "POST", URI: "/api/login", Host: "example.com", Scheme: "https", Headers: []gate.Header{
		{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}, {Name: "Origin", Value: "https://example.com"}, {Name: "Cookie", Value: cookies},
	}}
	return &abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "lake", Request: r, CSRFToken: token}
}

// cookie is the value that a decision sets a cookie to.
func cookie(d gate.Decision, name string) string {
	for _, c := range d.Cookies {
		if rest, ok := strings.CutPrefix(c, name+"="); ok {
			value, _, _ := strings.Cut(rest, ";")
			return value
		}
	}
	return ""
}

func TestForms(t *testing.T) {
	page := gate.Request{Method: "GET", URI: "/", Host: "example.com", Scheme: "https"}
	for _, storage := range []struct{ name, cookie, setting string }{
		{"cookie", "csrftoken", "csrf_use_sessions=false"},
		{"masked cookie", "csrftoken", "csrf_cookie_masked=true"},
		{"session", "sessionid", "csrf_use_sessions=true"},
	} {
		for way, run := range ways(t, storage.setting) {
			t.Run(storage.name+" "+way, func(t *testing.T) {
				h := newHost(t)
				got := run(h, &abi.Op{Kind: abi.OpCSRFToken, Request: page})
				if got.Decision.Outcome != gate.Allow || !got.Decision.Vary || len(got.Text) != 64 || len(got.Decision.Cookies) != 1 {
					t.Fatalf("%+v", got)
				}
				mine := storage.cookie + "=" + cookie(got.Decision, storage.cookie)
				// The next page has the same secret, and another token.
				next := page
				next.Headers = []gate.Header{{Name: "Cookie", Value: mine}}
				again := run(h, &abi.Op{Kind: abi.OpCSRFToken, Request: next})
				if again.Text == got.Text || len(again.Text) != 64 || len(again.Decision.Cookies) != 0 {
					t.Errorf("again: %+v", again)
				}
				other := run(h, &abi.Op{Kind: abi.OpCSRFToken, Request: page}).Text
				for name, c := range map[string]struct {
					op   *abi.Op
					want gate.Reason
				}{
					"no token":      {form("", mine), gate.ReasonCrossSite},
					"no cookie":     {form(got.Text, ""), gate.ReasonCrossSite},
					"another's":     {form(other, mine), gate.ReasonCrossSite},
					"no token's":    {form(strings.Repeat("a", 63), mine), gate.ReasonCrossSite},
					"wrong letters": {form(strings.Repeat("-", 64), mine), gate.ReasonCrossSite},
				} {
					d := run(h, c.op).Decision
					if d.Reason != c.want || d.Status != 403 || len(d.Cookies) != 0 {
						t.Errorf("%s: %+v", name, d)
					}
				}
				foreign := form(got.Text, mine)
				foreign.Request.Headers[1].Value = "https://evil.test"
				if d := run(h, foreign).Decision; d.Reason != gate.ReasonOriginMismatch || d.Status != 403 {
					t.Errorf("cross-origin: %+v", d)
				}
				in := run(h, form(again.Text, mine))
				if in.Decision.Outcome != gate.Allow || in.SessionKey == "" || cookie(in.Decision, "sessionid") == "" {
					t.Fatalf("login: %+v", in)
				}
				// The login has rotated the secret.
				cookies := "sessionid=" + in.SessionKey + "; csrftoken=" + cookie(in.Decision, "csrftoken")
				out := form(got.Text, cookies)
				out.Kind = abi.OpLogout
				if d := run(h, out).Decision; d.Reason != gate.ReasonCrossSite {
					t.Errorf("a token from before the login: %+v", d)
				}
				known := page
				known.Headers = []gate.Header{{Name: "Cookie", Value: cookies}}
				out.CSRFToken = run(h, &abi.Op{Kind: abi.OpCSRFToken, Request: known}).Text
				if d := run(h, out).Decision; d.Outcome != gate.Allow {
					t.Errorf("logout: %+v", d)
				}
			})
		}
	}
}

func TestWeakPasswords(t *testing.T) {
	for name, run := range ways(t, "password_validators=django.contrib.auth.password_validation.UserAttributeSimilarityValidator", "password_validators=MinimumLengthValidator min_length=10",
		"password_validators=CommonPasswordValidator", "password_validators=NumericPasswordValidator") {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			// The messages are those that Django 5.2 raises.
			const short = "This password is too short. It must contain at least 10 characters."
			for _, c := range []struct{ username, email, password, codes, messages string }{
				{"dorothea", "", "dorothea12", "password_too_similar", "The password is too similar to the username."},
				{"ｄorothea", "", "dorothea12", "password_too_similar", "The password is too similar to the username."},
				{"dot", "winterberg@example.com", "winterberg1", "password_too_similar", "The password is too similar to the email address."},
				{"dot", "", "xyzzy", "password_too_short", short},
				{"dot", "", "password", "password_too_short password_too_common", short + "\nThis password is too common."},
				{"dot", "", "83610274651", "password_entirely_numeric", "This password is entirely numeric."},
			} {
				got := run(h, &abi.Op{Kind: abi.OpRegister, Username: c.username, Email: c.email, Password: c.password, Request: request("")})
				if d := got.Decision; d.Reason != gate.ReasonPasswordWeak || d.Status != 400 || d.Outcome != gate.Deny || d.Detail != c.codes || got.Text != c.messages || len(d.Cookies) > 0 {
					t.Errorf("%q: %+v %q", c.password, d, got.Text)
				}
			}
			for password, want := range map[string]gate.Reason{"": gate.ReasonPasswordEmpty, strings.Repeat("1", 5000): gate.ReasonPasswordInvalid, "four plain words": gate.ReasonOK} {
				if d := run(h, &abi.Op{Kind: abi.OpRegister, Username: "dot", Password: password, Request: request("")}).Decision; d.Reason != want {
					t.Errorf("%d bytes: %+v", len(password), d)
				}
			}
			ann := login(t, h, run, "ann")
			got := run(h, &abi.Op{Kind: abi.OpChangePassword, Password: "ann@example.com", Request: request(ann)})
			if got.Decision.Reason != gate.ReasonPasswordWeak || got.Text != "The password is too similar to the email address." {
				t.Errorf("change: %+v", got)
			}
			if d := run(h, &abi.Op{Kind: abi.OpCheck, Require: gate.Authenticated, Request: request(ann)}).Decision; d.Outcome != gate.Allow {
				t.Errorf("the refused password ended the session: %+v", d)
			}
			// Programs that set a password are not asked.
			if d := run(h, &abi.Op{Kind: abi.OpSetPassword, UserID: "1", Password: "1"}).Decision; d.Outcome != gate.Allow {
				t.Errorf("set: %+v", d)
			}
		})
	}
}
