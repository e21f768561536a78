package host

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/djedge/djedge/djuser/gate"
)

// hashing is the queue in front of password hashing, apart from everything
// else, so that logins cannot starve checks. One budget of memory bounds both
// what hashings use and how many run: each takes at least its share.
type hashing struct {
	budget  int64
	share   int64
	wait    time.Duration
	running *semaphore.Weighted
}

func newHashing(concurrency int, memory int64, wait time.Duration) *hashing {
	if concurrency == 0 {
		concurrency = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if memory == 0 {
		memory = 256 << 20
	}
	memory = max(memory, int64(concurrency)) // a share is at least 1
	return &hashing{budget: memory, share: memory / int64(concurrency), wait: wait, running: semaphore.NewWeighted(memory)}
}

// weight is what a hashing takes of the budget. One that needs more than
// there is (the limits of hashes allow it) runs alone.
func (h *hashing) weight(memory int64) int64 { return min(max(memory, h.share), h.budget) }

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
