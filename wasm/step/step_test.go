package step_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// do is either way to run an operation.
type do func(h *host, op *abi.Op) *abi.Result

func natively(r *step.Rules) do {
	return func(h *host, op *abi.Op) *abi.Result { return r.Do(context.Background(), h, op) }
}

// visit is the life of a user, each step with the session that the steps
// before left, and what comes of it.
var visit = []struct {
	name   string
	op     abi.Op
	reason gate.Reason
	status int
}{
	{"anonymous", abi.Op{Kind: abi.OpCheck, Require: gate.Authenticated}, gate.ReasonNoSession, 401},
	{"anyone", abi.Op{Kind: abi.OpCheck, Require: gate.Anyone}, gate.ReasonNoSession, 200},
	{"wrong password", abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "sea"}, gate.ReasonBadCredentials, 400},
	{"nobody", abi.Op{Kind: abi.OpLogin, Username: "bob", Password: "lake"}, gate.ReasonBadCredentials, 400},
	{"inactive", abi.Op{Kind: abi.OpLogin, Username: "idle", Password: "lake"}, gate.ReasonUserInactive, 400},
	{"change without a login", abi.Op{Kind: abi.OpChangePassword, Password: "pond"}, gate.ReasonNotAuthenticated, 401},
	{"login", abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "lake"}, gate.ReasonOK, 200},
	{"login again, as a form is filled in", abi.Op{Kind: abi.OpLogin, Username: " ａnn\u2003", Password: "lake"}, gate.ReasonOK, 200},
	{"check", abi.Op{Kind: abi.OpCheck, Require: gate.Authenticated}, gate.ReasonOK, 200},
	{"right hint", abi.Op{Kind: abi.OpCheck, Require: gate.Staff, Hint: query.Int(1)}, gate.ReasonOK, 200},
	{"wrong hint", abi.Op{Kind: abi.OpCheck, Require: gate.Authenticated, Hint: query.Int(2)}, gate.ReasonOK, 200},
	{"no superuser", abi.Op{Kind: abi.OpCheck, Require: gate.Superuser}, gate.ReasonNotSuperuser, 403},
	{"load user", abi.Op{Kind: abi.OpLoadUser}, gate.ReasonOK, 200},
	{"load session", abi.Op{Kind: abi.OpSessionLoad}, gate.ReasonOK, 200},
	{"register while logged in", abi.Op{Kind: abi.OpRegister, Username: "cy", Password: "x"}, gate.ReasonAlreadyAuthenticated, 400},
	{"save", abi.Op{Kind: abi.OpSaveUser, UserID: "1", Fields: []abi.Field{{Column: "last_name", Value: query.Text("Ö")}}}, gate.ReasonOK, 200},
	{"change password", abi.Op{Kind: abi.OpChangePassword, Password: "pond"}, gate.ReasonOK, 200},
	{"logged out", abi.Op{Kind: abi.OpCheck, Require: gate.Authenticated}, gate.ReasonNoSession, 401},
	{"old password", abi.Op{Kind: abi.OpAuthenticate, Username: "ann", Password: "lake"}, gate.ReasonBadCredentials, 400},
	{"new password", abi.Op{Kind: abi.OpAuthenticate, Username: "ann", Password: "pond"}, gate.ReasonOK, 200},
	{"register a taken name", abi.Op{Kind: abi.OpRegister, Username: "ann", Password: "x"}, gate.ReasonUsernameTaken, 400},
	{"register", abi.Op{Kind: abi.OpRegister, Username: "dot", Password: "rain", Email: "dot@EXAMPLE.com"}, gate.ReasonOK, 200},
	{"check the new user", abi.Op{Kind: abi.OpCheck, Require: gate.Authenticated}, gate.ReasonOK, 200},
	{"set password", abi.Op{Kind: abi.OpSetPassword, UserID: "3", Password: "snow"}, gate.ReasonOK, 200},
	{"session ended", abi.Op{Kind: abi.OpCheck, Require: gate.Authenticated}, gate.ReasonAuthHashMismatch, 401},
	{"logout", abi.Op{Kind: abi.OpLogout}, gate.ReasonOK, 200},
	{"verify", abi.Op{Kind: abi.OpVerifyPassword, Password: "lake", Encoded: "pbkdf2_sha256$1$salt$" + annHash}, gate.ReasonOK, 200},
	{"verify another", abi.Op{Kind: abi.OpVerifyPassword, Password: "sea", Encoded: "pbkdf2_sha256$1$salt$" + annHash}, gate.ReasonBadCredentials, 400},
	{"verify at any cost", abi.Op{Kind: abi.OpVerifyPassword, Password: "sea", Encoded: "pbkdf2_sha256$2147483648$salt$" + annHash}, gate.ReasonHashCost, 503},
	{"make", abi.Op{Kind: abi.OpMakePassword, Password: "lake"}, gate.ReasonOK, 200},
	{"eval nothing", abi.Op{Kind: abi.OpEval, Function: "nothing", Arguments: "{}"}, gate.ReasonBadRequest, 400},
	{"no operation", abi.Op{}, gate.ReasonInternal, 503},
	{"no requirement", abi.Op{Kind: abi.OpCheck, Require: "99"}, gate.ReasonInternal, 503},
}

// live runs the whole visit and returns what each step gave.
func live(t *testing.T, h *host, run do) []*abi.Result {
	t.Helper()
	var results []*abi.Result
	session := ""
	for _, v := range visit {
		op := v.op
		op.Request = request(session)
		result := run(h, &op)
		d := result.Decision
		if d.Reason != v.reason || d.Status != v.status || (d.Outcome == gate.Allow) != (v.status == 200) {
			t.Errorf("%s: %+v, want %v and status %d", v.name, d, v.reason, v.status)
		}
		for _, cookie := range d.Cookies {
			if rest, ok := strings.CutPrefix(cookie, "sessionid="); ok {
				session, _, _ = strings.Cut(rest, ";")
				session = strings.Trim(session, `"`)
			}
		}
		results = append(results, result)
	}
	return results
}

func TestVisit(t *testing.T) {
	r := rules(t)
	h := newHost(t)
	results := live(t, h, natively(r))
	byName := map[string]*abi.Result{}
	for i, v := range visit {
		byName[v.name] = results[i]
	}
	login, check := byName["login"], byName["check"]
	if len(login.Decision.Cookies) != 2 || login.SessionKey == "" || login.Decision.Identity == nil {
		t.Errorf("login: %+v", login)
	}
	if check.SessionKey != login.SessionKey || check.Decision.Identity == nil || check.Decision.Identity.Name != "ann" || !check.Decision.Vary {
		t.Errorf("check: %+v", check)
	}
	columns := r.Columns()
	if len(check.User) != len(columns) {
		t.Fatalf("%d values for %d columns", len(check.User), len(columns))
	}
	for i, c := range columns {
		if v := check.User[i]; c.Name == "password" && !v.IsNull() || c.Name == "username" && v.Text() != "ann" {
			t.Errorf("%s is %v", c.Name, v)
		}
	}
	if load := byName["load user"]; load.Decision.SetHeaders != nil || !reflect.DeepEqual(load.User, check.User) {
		t.Errorf("load user: %+v", load)
	}
	if session := byName["load session"]; len(session.Session) != 3 || session.SessionKey != login.SessionKey {
		t.Errorf("load session: %+v", session)
	}
	if out := byName["logout"]; len(out.Decision.Cookies) != 1 || !strings.Contains(out.Decision.Cookies[0], "1970") {
		t.Errorf("logout: %+v", out)
	}
	if text := byName["make"].Text; !strings.HasPrefix(text, "pbkdf2_sha256$2$") {
		t.Errorf("make: %q", text)
	}
	if email := byName["register"].Decision.Identity.Email; email != "dot@example.com" {
		t.Errorf("register: %q", email)
	}
}

// TestHintSavesARoundTrip: and a wrong one costs one, but decides nothing.
// Django 2.2 carries the language over a logout, in a session of its own.
func TestLogoutWithALanguage(t *testing.T) {
	keys := signing.DeriveKeys("", "an insecure key for tests", nil)
	r, err := step.Configure([]abi.Setting{
		{Name: "version", Value: "2.2"}, {Name: "dialect", Value: "sqlite"}, {Name: "pbkdf2_iterations", Value: "2"}, {Name: "public_origin", Value: "https://example.com"},
		{Name: "key_session_legacy", Value: keys.SessionLegacy.Current.Export()}, {Name: "key_auth_hash_sha1", Value: keys.AuthHashSHA1.Current.Export()},
	})
	if err != nil {
		t.Fatal(err)
	}
	h, run := newHost(t), natively(r)
	key := run(h, &abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "lake", Request: request("")}).SessionKey
	store, err := djsession.New(djsession.Settings{Version: version.Version{Major: 2, Minor: 2}, Dialect: query.SQLite, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	session, err := store.Load(t.Context(), h, key)
	if err != nil {
		t.Fatal(err)
	}
	session.SetText("_language", "de")
	if err := store.Save(t.Context(), h, session); err != nil {
		t.Fatal(err)
	}
	out := run(h, &abi.Op{Kind: abi.OpLogout, Request: request(key)})
	if len(out.Decision.Cookies) != 1 || strings.Contains(out.Decision.Cookies[0], "1970") || strings.Contains(out.Decision.Cookies[0], key) {
		t.Fatalf("logout: %+v", out.Decision)
	}
	_, rest, _ := strings.Cut(out.Decision.Cookies[0], "=")
	next, _, _ := strings.Cut(rest, ";")
	if left := run(h, &abi.Op{Kind: abi.OpSessionLoad, Request: request(next)}); len(left.Session) != 1 || left.Session[0].Key != "_language" {
		t.Errorf("the new session is %+v", left.Session)
	}
}

func TestHintSavesARoundTrip(t *testing.T) {
	r, h := rules(t), newHost(t)
	run := natively(r)
	login := run(h, &abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "lake", Request: request("")})
	for hint, want := range map[query.Value]int{query.Null(): 2, query.Int(1): 1, query.Int(2): 2, query.Text("x"): 2} {
		h.effects = 0
		got := run(h, &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request(login.SessionKey), Hint: hint})
		if h.effects != want || got.Decision.Identity == nil || got.Decision.Identity.ID != "1" {
			t.Errorf("hint %v: %d effects, %+v", hint, h.effects, got.Decision)
		}
	}
}

// TestUnsafe: no operation that writes a session obeys a foreign page, and
// none asks for anything before it refuses.
func TestUnsafe(t *testing.T) {
	r := rules(t)
	for _, kind := range []abi.OpKind{abi.OpLogin, abi.OpLogout, abi.OpRegister, abi.OpChangePassword} {
		h := newHost(t)
		foreign := request("")
		foreign.Headers[1].Value = "https://evil.example"
		got := natively(r)(h, &abi.Op{Kind: kind, Username: "ann", Password: "lake", Request: foreign})
		if got.Decision.Outcome != gate.Deny || got.Decision.Status != 403 || h.effects != 0 {
			t.Errorf("operation %d: %+v after %d effects", kind, got.Decision, h.effects)
		}
	}
}

// TestEveryFailure breaks each effect of each operation in turn: the answer
// is then never "anonymous", and never lets anybody in.
func TestEveryFailure(t *testing.T) {
	r := rules(t)
	for name, run := range map[string]func(t *testing.T) do{
		"native":  func(*testing.T) do { return natively(r) },
		"machine": func(t *testing.T) do { return newGuest(t, r).do },
	} {
		for _, kind := range []abi.OpKind{abi.OpCheck, abi.OpLoadUser, abi.OpSessionLoad, abi.OpAuthenticate, abi.OpLogin, abi.OpLogout,
			abi.OpRegister, abi.OpChangePassword, abi.OpSetPassword, abi.OpVerifyPassword, abi.OpMakePassword,
			abi.OpSessionSave, abi.OpSessionFlush, abi.OpSessionCycle, abi.OpClearExpired, abi.OpCSRFToken} {
			t.Run(fmt.Sprint(name, "/", kind), func(t *testing.T) {
				for at := 1; ; at++ {
					h := newHost(t)
					call := run(t)
					session := ""
					if kind != abi.OpRegister {
						session = call(h, &abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "lake", Request: request("")}).SessionKey
					}
					h.effects, h.breakAt = 0, at
					got := call(h, &abi.Op{
						Kind: kind, Require: gate.Authenticated, UserID: "1", Username: map[bool]string{true: "new", false: "ann"}[kind == abi.OpRegister],
						Password: "lake", Encoded: "pbkdf2_sha256$1$salt$" + annHash, Request: request(session),
						Session: djsession.State{Modified: true}, Status: 200,
					})
					if h.effects < at {
						if got.Decision.Outcome != gate.Allow {
							t.Fatalf("without a failure: %+v", got.Decision)
						}
						break
					}
					if got.Decision.Outcome != gate.Error || got.Decision.Status != 503 || got.User != nil || got.Decision.Cookies != nil {
						t.Errorf("effect %d broken: %+v", at, got)
					}
				}
			})
		}
	}
}

// TestShortRows cuts a column off the rows of each effect in turn: what is no
// answer to a statement decides nothing, neither that there is no session.
func TestShortRows(t *testing.T) {
	r, err := step.Configure(settings())
	if err != nil {
		t.Fatal(err)
	}
	run := natively(r)
	for _, c := range []struct {
		kind abi.OpKind
		cuts int // effects that read rows
	}{
		{abi.OpCheck, 2}, {abi.OpLoadUser, 2}, {abi.OpVisit, 2}, {abi.OpPermissions, 2}, {abi.OpSessionLoad, 1},
		{abi.OpSessionCycle, 1}, {abi.OpAuthenticate, 1}, {abi.OpChangePassword, 2},
	} {
		h := newHost(t)
		if _, err := h.db.Exec(grants); err != nil {
			t.Fatal(err)
		}
		login := run(h, &abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "lake", Request: request("")})
		for at := 1; at <= c.cuts; at++ {
			h.effects, h.cutAt, h.cut = 0, at, false
			op := abi.Op{Kind: c.kind, Require: gate.Authenticated, Username: "ann", Password: "lake", Request: request(login.SessionKey), Status: 200}
			got := run(h, &op)
			if !h.cut || got.Decision.Outcome != gate.Error || got.Decision.Status != 503 || got.User != nil {
				t.Errorf("operation %d, effect %d: %+v", c.kind, at, got)
			}
		}
	}
}
