package host

import (
	"context"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// Native runs the rules in this process, as ordinary Go.
func Native() Engine { return &native{} }

type native struct{ rules *step.Rules }

func (n *native) Configure(_ context.Context, settings []abi.Setting) ([]query.Statement, error) {
	rules, err := step.Configure(settings)
	if err != nil {
		return nil, err
	}
	n.rules = rules
	return rules.Statements(), nil
}

func (n *native) Do(ctx context.Context, op *abi.Op, fx djuser.Effects) *abi.Result {
	if n.rules == nil {
		return step.Failure(gate.ReasonInternal, "the engine is not configured")
	}
	return n.rules.Do(ctx, fx, op)
}

func (n *native) Close(context.Context) error { return nil }
