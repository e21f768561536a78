package step_test

import (
	"context"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// recorded answers every query with the same rows.
type recorded struct {
	nothing
	results []query.Result
}

func (recorded) Now() time.Time { return now }

func (r recorded) Query(context.Context, bool, ...query.Statement) ([]query.Result, error) {
	return r.results, nil
}

var _ password.KDF = recorded{}

// BenchmarkCheck is a check whose hint is right: one effect.
func BenchmarkCheck(b *testing.B) {
	r, h := rules(b), newHost(b)
	login := r.Do(context.Background(), h, &abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "lake", Request: request("")})
	op := &abi.Op{Kind: abi.OpCheck, Require: gate.Authenticated, Hint: query.Int(1), Request: request(login.SessionKey)}
	m := step.NewMachine(r)
	begin := abi.AppendBegin(nil, &abi.Start{Now: now}, op)
	table, _ := abi.NewTable(r.Statements())
	handle, effects, err := abi.DecodeEffects(m.Begin(nil, begin), table)
	if err != nil {
		b.Fatal(err)
	}
	m.Cancel(handle)
	answer := h.answer(effects[0])
	b.Run("native", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if r.Do(context.Background(), recorded{results: answer.Results}, op).User == nil {
				b.Fatal("nobody")
			}
		}
	})
	b.Run("machine", func(b *testing.B) {
		b.ReportAllocs()
		var out, resume []byte
		for b.Loop() {
			out = m.Begin(out[:0], begin)
			handle, _, err := abi.DecodeEffects(out, table)
			if err != nil {
				b.Fatal(err)
			}
			resume = abi.AppendResume(resume[:0], &abi.Start{Now: now}, answer)
			out = m.Resume(out[:0], handle, resume)
			if result, err := abi.DecodeDone(out); err != nil || result.User == nil {
				b.Fatal("nobody")
			}
		}
	})
}
