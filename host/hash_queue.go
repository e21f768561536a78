package host

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host/hashing"
)

// Hasher derives the keys of passwords: [hashing.Threads] or [hashing.Process].
// It need not bound how many run at once, and must stop when ctx ends.
type Hasher interface {
	DeriveKey(ctx context.Context, p password.Params, secret, salt []byte) ([]byte, error)
	Close() error
}

// hashQueue is the queue in front of password hashing, apart from everything
// else, so that logins cannot starve checks. One budget of memory bounds both
// what hashings use and how many run: each takes at least its share.
type hashQueue struct {
	budget  int64
	share   int64
	wait    time.Duration
	running *semaphore.Weighted
	hasher  Hasher
}

// HashThreads is how many threads hash for this [Config.HashConcurrency].
func HashThreads(concurrency int) int {
	if concurrency == 0 {
		return max(1, runtime.GOMAXPROCS(0)/2)
	}
	return concurrency
}

func newHashQueue(concurrency int, memory int64, wait time.Duration, hasher Hasher) *hashQueue {
	concurrency = HashThreads(concurrency)
	if memory == 0 {
		memory = 256 << 20
	}
	memory = max(memory, int64(concurrency)) // a share is at least 1
	if hasher == nil {
		hasher = hashing.NewThreads(concurrency)
	}
	return &hashQueue{budget: memory, share: memory / int64(concurrency), wait: wait, running: semaphore.NewWeighted(memory), hasher: hasher}
}

// weight is what a hashing takes of the budget. One that needs more than
// there is (the limits of hashes allow it) runs alone.
func (h *hashQueue) weight(memory int64) int64 { return min(max(memory, h.share), h.budget) }

// derive waits for a turn and hashes. Two that can share a thread take half a
// share each.
func (h *hashQueue) derive(ctx context.Context, p password.Params, secret, salt []byte) ([]byte, error) {
	weight := h.weight(p.MemoryBytes())
	if hashing.Pairs(p) {
		weight = max(1, h.share/2)
	}
	if err := h.acquire(ctx, weight); err != nil {
		return nil, err
	}
	defer h.release(weight)
	key, err := h.hasher.DeriveKey(ctx, p, secret, salt)
	switch {
	case err == nil:
		return key, nil
	case ctx.Err() != nil:
		return nil, abandoned(ctx)
	case errors.Is(err, hashing.ErrClosed):
		return nil, &gate.Denied{Reason: gate.ReasonBusy, Detail: err.Error()}
	default:
		return nil, err
	}
}

// acquire waits for a turn, in the order of arrival.
func (h *hashQueue) acquire(ctx context.Context, weight int64) error {
	deadline, cancel := context.WithTimeout(ctx, h.wait)
	defer cancel()
	if err := h.running.Acquire(deadline, weight); err != nil {
		return &gate.Denied{Reason: gate.ReasonBusy, Detail: fmt.Sprintf("password hashing: no turn within %v", h.wait)}
	}
	return nil
}

func (h *hashQueue) release(weight int64) {
	if weight > 0 {
		h.running.Release(weight)
	}
}

// abandoned says that nobody waits for a hashing any more.
func abandoned(ctx context.Context) error {
	return &gate.Denied{Reason: gate.ReasonBusy, Detail: "password hashing: " + ctx.Err().Error()}
}
