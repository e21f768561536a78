// Package hashing runs password hashing where it disturbs nothing else: on
// operating system threads of low priority, of this process ([Threads]) or of
// one beside it ([Process]). Who may hash, and when, is for its caller.
package hashing

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/djedge/djedge/djuser/password"
)

// ErrClosed is the answer of [Threads] and [Process] after Close.
var ErrClosed = errors.New("password hashing: closed")

// Threads hash passwords on operating system threads of their own. On Linux
// they get the processor only when nothing else wants it: Go's scheduler gives
// all goroutines the same share, and a check would wait behind every login.
// The zero value is not ready; see [NewThreads].
type Threads struct {
	count  int
	start  sync.Once
	single chan *derivation // anything but what pairs
	paired chan *derivation
	stop   chan struct{}
	close  func()
}

// derivation is one hashing on its way.
type derivation struct {
	ctx          context.Context
	params       password.Params
	secret, salt []byte

	steps *password.PBKDF2 // of one that pairs
	key   []byte
	err   error
	done  chan struct{} // closed behind key and err
}

// NewThreads are count threads, which start with the first password.
func NewThreads(count int) *Threads {
	stop := make(chan struct{})
	return &Threads{
		count: count, single: make(chan *derivation), paired: make(chan *derivation),
		stop: stop, close: sync.OnceFunc(func() { close(stop) }),
	}
}

// Pairs reports whether two such derivations cost little more than one: then
// a thread runs two at a time.
func Pairs(p password.Params) bool { return p.Function == password.PBKDF2SHA256 }

// DeriveKey waits for a thread and derives a key there, in slices of about a
// millisecond. When ctx ends, it returns the cause at once, and the thread is
// free after its slice. It neither keeps nor changes secret and salt once it
// has returned a key.
func (t *Threads) DeriveKey(ctx context.Context, p password.Params, secret, salt []byte) ([]byte, error) {
	t.start.Do(func() {
		for range t.count {
			go t.loop()
		}
	})
	queue := t.single
	if Pairs(p) {
		queue = t.paired
	}
	d := &derivation{ctx: ctx, params: p, secret: secret, salt: salt, done: make(chan struct{})}
	select {
	case <-t.stop:
		return nil, ErrClosed
	default:
	}
	select {
	case queue <- d:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-t.stop:
		return nil, ErrClosed
	}
	select {
	case <-d.done:
		return d.key, d.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Close ends the threads, after what they are doing.
func (t *Threads) Close() error {
	t.close()
	return nil
}

// loop is one thread. It is never unlocked, so that its priority ends with it.
func (t *Threads) loop() {
	runtime.LockOSThread()
	if !mainThread() {
		t.work()
		return
	}
	// The first thread of a process never ends; while it is taken, another
	// goroutine gets another thread.
	taken := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		close(taken)
		t.work()
	}()
	<-taken
	runtime.UnlockOSThread()
}

// work is on a thread of its own.
func (t *Threads) work() {
	lowerPriority()
	var arena password.Arena
	for {
		select {
		case d := <-t.single:
			d.finish(arena.Derive(d.ctx, yield, d.params, d.secret, d.salt))
		case d := <-t.paired:
			t.pair(d)
		case <-t.stop:
			return
		}
	}
}

// pair runs d, together with whatever else pairs and finds no idle thread.
func (t *Threads) pair(d *derivation) {
	lanes := make([]*derivation, 0, 2)
	for d != nil || len(lanes) > 0 {
		if d != nil && d.begin() {
			lanes = append(lanes, d)
		}
		if d = nil; len(lanes) < 2 {
			select {
			case d = <-t.paired:
				continue
			default:
			}
		}
		lanes = advance(lanes)
		runtime.Gosched()
	}
}

// advance runs a slice of each, and returns those that have more to do.
func advance(lanes []*derivation) []*derivation {
	var done [2]bool
	switch len(lanes) {
	case 1:
		done[0] = lanes[0].steps.Step()
	case 2:
		done[0], done[1] = password.StepBoth(lanes[0].steps, lanes[1].steps)
	}
	more := lanes[:0]
	for i, d := range lanes {
		switch {
		case done[i]:
			d.finish(d.steps.Key(), nil)
		case d.ctx.Err() != nil:
			d.finish(nil, context.Cause(d.ctx))
		default:
			more = append(more, d)
		}
	}
	return more
}

// begin prepares the slices, and is false when there are none to run.
func (d *derivation) begin() bool {
	var err error
	if d.steps, err = password.NewPBKDF2(d.params, d.secret, d.salt); err != nil {
		d.finish(nil, err)
	}
	return err == nil
}

func (d *derivation) finish(key []byte, err error) {
	d.key, d.err = key, err
	close(d.done)
}

// yield is between the slices of a hashing; the arena looks at the context.
func yield(context.Context) error {
	runtime.Gosched()
	return nil
}
