package hashing

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// BenchmarkPauses is what everything else waits for the scheduler while
// passwords are hashed without a pause: a goroutine that wants to run each
// millisecond, and the garbage collector, which stops the program twice.
func BenchmarkPauses(b *testing.B) {
	process := testProcess(b, 1)
	defer process.Close()
	threads := NewThreads(1)
	defer threads.Close()
	for _, c := range []struct {
		name string
		hasher
	}{{"idle", nil}, {"threads", threads}, {"process", process}} {
		b.Run(c.name, func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context())
			var group sync.WaitGroup
			for range 2 {
				if c.hasher != nil {
					group.Go(func() { _, _ = c.DeriveKey(ctx, forever, nil, nil) })
				}
			}
			var late, collections []time.Duration
			for b.Loop() {
				due := time.Now().Add(time.Millisecond)
				time.Sleep(time.Millisecond)
				late = append(late, time.Since(due))
				if len(late)%20 == 0 {
					start := time.Now()
					runtime.GC()
					collections = append(collections, time.Since(start))
				}
			}
			cancel()
			group.Wait()
			report(b, "late", late)
			report(b, "gc", collections)
		})
	}
}

func report(b *testing.B, name string, waits []time.Duration) {
	if len(waits) == 0 {
		return
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds()), name+"-p99-µs")
	b.ReportMetric(float64(waits[len(waits)-1].Microseconds()), name+"-max-µs")
}
