package step_test

import (
	"testing"

	"github.com/djedge/djedge/wasm/abi"
)

// What a caller does to a result is seen by nobody else: a session whose bytes
// were verified before is read from what all requests share.
func TestResultsAreNotShared(t *testing.T) {
	for _, kind := range []abi.OpKind{abi.OpSessionLoad, abi.OpVisit, abi.OpLoadUser, abi.OpCheck} {
		h, run := newHost(t), natively(rules(t))
		key := run(h, &abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "lake", Request: request("")}).SessionKey
		for i := range 5 {
			got := run(h, &abi.Op{Kind: kind, Request: request(key)})
			for j := range got.Session {
				if got.Session[j].Raw == "0" {
					t.Fatalf("%v, time %d: the items of another result", kind, i)
				}
				got.Session[j].Raw = "0"
			}
			clear(got.User)
			if user := run(h, &abi.Op{Kind: abi.OpVisit, Request: request(key)}); user.Decision.Identity == nil || user.Decision.Identity.ID != "1" || len(user.Session) != 3 {
				t.Fatalf("%v, time %d: %+v", kind, i, user)
			}
		}
	}
}
