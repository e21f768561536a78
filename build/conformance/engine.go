package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// engine is the module in an adapter's process.
type engine struct {
	remote   *remote
	settings []byte // the configure frame, for every instance
	table    *abi.Table

	mu      sync.Mutex
	current *instance // takes new operations; nil when there is none
}

var _ host.Engine = (*engine)(nil)

// instance is one instance in the adapter, which may be gone from there when
// nothing runs in it.
type instance struct {
	number uint32
	engine *engine
	used   int  // operations in it
	worn   bool // takes no more: it trapped, or hashed with much memory
}

// Configure implements [host.Engine].
func (e *engine) Configure(ctx context.Context, settings []abi.Setting) ([]query.Statement, error) {
	if e.table != nil {
		return nil, errors.New("the engine is configured already")
	}
	e.settings = abi.AppendConfigure(nil, settings)
	in, err := e.acquire(ctx)
	if err != nil {
		return nil, err
	}
	e.remote.leave(in)
	return e.table.Statements(), nil
}

// acquire is an instance for one operation; remote.leave must follow.
func (e *engine) acquire(ctx context.Context) (*instance, error) {
	e.mu.Lock()
	defer e.mu.Unlock() // also while an instance is made: the others would only make more
	if e.current != nil && e.remote.keep(e.current) {
		return e.current, nil
	}
	in := e.remote.admit(e)
	if err := e.start(ctx, in); err != nil {
		e.remote.wear(in)
		e.remote.leave(in)
		return nil, err
	}
	e.current = in
	return in, nil
}

func (e *engine) start(ctx context.Context, in *instance) error {
	if _, err := e.remote.call(ctx, callNew, in.number, 0, nil); err != nil {
		return err
	}
	answer, err := e.remote.call(ctx, callConfigure, in.number, 0, e.settings)
	if err != nil {
		return err
	}
	c, err := abi.DecodeConfigured(answer)
	switch {
	case err != nil:
		return err
	case c.Error != "":
		return errors.New(c.Error)
	case e.table == nil:
		e.table, err = abi.NewTable(c.Statements)
	}
	return err
}

// Do implements [host.Engine].
func (e *engine) Do(ctx context.Context, op *abi.Op, fx djuser.Effects) *abi.Result {
	in, err := e.acquire(ctx)
	if err != nil {
		return step.Failure(gate.ReasonInternal, err.Error())
	}
	defer e.remote.leave(in)
	result, err := in.run(ctx, op, fx)
	if err != nil {
		e.remote.wear(in)
		return step.Failure(gate.ReasonInternal, err.Error())
	}
	return result
}

// run does one operation. After an error the instance is not trusted any more.
func (in *instance) run(ctx context.Context, op *abi.Op, fx djuser.Effects) (*abi.Result, error) {
	r := in.engine.remote
	answer, err := r.call(ctx, callBegin, in.number, 0, abi.AppendBegin(nil, &abi.Start{Now: fx.Now()}, op))
	for {
		if err != nil {
			return nil, err
		}
		switch abi.KindOf(answer) {
		case abi.FrameDone:
			return abi.DecodeDone(answer)
		case abi.FrameEffects:
		default:
			return nil, errors.New("the module answered with neither a result nor effects")
		}
		handle, effects, err := abi.DecodeEffects(answer, in.engine.table)
		if err != nil {
			return nil, err
		}
		answers := make([]abi.Answer, len(effects))
		for i := range effects {
			answers[i] = in.answer(ctx, fx, &effects[i])
		}
		if ctx.Err() != nil {
			_, err := r.call(context.WithoutCancel(ctx), callCancel, in.number, handle, nil)
			return nil, errors.Join(ctx.Err(), err)
		}
		answer, err = r.call(ctx, callResume, in.number, handle, abi.AppendResume(nil, &abi.Start{Now: fx.Now()}, answers...))
		if err != nil {
			return nil, err
		}
	}
}

// answer does what the module asked for.
func (in *instance) answer(ctx context.Context, fx djuser.Effects, e *abi.Effect) abi.Answer {
	switch e.Kind {
	case abi.EffectQuery:
		results, err := fx.Query(ctx, e.Atomic, e.Statements...)
		if errors.Is(err, query.ErrDuplicate) {
			return abi.Answer{Kind: abi.AnswerDuplicate}
		}
		return answered(abi.Answer{Kind: abi.AnswerResults, Results: results}, err)
	case abi.EffectKDF:
		key, err := fx.DeriveKey(ctx, e.Params, e.Password, e.Salt)
		if errors.Is(err, password.ErrDeclined) {
			if e.Params.MemoryBytes() > 1<<20 { // which it would never give back
				in.engine.remote.wear(in)
			}
			return abi.Answer{Kind: abi.AnswerDeclined}
		}
		return answered(abi.Answer{Kind: abi.AnswerKey, Bytes: key}, err)
	case abi.EffectRandom:
		random, err := fx.Random(ctx, e.N)
		return answered(abi.Answer{Kind: abi.AnswerRandom, Bytes: random}, err)
	case abi.EffectStorage:
		stored, err := fx.Storage(ctx, e.Storage)
		return answered(abi.Answer{Kind: abi.AnswerStored, Stored: stored}, err)
	case abi.EffectYield:
		return answered(abi.Answer{Kind: abi.AnswerOK}, fx.Yield(ctx))
	}
	return answered(abi.Answer{}, fmt.Errorf("effect %d is unknown", e.Kind))
}

func answered(a abi.Answer, err error) abi.Answer {
	if err != nil {
		return abi.Answer{Kind: abi.AnswerError, Text: err.Error()}
	}
	return a
}

// Close implements [host.Engine].
func (e *engine) Close(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current != nil {
		e.remote.wear(e.current)
		e.current = nil
	}
	return nil
}
