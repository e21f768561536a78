// Package bound is a deadline that costs nothing until somebody waits for it.
package bound

import (
	"context"
	"sync"
	"time"
)

// Context ends at a time, or with its parent, as one of [context.WithDeadline]
// does. But its timer is made when it is asked for [Context.Done]: most queries
// are answered long before, by somebody who looks at the deadline alone.
type Context struct {
	parent context.Context
	at     time.Time

	mu      sync.Mutex
	stopped bool
	inner   context.Context // nil: nobody waits
	cancel  context.CancelFunc
}

var _ context.Context = (*Context)(nil)

// New ends at at, or when its parent does. Stop must follow.
func New(parent context.Context, at time.Time) *Context {
	if earlier, ok := parent.Deadline(); ok && earlier.Before(at) {
		at = earlier
	}
	return &Context{parent: parent, at: at}
}

// Stop ends it, and frees what it holds.
func (c *Context) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped = true; c.cancel != nil {
		c.cancel()
	}
}

func (c *Context) Deadline() (time.Time, bool) { return c.at, true }

func (c *Context) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		c.inner, c.cancel = context.WithDeadline(c.parent, c.at)
		if c.stopped {
			c.cancel()
		}
	}
	return c.inner.Done()
}

func (c *Context) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.inner != nil:
		return c.inner.Err()
	case c.parent.Err() != nil:
		return c.parent.Err()
	case !time.Now().Before(c.at):
		return context.DeadlineExceeded
	case c.stopped:
		return context.Canceled
	}
	return nil
}

// Value is asked of the one with the timer, when there is one, so that package
// context finds it and starts no goroutine for those below.
func (c *Context) Value(key any) any {
	c.mu.Lock()
	inner := c.inner
	c.mu.Unlock()
	if inner != nil {
		return inner.Value(key)
	}
	return c.parent.Value(key)
}

// IsPatient reports whether ctx ends by its deadline alone, as far as somebody
// is concerned who answers soon: a client that goes away need not be noticed.
func IsPatient(ctx context.Context) bool {
	_, ok := ctx.(*Context)
	return ok
}
