package module

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/djedge/djedge/build/wasmbuild"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/internal/crowd"
	"github.com/djedge/djedge/wasm/abi"
)

// remembered is a database that is a Go map: it asks the real one only once.
type remembered struct {
	*site
	answers sync.Map
}

func (m *remembered) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	var key strings.Builder
	for i := range statements {
		key.WriteString(statements[i].Name)
		for _, arg := range statements[i].Args {
			key.WriteString(arg.Text())
		}
	}
	if results, ok := m.answers.Load(key.String()); ok {
		return results.([]query.Result), nil
	}
	results, err := m.site.Query(ctx, atomic, statements...)
	m.answers.Store(key.String(), results)
	return results, err
}

// cpu reports what the process computes per iteration: on a busy machine the
// time by the clock says little.
func cpu(b *testing.B) (report func()) {
	before := crowd.ProcessTime()
	return func() {
		b.ReportMetric(float64(crowd.ProcessTime()-before)/float64(b.N), "cpu-ns/op")
	}
}

// BenchmarkCheck is one check whose user is known by a hint: one round trip.
func BenchmarkCheck(b *testing.B) {
	s := newSite(b)
	key := users(b, s, 1)[0]
	fx := &remembered{site: s}
	run := func(b *testing.B, e host.Engine, fx djuser.Effects) {
		op := &abi.Op{Kind: abi.OpCheck, Request: request("GET", key), Require: gate.Authenticated, Hint: query.Int(1)}
		for range 3 { // until it is verified bytes, where those are remembered
			wantUser(b, e.Do(b.Context(), op, fx), 0)
		}
		b.ReportAllocs()
		report := cpu(b)
		for b.Loop() {
			if e.Do(b.Context(), op, fx).Decision.Outcome != gate.Allow {
				b.Fatal("not allowed")
			}
		}
		report()
	}
	forgetful := abi.Setting{Name: "verified_bytes", Value: "0"}
	b.Run("native", func(b *testing.B) { run(b, start(b, &native{}, settings()), fx) })
	b.Run("native, nothing remembered", func(b *testing.B) { run(b, start(b, &native{}, settings(forgetful)), fx) })
	b.Run("module", func(b *testing.B) { run(b, startWASM(b, wasmbuild.Djedge(), Config{}), fx) })
	b.Run("module, nothing remembered", func(b *testing.B) { run(b, startWASM(b, wasmbuild.Djedge(), Config{}, forgetful), fx) })
	b.Run("module, parallel", func(b *testing.B) {
		e := startWASM(b, wasmbuild.Djedge(), Config{})
		op := &abi.Op{Kind: abi.OpCheck, Request: request("GET", key), Require: gate.Authenticated, Hint: query.Int(1)}
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if e.Do(b.Context(), op, fx).Decision.Outcome != gate.Allow {
					b.Error("not allowed")
					return
				}
			}
		})
	})
}

// BenchmarkStart is a new instance, compiled code at hand.
func BenchmarkStart(b *testing.B) {
	e := startWASM(b, wasmbuild.Djedge(), Config{Instances: 1, MaxRequests: 1})
	report := cpu(b)
	for b.Loop() {
		if err := e.reads.warm(); err != nil {
			b.Fatal(err)
		}
	}
	report()
}
