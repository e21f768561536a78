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
	instances int   // at most
	share     int   // requests in one instance at a time
	steps     int64 // of one call
	memoryMiB int   // of one instance
}

// lane is a pool of instances for one class of operations.
type lane struct {
	laneConfig
	*loaded

	// places bounds the requests: one for each that all instances together
	// can carry, so that whoever has a place finds an instance.
	places chan struct{}

	mu   sync.Mutex
	open []*instance // that take requests
}

func newLane(l *loaded, config laneConfig) *lane {
	return &lane{laneConfig: config, loaded: l, places: make(chan struct{}, config.instances*config.share)}
}

// warm starts one instance, which shows whether the settings are right.
func (l *lane) warm() error {
	in := l.pick()
	in.mu.Lock()
	_ = in.ready()
	err := in.lost
	in.mu.Unlock()
	l.settle(in)
	return err
}

// acquire waits for a place and gives an instance; release must follow.
func (l *lane) acquire(ctx context.Context) (*instance, error) {
	select {
	case l.places <- struct{}{}:
		return l.pick(), nil
	default:
	}
	timer := time.NewTimer(l.QueueTimeout)
	defer timer.Stop()
	select {
	case l.places <- struct{}{}:
		return l.pick(), nil
	case <-timer.C:
		return nil, errBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *lane) release(in *instance) {
	l.settle(in)
	<-l.places
}

// pick takes the instance with the fewest requests, or a new one as long as
// none is idle and there may be more.
func (l *lane) pick() *instance {
	l.mu.Lock()
	defer l.mu.Unlock()
	var best *instance
	for _, in := range l.open {
		if in.inFlight < l.share && (best == nil || in.inFlight < best.inFlight) {
			best = in
		}
	}
	if best == nil || best.inFlight > 0 && len(l.open) < l.instances {
		best = &instance{lane: l, born: time.Now()}
		l.open = append(l.open, best)
	}
	best.inFlight++
	best.served++
	return best
}

// settle takes a request off its instance, and closes that when it is worn
// out or lost and this was its last one.
func (l *lane) settle(in *instance) {
	l.mu.Lock()
	in.inFlight--
	if in.hashed || in.served >= l.MaxRequests || uint64(in.size.Load()) > uint64(l.MaxMemoryMiB)<<20 || time.Since(in.born) > l.MaxAge {
		l.retire(in)
	}
	last := in.retired && in.inFlight == 0
	l.mu.Unlock()
	if last {
		in.close()
	}
}

// forget keeps new requests away from in. Those in it notice by themselves.
func (l *lane) forget(in *instance) {
	l.mu.Lock()
	defer l.mu.Unlock()
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
