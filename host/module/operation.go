package module

import (
	"context"
	"errors"
	"fmt"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

const (
	// maxRounds bounds how often one operation may ask for something, and
	// maxYields how often it may pause while it hashes. The rules need far
	// fewer; a module that asks on and on is out of its mind.
	maxRounds = 1000
	maxYields = 10_000_000

	// maxErrorText bounds what a driver's error tells the module.
	maxErrorText = 1 << 10
)

// operation is one Do.
type operation struct {
	op       *abi.Op
	fx       djuser.Effects
	class    class
	affinity uint64
	// wrote: something that may write was sent to the database or the storage, so
	// that the operation must come to its end, whoever has gone away.
	wrote bool
	// changed: something that only an operation that writes may send, so that it
	// must not be sent again. What a read entered into the cache is filled.
	changed bool
	filled  string // the key of an entry that a read made, and may not have confirmed
}

// run does the operation on an instance of the lane. The error is errLost,
// errAlone, errBusy or errTooLong.
func (o *operation) run(ctx context.Context, l *lane) (*abi.Result, error) {
	in, err := l.acquire(ctx, o.affinity)
	if err != nil {
		if ctx.Err() != nil {
			return gone(ctx), nil
		}
		return nil, err
	}
	defer l.release(in)

	m, err := in.begin(ctx, &abi.Start{Now: o.fx.Now()}, o.op, o.mayMove(l))
	if err != nil && ctx.Err() != nil && !errors.Is(err, errLost) {
		return gone(ctx), nil
	}
	if err != nil || m.result != nil {
		return m.result, err
	}
	parked := true
	defer func() { // also when the host's own effects panic
		if parked {
			in.cancel(m.handle)
		}
	}()
	rounds, yields := 0, 0
	for m.result == nil {
		if err := o.class.allows(l.loaded, m.effects); err != nil {
			parked = false
			return nil, in.fault(err)
		}
		var few [1]abi.Answer // the rules ask for one thing at a time
		answers := few[:0]
		if len(m.effects) > len(few) {
			answers = make([]abi.Answer, 0, len(m.effects))
		}
		answers = answers[:len(m.effects)]
		for i := range m.effects {
			e := &m.effects[i]
			if e.Kind == abi.EffectYield {
				yields++
			} else {
				rounds++
			}
			answers[i] = o.answer(ctx, in, e)
			if o.wrote { // what was begun must not stay half done because the client went away
				ctx = context.WithoutCancel(ctx)
			}
			if answers[i].Kind == abi.AnswerDeclined && o.mayMove(l) {
				return nil, errAlone
			}
		}
		if ctx.Err() != nil {
			return gone(ctx), nil
		}
		if rounds > maxRounds || yields > maxYields {
			parked = false
			return nil, in.fault(errors.New("the module asks on and on"))
		}
		next, err := in.resume(ctx, m.handle, &abi.Start{Now: o.fx.Now()}, answers, o.mayMove(l))
		switch {
		case errors.Is(err, errLost):
			parked = false
			return nil, err
		case err != nil && ctx.Err() != nil:
			return gone(ctx), nil
		case err != nil:
			return nil, err
		}
		m = next
	}
	parked = false
	return m.result, nil
}

// mayMove reports whether the operation shares its instance and can begin
// again in one of its own.
func (o *operation) mayMove(l *lane) bool { return l.share > 1 && !o.wrote }

// repeat does the operation again, alone, after it lost its instance.
func (o *operation) repeat(ctx context.Context) (*abi.Result, error) {
	o.unfill(ctx)
	result, err := o.run(ctx, o.class.repeat)
	if errors.Is(err, errLost) {
		o.unfill(ctx)
	}
	return result, err
}

// unfill takes away the entry of the cache that a lost read had made: it may not
// have seen whether the session ended meanwhile.
func (o *operation) unfill(ctx context.Context) {
	if o.filled != "" {
		_, _ = o.fx.Storage(context.WithoutCancel(ctx), djsession.StorageOp{Kind: djsession.CacheDelete, Key: o.filled})
		o.filled = ""
	}
}

// gone answers a client that went away, or whose time is up. Nobody reads it,
// except a log.
func gone(ctx context.Context) *abi.Result {
	return step.Failure(gate.ReasonInternal, ctx.Err().Error())
}

// fault loses an instance whose answer could be read and makes no sense.
func (in *instance) fault(why error) error {
	in.turn <- struct{}{} // no call takes longer than the watchdog allows
	defer in.leave()
	return in.lose(why)
}

// allows refuses effects that operations of this class do not have.
func (c class) allows(l *loaded, effects []abi.Effect) error {
	for i := range effects {
		switch e := &effects[i]; e.Kind {
		case abi.EffectQuery:
			if e.Atomic && !c.writes {
				return errors.New("a read asked for a transaction")
			}
			for j := range e.Statements {
				s := &e.Statements[j]
				switch {
				case s.AdHoc && !c.sql:
					return fmt.Errorf("an operation without SQL asked for the statement %q", s.Name)
				case !c.writes && l.writes(s):
					return fmt.Errorf("a read asked for the statement %q", s.Name)
				}
			}
		case abi.EffectStorage:
			kind := e.Storage.Kind
			fills := c.fills && (kind == djsession.CacheAdd || kind == djsession.CacheDelete)
			if !c.writes && changes(kind) && !fills {
				return errors.New("a read asked to change what is stored")
			}
		case abi.EffectKDF, abi.EffectYield:
			if !c.hashes {
				return errors.New("an operation without a password asked for a key derivation")
			}
		}
	}
	return nil
}

// answer does what the module asked for.
func (o *operation) answer(ctx context.Context, in *instance, e *abi.Effect) abi.Answer {
	switch e.Kind {
	case abi.EffectQuery:
		for i := range e.Statements {
			o.changed = o.changed || in.lane.writes(&e.Statements[i])
		}
		o.wrote = o.wrote || o.changed
		results, err := o.fx.Query(ctx, e.Atomic, e.Statements...)
		switch {
		case errors.Is(err, query.ErrDuplicate):
			return abi.Answer{Kind: abi.AnswerDuplicate}
		case err != nil:
			return failure(err)
		}
		return abi.Answer{Kind: abi.AnswerResults, Results: results}
	case abi.EffectKDF:
		key, err := o.fx.DeriveKey(ctx, e.Params, e.Password, e.Salt)
		switch {
		case errors.Is(err, password.ErrDeclined):
			if e.Params.MemoryBytes() > 1<<20 {
				in.wear()
			}
			return abi.Answer{Kind: abi.AnswerDeclined}
		case err != nil:
			return failure(err)
		}
		return abi.Answer{Kind: abi.AnswerKey, Bytes: key}
	case abi.EffectRandom:
		random, err := o.fx.Random(ctx, e.N)
		if err != nil {
			return failure(err)
		}
		return abi.Answer{Kind: abi.AnswerRandom, Bytes: random}
	case abi.EffectStorage:
		if changes(e.Storage.Kind) {
			o.wrote = true
			if o.class.writes {
				o.changed = true
			} else {
				o.filled = e.Storage.Key
			}
		}
		stored, err := o.fx.Storage(ctx, e.Storage)
		if err != nil {
			return failure(err)
		}
		return abi.Answer{Kind: abi.AnswerStored, Stored: stored}
	}
	if err := o.fx.Yield(ctx); err != nil {
		return failure(err)
	}
	return abi.Answer{Kind: abi.AnswerOK}
}

func failure(err error) abi.Answer {
	text := err.Error()
	return abi.Answer{Kind: abi.AnswerError, Text: text[:min(len(text), maxErrorText)]}
}

// wear marks an instance that hashed with much memory; it is not used again.
func (in *instance) wear() {
	in.lane.mu.Lock()
	defer in.lane.mu.Unlock()
	in.hashed = true
}

// changes reports whether an operation on a storage may write.
func changes(kind djsession.StorageKind) bool {
	return kind != djsession.CacheGet && kind != djsession.FileGet
}
