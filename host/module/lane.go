package module

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// errBusy means that no instance had room in time.
var errBusy = errors.New("no instance of the module had room in time")

type laneConfig struct {
	name      string
	instances int           // at most
	share     int           // requests in one instance at a time
	wait      time.Duration // for a place, and for each turn in an instance
	steps     int64         // of one call
	memoryMiB int           // of one instance
}

// overload is how many more requests than another an instance may carry before
// those that belong to it go elsewhere.
const overload = 8

// lane is a pool of instances for one class of operations.
type lane struct {
	laneConfig
	*loaded

	// places bounds the requests: one for each that all instances together
	// can carry.
	places chan struct{}

	mu    sync.Mutex
	open  []*instance   // that take requests
	alive int           // those, and the retired ones that still carry some
	room  chan struct{} // closed at the end of a request; nil when nobody waits
}

func newLane(l *loaded, config laneConfig) *lane {
	return &lane{laneConfig: config, loaded: l, places: make(chan struct{}, config.instances*config.share)}
}

// warm starts one instance, which shows whether the settings are right.
func (l *lane) warm() error {
	in, _ := l.pick(0)
	in.turn <- struct{}{}
	_ = in.ready()
	err := in.lost
	in.leave()
	l.settle(in)
	return err
}

// acquire waits for a place and an instance; release must follow. Operations
// with the same affinity mostly meet in one instance, which then remembers what
// they have in common; 0 is none.
func (l *lane) acquire(ctx context.Context, affinity uint64) (*instance, error) {
	select {
	case l.places <- struct{}{}:
		if in, _ := l.pick(affinity); in != nil {
			return in, nil
		}
		<-l.places
	default:
	}
	timer := time.NewTimer(l.wait)
	defer timer.Stop()
	select {
	case l.places <- struct{}{}:
	case <-timer.C:
		return nil, errBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		in, room := l.pick(affinity)
		if in != nil {
			return in, nil
		}
		select {
		case <-room:
		case <-timer.C:
			<-l.places
			return nil, errBusy
		case <-ctx.Done():
			<-l.places
			return nil, ctx.Err()
		}
	}
}

func (l *lane) release(in *instance) {
	l.settle(in)
	<-l.places
}

// pick takes the instance with the fewest requests, or a new one as long as
// none is idle and there may be more. Retired ones that still carry a request
// hold memory too, so there are never more than twice as many as configured;
// then there is none, and room is closed when it is worth another try.
//
// An instance that affinity points to is taken instead, unless it has much more
// to do than the others.
func (l *lane) pick(affinity uint64) (in *instance, room <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, other := range l.open {
		if other.inFlight < l.share && (in == nil || other.inFlight < in.inFlight) {
			in = other
		}
	}
	if (in == nil || in.inFlight > 0 && len(l.open) < l.instances) && l.alive < 2*l.instances {
		in = newInstance(l)
		l.open = append(l.open, in)
		l.alive++
	} else if in != nil && affinity != 0 {
		if own := l.open[affinity%uint64(len(l.open))]; own.inFlight < l.share && own.inFlight <= in.inFlight+overload {
			in = own
		}
	}
	if in == nil {
		if l.room == nil {
			l.room = make(chan struct{})
		}
		return nil, l.room
	}
	in.inFlight++
	in.served++
	return in, nil
}

// settle takes a request off its instance, and closes that when it is worn
// out or lost and this was its last one.
func (l *lane) settle(in *instance) {
	l.mu.Lock()
	in.inFlight--
	if in.hashed || in.served >= l.MaxRequests || uint64(in.size.Load()) > uint64(l.MaxMemoryMiB)<<20 || time.Since(in.born) > l.MaxAge {
		l.retire(in)
	}
	if in.retired && in.inFlight == 0 {
		l.mu.Unlock()
		in.close()
		l.mu.Lock()
		l.alive--
	}
	defer l.mu.Unlock()
	if l.room != nil {
		close(l.room)
		l.room = nil
	}
}

// forget keeps new requests away from in. Those in it notice by themselves.
func (l *lane) forget(in *instance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !in.retired && in.inFlight == 0 {
		l.alive-- // nobody settles it
	}
	l.retire(in)
}

func (l *lane) retire(in *instance) {
	in.retired = true
	l.open = slices.DeleteFunc(l.open, func(other *instance) bool { return other == in })
}

// close frees the instances. No request may be in one.
func (l *lane) close() {
	l.mu.Lock()
	open := l.open
	l.open = nil
	l.mu.Unlock()
	for _, in := range open {
		in.close()
	}
}
