// Package crowd asks a database as the requests of a busy server do, for tests
// and benchmarks.
package crowd

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host"
)

// Run calls f in 32 goroutines, n times altogether.
func Run(n int, f func(worker int)) {
	var left atomic.Int64
	left.Store(int64(n))
	var workers sync.WaitGroup
	for i := range 32 {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				f(i)
			}
		})
	}
	workers.Wait()
}

// Checks asks db n times what a check of one of the first users asks: both
// statements at once when it is hinted, else one after the other. Each must
// find its row.
func Checks(b *testing.B, db host.DB, n, users int, hinted bool, check func(user int) []query.Statement) {
	ask := func(statements ...query.Statement) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		results, err := db.Query(ctx, false, statements...)
		if err != nil || len(results[0].Rows) != 1 {
			b.Error(results, err)
		}
	}
	Run(n, func(int) {
		if all := check(1 + rand.IntN(users)); hinted {
			ask(all...)
		} else {
			ask(all[0])
			ask(all[1])
		}
	})
}
