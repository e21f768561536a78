package step_test

import (
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// TestWritesOnReads: Django's get_user gives a session that a fallback key had
// signed a new key, and flushes one whose password was changed; the browser
// must learn of either. Without the setting neither happens.
func TestWritesOnReads(t *testing.T) {
	old := rules(t)
	keys := signing.DeriveKeys("", "a new key", []string{"an insecure key for tests"})
	for _, writes := range []bool{true, false} {
		settings := []abi.Setting{{Name: "version", Value: "5.2"}, {Name: "dialect", Value: "sqlite"}, {Name: "pbkdf2_iterations", Value: "2"}}
		for name, ring := range map[string]signing.Ring{"key_session": keys.Session, "key_auth_hash": keys.AuthHash} {
			settings = append(settings, abi.Setting{Name: name, Value: ring.Current.Export()}, abi.Setting{Name: name, Value: ring.Fallbacks[0].Export()})
		}
		if writes {
			settings = append(settings, abi.Setting{Name: "writes_on_reads", Value: "true"})
		}
		rotated, err := step.Configure(settings)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []abi.OpKind{abi.OpCheck, abi.OpLoadUser} {
			h := newHost(t)
			before := natively(old)(h, &abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "lake", Request: request("")}).SessionKey
			run := natively(rotated)

			got := run(h, &abi.Op{Kind: kind, Require: gate.Anyone, Request: request(before)})
			if got.Decision.Identity == nil || (got.SessionKey != before) != writes {
				t.Fatalf("%v, writes %v: %+v", kind, writes, got)
			}
			if cookies := strings.Join(got.Decision.Cookies, "\n"); strings.Contains(cookies, "sessionid="+got.SessionKey+";") != writes {
				t.Errorf("%v, writes %v: rotated without its cookie: %q", kind, writes, cookies)
			}
			run(h, &abi.Op{Kind: abi.OpSetPassword, UserID: "1", Password: "pond"})
			gone := run(h, &abi.Op{Kind: kind, Require: gate.Anyone, Request: request(got.SessionKey)})
			if gone.Decision.Identity != nil || gone.Decision.Reason != gate.ReasonAuthHashMismatch {
				t.Fatalf("%v, writes %v: after a change of the password: %+v", kind, writes, gone)
			}
			if cookies := strings.Join(gone.Decision.Cookies, "\n"); strings.Contains(cookies, "1970") != writes {
				t.Errorf("%v, writes %v: flushed, and the cookie %q", kind, writes, cookies)
			}
		}
	}
}
