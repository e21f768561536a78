package step_test

import (
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// A session beyond the limits here makes nobody anybody, and nothing writes
// over it: a login begins another.
func TestUnread(t *testing.T) {
	r, err := step.Configure(append(settings(), abi.Setting{Name: "session_save_every_request", Value: "true"}))
	if err != nil {
		t.Fatal(err)
	}
	const key = "abcdefghijklmnop"
	keys := signing.DeriveKeys("", "an insecure key for tests", nil)
	data := signing.Dumps(`{"a":`+strings.Repeat("[", 300)+strings.Repeat("]", 300)+`}`, keys.Session.Current, true, now)
	h := newHost(t)
	if _, err := h.db.Exec("INSERT INTO django_session VALUES (?, ?, '2030-01-01 00:00:00')", key, data); err != nil {
		t.Fatal(err)
	}
	run := natively(r)
	for _, c := range []struct {
		name   string
		op     abi.Op
		reason gate.Reason
		status int
	}{
		{"check", abi.Op{Kind: abi.OpCheck, Require: gate.Authenticated}, gate.ReasonSessionCorrupt, 401},
		{"load", abi.Op{Kind: abi.OpSessionLoad}, gate.ReasonInternal, 503},
		{"save", abi.Op{Kind: abi.OpSessionSave, Status: 200}, gate.ReasonInternal, 503},
		{"save a change", abi.Op{Kind: abi.OpSessionSave, Status: 200, Session: djsession.State{Modified: true}}, gate.ReasonInternal, 503},
		{"cycle", abi.Op{Kind: abi.OpSessionCycle}, gate.ReasonInternal, 503},
		{"login", abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "lake"}, gate.ReasonOK, 200},
	} {
		c.op.Request = request(key)
		got := run(h, &c.op)
		if d := got.Decision; d.Reason != c.reason || d.Status != c.status || (len(d.Cookies) > 0) != (c.name == "login") {
			t.Errorf("%s: %+v", c.name, d)
		}
		if c.name == "login" && (got.SessionKey == "" || got.SessionKey == key) {
			t.Errorf("the login's key is %q", got.SessionKey)
		}
		var stored string
		if err := h.db.QueryRow("SELECT session_data FROM django_session WHERE session_key = ?", key).Scan(&stored); err != nil || stored != data {
			t.Errorf("%s: %v, or written over", c.name, err)
		}
	}
}
