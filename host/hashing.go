package host

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
)

// hashing is the queue in front of password hashing, apart from everything
// else, so that logins cannot starve checks. One budget of memory bounds both
// what hashings use and how many run: each takes at least its share.
type hashing struct {
	budget  int64
	share   int64
	wait    time.Duration
	running *semaphore.Weighted
	threads *hashThreads
}

func newHashing(concurrency int, memory int64, wait time.Duration) *hashing {
	if concurrency == 0 {
		concurrency = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if memory == 0 {
		memory = 256 << 20
	}
	memory = max(memory, int64(concurrency)) // a share is at least 1
	return &hashing{
		budget: memory, share: memory / int64(concurrency), wait: wait,
		running: semaphore.NewWeighted(memory), threads: newHashThreads(concurrency),
	}
}

// weight is what a hashing takes of the budget. One that needs more than
// there is (the limits of hashes allow it) runs alone.
func (h *hashing) weight(memory int64) int64 { return min(max(memory, h.share), h.budget) }

// derive waits for a turn and hashes on the threads. Two that can share a
// thread take half a share each.
func (h *hashing) derive(ctx context.Context, p password.Params, secret, salt []byte) ([]byte, error) {
	weight := h.weight(p.MemoryBytes())
	if pairs(p) {
		weight = max(1, h.share/2)
	}
	if err := h.acquire(ctx, weight); err != nil {
		return nil, err
	}
	d := &derivation{ctx: ctx, params: p, secret: secret, salt: salt, done: make(chan struct{}), release: func() { h.release(weight) }}
	h.threads.run(d)
	select {
	case <-d.done:
		return d.key, d.err
	case <-ctx.Done(): // the thread notices after its slice, and gives the turn back
		return nil, abandoned(ctx)
	}
}

// acquire waits for a turn, in the order of arrival.
func (h *hashing) acquire(ctx context.Context, weight int64) error {
	deadline, cancel := context.WithTimeout(ctx, h.wait)
	defer cancel()
	if err := h.running.Acquire(deadline, weight); err != nil {
		return &gate.Denied{Reason: gate.ReasonBusy, Detail: fmt.Sprintf("password hashing: no turn within %v", h.wait)}
	}
	return nil
}

func (h *hashing) release(weight int64) {
	if weight > 0 {
		h.running.Release(weight)
	}
}

// abandoned says that nobody waits for a hashing any more.
func abandoned(ctx context.Context) error {
	return &gate.Denied{Reason: gate.ReasonBusy, Detail: "password hashing: " + ctx.Err().Error()}
}
