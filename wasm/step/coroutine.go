package step

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/abi"
)

// coroutine runs one operation after another. While one waits for an effect,
// the whole coroutine is parked; the effects are its own methods.
type coroutine struct {
	rules  *Rules
	resume func() (done, alive bool)
	stop   func()
	yield  func(done bool) bool

	// Where messages and results are kept from one operation to the next, so that
	// a check allocates next to nothing: a guest's collector stands everybody still.
	memory abi.Memory
	watch  watched

	// Of the current operation; see forget.
	op        abi.Op
	start     abi.Start
	effect    abi.Effect
	answer    abi.Answer
	result    *abi.Result
	secrets   [][]byte // randomness and keys that the rules were given
	cancelled bool
}

// errCancelled is what a parked operation panics with when it is cancelled.
// Nothing but its own recover sees it: runtime.Goexit would end the module.
var errCancelled = errors.New("operation cancelled")

func newCoroutine(rules *Rules) *coroutine {
	c := &coroutine{rules: rules}
	c.resume, c.stop = iter.Pull(c.operations)
	return c
}

// operations runs until it is stopped. It yields false when an operation is
// parked and true when it is done; then the next one is in c.op.
func (c *coroutine) operations(yield func(done bool) bool) {
	c.yield = yield
	for {
		c.watch.Effects, c.watch.short = c, c.rules.shorthand != nil
		c.result = c.rules.do(context.Background(), &c.watch, &c.op)
		if !yield(true) {
			return
		}
	}
}

// next goes on until the operation is parked or done.
func (c *coroutine) next() (done bool) {
	done, alive := c.resume()
	if !alive {
		panic("the coroutine has ended")
	}
	return done
}

func (c *coroutine) resumed(start abi.Start, answer abi.Answer) {
	c.start.Now = start.Now
	if len(start.Random) > 0 {
		clear(c.start.Random)
		c.start.Random = start.Random
	}
	c.answer = answer
}

// forget drops everything of the last operation. What can be cleared is, the
// texts of the messages too: nothing may have kept a part of one.
func (c *coroutine) forget() {
	clear(c.start.Random)
	for _, b := range c.secrets {
		clear(b)
	}
	clear(c.secrets)
	c.memory.Forget()
	c.watch = watched{}
	c.op, c.start, c.effect, c.answer, c.result = abi.Op{}, abi.Start{}, abi.Effect{}, abi.Answer{}, nil
	c.secrets, c.cancelled = c.secrets[:0], false
}

// secret is b, which is cleared when the operation is over.
func (c *coroutine) secret(b []byte) []byte {
	c.secrets = append(c.secrets, b)
	return b
}

// park asks the host for an effect and returns its answer.
func (c *coroutine) park(effect abi.Effect) abi.Answer {
	if c.cancelled {
		panic(errCancelled)
	}
	c.effect = effect
	if !c.yield(false) || c.cancelled {
		panic(errCancelled)
	}
	answer := c.answer
	c.effect, c.answer = abi.Effect{}, abi.Answer{}
	return answer
}

var errAnswer = errors.New("the host's answer does not fit the effect")

// failed is the error of an answer that is not the wished one.
func failed(a abi.Answer) error {
	if a.Kind == abi.AnswerError {
		return errors.New(a.Text)
	}
	return errAnswer
}

// Now implements [djsession.Effects].
func (c *coroutine) Now() time.Time { return c.start.Now }

// Random implements [djsession.Effects]. What came with begin and resume is
// used first, and never twice.
func (c *coroutine) Random(_ context.Context, n int) ([]byte, error) {
	if n < 0 || n > abi.MaxRandom {
		return nil, djsession.ErrNoRandomness
	}
	if n <= len(c.start.Random) {
		random := c.start.Random[:n:n]
		c.start.Random = c.start.Random[n:]
		return c.secret(random), nil
	}
	a := c.park(abi.Effect{Kind: abi.EffectRandom, N: n})
	if a.Kind != abi.AnswerRandom || len(a.Bytes) != n {
		return nil, djsession.ErrNoRandomness
	}
	return c.secret(a.Bytes), nil
}

// Query implements [djsession.Effects].
func (c *coroutine) Query(_ context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	for i := range statements {
		if s := &statements[i]; !s.AdHoc && !c.rules.table.Has(s.Name) {
			return nil, errors.New("statement " + s.Name + " is not in the table")
		}
	}
	a := c.park(abi.Effect{Kind: abi.EffectQuery, Atomic: atomic, Statements: statements})
	switch a.Kind {
	case abi.AnswerResults:
		return a.Results, nil
	case abi.AnswerDuplicate:
		return nil, query.ErrDuplicate
	}
	return nil, failed(a)
}

// Storage implements [djsession.Effects].
func (c *coroutine) Storage(_ context.Context, op djsession.StorageOp) (djsession.StorageResult, error) {
	a := c.park(abi.Effect{Kind: abi.EffectStorage, Storage: op})
	if a.Kind != abi.AnswerStored {
		return djsession.StorageResult{}, failed(a)
	}
	return a.Stored, nil
}

// DeriveKey implements [password.KDF].
func (c *coroutine) DeriveKey(_ context.Context, p password.Params, secret, salt []byte) ([]byte, error) {
	a := c.park(abi.Effect{Kind: abi.EffectKDF, Params: p, Password: secret, Salt: salt})
	switch a.Kind {
	case abi.AnswerKey:
		return c.secret(a.Bytes), nil
	case abi.AnswerDeclined:
		return nil, password.ErrDeclined
	}
	return nil, failed(a)
}

// Yield implements [password.KDF].
func (c *coroutine) Yield(context.Context) error {
	if a := c.park(abi.Effect{Kind: abi.EffectYield}); a.Kind != abi.AnswerOK {
		return failed(a)
	}
	return nil
}
