package module

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/abi"
)

// stub answers effects by functions; what is nil must not be asked for.
type stub struct {
	query func(ctx context.Context, statements []query.Statement) ([]query.Result, error)
	yield func(ctx context.Context) error

	storage func(djsession.StorageOp) (djsession.StorageResult, error)
}

var _ djuser.Effects = stub{}

var errNotAsked = errors.New("this must not be asked for")

func (stub) Now() time.Time                              { return time.Unix(1_700_000_000, 0) }
func (stub) Random(context.Context, int) ([]byte, error) { return nil, errNotAsked }
func (s stub) Yield(ctx context.Context) error {
	if s.yield == nil {
		return errNotAsked
	}
	return s.yield(ctx)
}
func (s stub) Query(ctx context.Context, _ bool, statements ...query.Statement) ([]query.Result, error) {
	if s.query == nil {
		return nil, errNotAsked
	}
	return s.query(ctx, statements)
}
func (s stub) Storage(_ context.Context, op djsession.StorageOp) (djsession.StorageResult, error) {
	if s.storage == nil {
		return djsession.StorageResult{}, errNotAsked
	}
	return s.storage(op)
}
func (stub) DeriveKey(context.Context, password.Params, []byte, []byte) ([]byte, error) {
	return nil, password.ErrDeclined
}

func one(name string) abi.Effect {
	return abi.Effect{Kind: abi.EffectQuery, Statements: []query.Statement{{Name: name}}}
}

// What a guest answers is believed only when it can be read and makes sense;
// anything else ends the instance and is no decision.
func TestGarbageIsNoDecision(t *testing.T) {
	done := abi.AppendDone(nil, allowance())
	otherHandle := effects(t, one("look"))
	otherHandle[5]++ // the handle follows kind and length
	for name, change := range map[string]func(*fake){
		"nothing":                func(f *fake) { f.begin = nil },
		"text":                   func(f *fake) { f.begin = []byte("hello") },
		"half a result":          func(f *fake) { f.begin = done[:len(done)/2] },
		"the host's own message": func(f *fake) { f.begin = abi.AppendConfigure(nil, nil) },
		"behind its memory":      func(f *fake) { f.packed = fakePages*pageBytes<<32 | 1 },
		"over the edge":          func(f *fake) { f.packed = (fakePages*pageBytes-4)<<32 | 8 },
		"4 GiB":                  func(f *fake) { f.packed = 1<<64 - 1 },
		"around the corner":      func(f *fake) { f.packed = (1<<32-4)<<32 | 16 },
		"no effects":             func(f *fake) { f.begin = append([]byte{4, 12, 0, 0, 0}, make([]byte, 12)...) },
		"a write in a read":      func(f *fake) { f.begin = effects(t, one("change")) },
		"ad hoc SQL in a read": func(f *fake) {
			f.begin = effects(t, abi.Effect{Kind: abi.EffectQuery, Statements: []query.Statement{{Name: "x", SQL: " delete FROM t", AdHoc: true}}})
		},
		"ad hoc SQL that reads": func(f *fake) {
			f.begin = effects(t, abi.Effect{Kind: abi.EffectQuery, Statements: []query.Statement{{Name: "x", SQL: "SELECT 1", AdHoc: true}}})
		},
		"a transaction in a read": func(f *fake) {
			f.begin = effects(t, abi.Effect{Kind: abi.EffectQuery, Atomic: true, Statements: []query.Statement{{Name: "look"}}})
		},
		"hashing in a read": func(f *fake) { f.begin = effects(t, abi.Effect{Kind: abi.EffectKDF}) },
		"another's answer":  func(f *fake) { f.begin = effects(t, one("look")); f.again = otherHandle },
		"asking on and on":  func(f *fake) { f.begin = effects(t, one("look")); f.again = f.begin },
	} {
		t.Run(name, func(t *testing.T) {
			guest := honest()
			change(&guest)
			e := startFake(t, guest, Config{Instances: 2})
			asked := 0
			fx := stub{query: func(_ context.Context, statements []query.Statement) ([]query.Result, error) {
				asked++
				if statements[0].Name != "look" {
					t.Errorf("%q was sent to the database", statements[0].Name)
				}
				return make([]query.Result, len(statements)), nil
			}}
			wantFailure(t, e.Do(t.Context(), check(), fx), gate.ReasonInternal)
			if asked > 2*(maxRounds+1) {
				t.Errorf("asked %d times", asked)
			}
			wantWhole(t, e)
		})
	}
}

// A message that is too long is that operation's error alone.
func TestTooLong(t *testing.T) {
	guest := honest()
	guest.begin = effects(t, one("look"))
	e := startFake(t, guest, Config{Instances: 1})
	huge := strings.Repeat("x", abi.MaxFrame)
	fx := stub{query: func(context.Context, []query.Statement) ([]query.Result, error) {
		return []query.Result{{Rows: [][]query.Value{{query.Text(huge)}}}}, nil
	}}
	wantFailure(t, e.Do(t.Context(), check(), fx), gate.ReasonInternal)
	op := check()
	op.Request.URI = huge
	wantFailure(t, e.Do(t.Context(), op, fx), gate.ReasonInternal)
	if e.reads.instancesNow()[0].served != 3 { // one warm, two operations
		t.Error("the instance was replaced")
	}
	wantWhole(t, e)
}

// wantWhole is the state in which nothing is lost: no request holds a place,
// and no instance that takes requests is broken or occupied.
func wantWhole(t testing.TB, e *engine) {
	t.Helper()
	for _, l := range e.lanes() {
		if n := len(l.places); n != 0 {
			t.Errorf("lane %s: %d places are taken", l.name, n)
		}
		l.mu.Lock()
		for _, in := range l.open {
			if in.inFlight != 0 || in.lost != nil || in.retired {
				t.Errorf("lane %s: an instance has %d requests, lost %v, retired %v", l.name, in.inFlight, in.lost, in.retired)
			}
		}
		if l.alive != len(l.open) {
			t.Errorf("lane %s: %d instances are alive, %d open", l.name, l.alive, len(l.open))
		}
		if len(l.open) > l.instances {
			t.Errorf("lane %s: %d instances", l.name, len(l.open))
		}
		l.mu.Unlock()
	}
}

func FuzzGuestAnswer(f *testing.F) {
	f.Add(abi.AppendDone(nil, allowance()), uint64(0))
	f.Add(effects(f, one("look")), uint64(0))
	f.Add(effects(f, abi.Effect{Kind: abi.EffectYield}), uint64(0))
	f.Add([]byte("hello"), uint64(1<<63))
	f.Fuzz(func(t *testing.T, answer []byte, packed uint64) {
		guest := honest()
		guest.begin, guest.packed = answer[:min(len(answer), fakeRoom)], packed
		e := startFake(t, guest, Config{Instances: 1})
		fx := stub{query: func(_ context.Context, statements []query.Statement) ([]query.Result, error) {
			return make([]query.Result, len(statements)), nil
		}, yield: func(context.Context) error { return nil }}
		for _, kind := range []abi.OpKind{abi.OpCheck, abi.OpLogout, abi.OpLogin} {
			if e.Do(t.Context(), &abi.Op{Kind: kind}, fx) == nil {
				t.Error("no result")
			}
		}
		wantWhole(t, e)
	})
}
