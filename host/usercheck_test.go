package host_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
)

// Without a database a signed cookie's word is taken: for the id, and nothing else.
func TestUserCheckNone(t *testing.T) {
	keys := signing.DeriveKeys("", secret, nil)
	session := `{"_auth_user_id":"7","_auth_user_backend":"django.contrib.auth.backends.ModelBackend","_auth_user_hash":"whatever"}`
	cookie := func(text string, key signing.Key, age time.Duration) string {
		return signing.Dumps(text, key, true, time.Now().Add(-age))
	}
	good := cookie(session, keys.Cookie.Current, time.Minute)
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, host.Config{SecretKey: secret, SessionEngine: "signed_cookies", UserCheck: "none", Engine: engine()})
			for range 3 {
				for _, c := range []struct {
					cookie  string
					require gate.Requirement
					outcome gate.Outcome
					reason  gate.Reason
				}{
					{good, gate.Authenticated, gate.Allow, gate.ReasonUserUnchecked},
					{good, gate.Anyone, gate.Allow, gate.ReasonUserUnchecked},
					{good, gate.Staff, gate.Error, gate.ReasonInternal},
					{good, gate.Superuser, gate.Error, gate.ReasonInternal},
					{good, gate.Permission("a.b"), gate.Error, gate.ReasonInternal},
					{good, gate.Group("g"), gate.Error, gate.ReasonInternal},
					{good + "x", gate.Authenticated, gate.Deny, gate.ReasonSessionCorrupt},
					{cookie(session, signing.DeriveKeys("", "another", nil).Cookie.Current, 0), gate.Authenticated, gate.Deny, gate.ReasonSessionCorrupt},
					{cookie(session, keys.Cookie.Current, 15*24*time.Hour), gate.Authenticated, gate.Deny, gate.ReasonSessionUnknown},
					{cookie(`{}`, keys.Cookie.Current, 0), gate.Authenticated, gate.Deny, gate.ReasonAnonymous},
					{cookie(strings.Replace(session, "Model", "Other", 1), keys.Cookie.Current, 0), gate.Authenticated, gate.Deny, gate.ReasonBackendNotAllowed},
				} {
					r := httptest.NewRequest("GET", "/", nil)
					r.Header.Set("Cookie", "sessionid="+c.cookie)
					d := h.Do(t.Context(), &abi.Op{Kind: abi.OpCheck, Request: h.Summary(r), Require: c.require}).Decision
					if d.Outcome != c.outcome || d.Reason != c.reason {
						t.Errorf("%s: %+v, want %v %v", c.require, d, c.outcome, c.reason)
					}
					if d.Outcome == gate.Allow && (*d.Identity != gate.Identity{ID: "7"}) {
						t.Errorf("%+v is known", d.Identity)
					}
				}
			}
			login := &abi.Op{Kind: abi.OpLogin, Username: "alice", Password: "x", Request: h.Summary(httptest.NewRequest("POST", "/", nil))}
			if d := h.Do(t.Context(), login).Decision; d.Outcome != gate.Error || d.Reason != gate.ReasonDatabaseUnavailable {
				t.Errorf("a login without a database: %+v", d)
			}
		})
	}
	for problem, config := range map[string]host.Config{
		"session_engine": {UserCheck: "none"},
		"so give it":     {UserCheck: "none", SessionEngine: "signed_cookies", DB: openSQLite(t)},
		"user_check":     {UserCheck: "some", DB: openSQLite(t)},
		"rule 1":         {UserCheck: "none", SessionEngine: "signed_cookies", Rules: []gate.Rule{{Path: "/a/", Allow: gate.Staff}}},
		"database":       {SessionEngine: "signed_cookies"},
	} {
		config.SecretKey = secret
		if _, err := host.New(t.Context(), config); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%v, want %q", err, problem)
		}
	}
}
