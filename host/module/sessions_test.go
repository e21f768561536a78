package module

import (
	"context"
	"testing"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// Only what changes a session may write: a response that just says whether it
// varies is a read among others.
func TestWhichSessionOperationsWrite(t *testing.T) {
	for _, c := range []struct {
		op     abi.Op
		every  bool
		writes bool
	}{
		{abi.Op{Kind: abi.OpSessionLoad}, true, false},
		{abi.Op{Kind: abi.OpSessionSave, Session: djsession.State{Accessed: true}}, false, false},
		{abi.Op{Kind: abi.OpSessionSave, Session: djsession.State{Accessed: true, Modified: true}}, false, true},
		{abi.Op{Kind: abi.OpSessionSave}, true, true},
		{abi.Op{Kind: abi.OpSessionFlush}, false, true},
		{abi.Op{Kind: abi.OpSessionCycle}, false, true},
		{abi.Op{Kind: abi.OpClearExpired}, false, true},
	} {
		guest := honest()
		guest.begin = effects(t, one("change"))
		e := startFake(t, guest, Config{Instances: 1})
		e.savesAll = c.every
		asked := 0
		fx := stub{query: func(_ context.Context, statements []query.Statement) ([]query.Result, error) {
			asked++
			return make([]query.Result, len(statements)), nil
		}}
		result := e.Do(t.Context(), &c.op, fx)
		if allowed := result.Decision.Outcome == gate.Allow; allowed != c.writes || (asked > 0) != c.writes {
			t.Errorf("operation %d, every request %v: asked %d times, %+v", c.op.Kind, c.every, asked, result.Decision)
		}
	}
}
