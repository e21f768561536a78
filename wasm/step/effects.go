package step

import (
	"context"
	"errors"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/abi"
)

// watched passes effects on, checks that answers have the right shape, and
// remembers the first failure of the host: [Rules.Do] then ends as an error,
// even where a rule mistook the failure for an answer.
type watched struct {
	djuser.Effects
	cached bool // sessions are kept in a cache before the database
	short  bool // the result may be told in few bytes
	err    error
	reason gate.Reason

	// Of a check, so that it is not allocated apart.
	room   djuser.Room
	answer struct {
		abi.Result
		identity gate.Identity
		headers  gate.IdentityHeaders
		nobody   djsession.Session
		short    abi.Allowed // stands for the result when it has a session key
	}
}

func (w *watched) note(reason gate.Reason, err error) error {
	if w.err == nil {
		w.err, w.reason = err, reason
	}
	return err
}

func (w *watched) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	results, err := w.Effects.Query(ctx, atomic, statements...)
	if err != nil {
		if errors.Is(err, query.ErrDuplicate) {
			return nil, err
		}
		return nil, w.note(gate.ReasonDatabaseUnavailable, err)
	}
	if len(results) != len(statements) {
		return nil, w.note(gate.ReasonInternal, errors.New("the number of results is not the number of statements"))
	}
	return results, nil
}

// Storage: of a cache before the database a failure is for the rules to judge,
// which read the database then.
func (w *watched) Storage(ctx context.Context, op djsession.StorageOp) (djsession.StorageResult, error) {
	result, err := w.Effects.Storage(ctx, op)
	if err != nil && !w.cached {
		return result, w.note(gate.ReasonDatabaseUnavailable, err)
	}
	return result, err
}

func (w *watched) Random(ctx context.Context, n int) ([]byte, error) {
	b, err := w.Effects.Random(ctx, n)
	if err == nil && len(b) != n {
		err = djsession.ErrNoRandomness
	}
	if err != nil {
		if !errors.Is(err, djsession.ErrNoRandomness) {
			err = errorf.Errorf("%w: %w", djsession.ErrNoRandomness, err)
		}
		return nil, w.note(gate.ReasonNoRandomness, err)
	}
	return b, nil
}

// DeriveKey: a host that fails to hash has no room for it now.
func (w *watched) DeriveKey(ctx context.Context, p password.Params, secret, salt []byte) ([]byte, error) {
	key, err := w.Effects.DeriveKey(ctx, p, secret, salt)
	if err != nil {
		if errors.Is(err, password.ErrDeclined) {
			return nil, err
		}
		return nil, w.note(gate.ReasonBusy, err)
	}
	if len(key) != int(p.KeyLen) {
		return nil, w.note(gate.ReasonInternal, errors.New("the derived key has the wrong length"))
	}
	return key, nil
}

func (w *watched) Yield(ctx context.Context) error {
	if err := w.Effects.Yield(ctx); err != nil {
		return w.note(gate.ReasonBusy, err)
	}
	return nil
}
