package step

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// broken is a host without a database.
type broken struct{ djuser.Effects }

func (broken) Now() time.Time { return time.Unix(1_700_000_000, 0) }

func (broken) Query(context.Context, bool, ...query.Statement) ([]query.Result, error) {
	return nil, errors.New("the wire was cut")
}

// A rule that takes a failure for an answer does not decide by it.
func TestSwallowedFailure(t *testing.T) {
	got := guarded(&watched{Effects: broken{}}, func(w *watched) (*abi.Result, error) {
		if _, err := w.Query(context.Background(), false, query.Statement{}); err == nil {
			t.Error("no failure")
		}
		return success(), nil
	})
	if d := got.Decision; d.Outcome != gate.Error || d.Status != 503 || d.Reason != gate.ReasonDatabaseUnavailable {
		t.Errorf("%+v", d)
	}
	got = guarded(&watched{Effects: broken{}}, func(*watched) (*abi.Result, error) { return success(), nil })
	if got.Decision.Outcome != gate.Allow {
		t.Errorf("without a failure: %+v", got.Decision)
	}
}
