package host

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/djedge/djedge/djuser/password"
)

// hashThreads hash passwords on operating system threads of their own, which
// get the processor only when nothing else wants it: Go's scheduler gives all
// goroutines the same share, and a check would wait behind every login. They
// start with the first password.
type hashThreads struct {
	count  int
	start  sync.Once
	single chan *derivation // anything but what pairs
	paired chan *derivation
	stop   chan struct{}
	close  func() // ends the threads, after what they are doing
}

// derivation is one hashing on its way.
type derivation struct {
	ctx          context.Context
	params       password.Params
	secret, salt []byte
	release      func() // gives its turn back

	steps *password.PBKDF2 // of one that pairs
	key   []byte
	err   error
	done  chan struct{} // closed behind key and err
}

func newHashThreads(count int) *hashThreads {
	stop := make(chan struct{})
	return &hashThreads{
		count: count, single: make(chan *derivation), paired: make(chan *derivation),
		stop: stop, close: sync.OnceFunc(func() { close(stop) }),
	}
}

// pairs reports whether two such derivations cost little more than one.
func pairs(p password.Params) bool { return p.Function == password.PBKDF2SHA256 }

// run hands d to a thread. It returns at once, or when d's client is gone.
func (t *hashThreads) run(d *derivation) {
	t.start.Do(func() {
		for range t.count {
			go t.loop()
		}
	})
	queue := t.single
	if pairs(d.params) {
		queue = t.paired
	}
	select {
	case queue <- d:
	case <-d.ctx.Done():
		d.finish(nil, abandoned(d.ctx))
	case <-t.stop:
		d.finish(nil, errClosed)
	}
}

var errClosed = errors.New("password hashing: the host is closed")

// loop is one thread. It is never unlocked, so that its priority ends with it.
func (t *hashThreads) loop() {
	runtime.LockOSThread()
	lowerPriority()
	var arena password.Arena
	for {
		select {
		case d := <-t.single:
			d.finish(arena.Derive(d.ctx, pause, d.params, d.secret, d.salt))
		case d := <-t.paired:
			t.pair(d)
		case <-t.stop:
			return
		}
	}
}

// pair runs d, together with whatever else pairs and finds no idle thread.
func (t *hashThreads) pair(d *derivation) {
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
			d.finish(nil, abandoned(d.ctx))
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
	d.release()
	close(d.done)
}

// pause is between the slices of a hashing.
func pause(ctx context.Context) error {
	if ctx.Err() != nil {
		return abandoned(ctx)
	}
	runtime.Gosched()
	return nil
}
