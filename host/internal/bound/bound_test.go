package bound_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/djedge/djedge/host/internal/bound"
)

// It is as one of package context, whenever it is asked.
func TestContext(t *testing.T) {
	type key struct{}
	for _, asked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			parent, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, 1))
			defer cancel()
			at := time.Now().Add(time.Second)
			make := func(parent context.Context, at time.Time) *bound.Context {
				c := bound.New(parent, at)
				if asked {
					c.Done()
				}
				return c
			}
			c := make(parent, at)
			if got, ok := c.Deadline(); !ok || !got.Equal(at) || c.Err() != nil || c.Value(key{}) != 1 {
				t.Error(got, ok, c.Err())
			}
			child, stop := context.WithTimeout(c, time.Minute)
			defer stop()
			before := runtime.NumGoroutine()
			other, stopOther := context.WithCancel(c)
			defer stopOther()
			if n := runtime.NumGoroutine(); n != before {
				t.Errorf("%d goroutines more", n-before)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if !errors.Is(c.Err(), context.DeadlineExceeded) || child.Err() == nil || other.Err() == nil {
				t.Error(c.Err(), child.Err(), other.Err())
			}
			<-c.Done()
			c.Stop()

			gone := make(parent, time.Now().Add(time.Second))
			cancel()
			synctest.Wait()
			if !errors.Is(gone.Err(), context.Canceled) {
				t.Error(gone.Err())
			}
			<-gone.Done()

			stopped := make(t.Context(), time.Now().Add(time.Second))
			stopped.Stop()
			<-stopped.Done()
			if !errors.Is(stopped.Err(), context.Canceled) {
				t.Error(stopped.Err())
			}
			early, cancelEarly := context.WithDeadline(t.Context(), at)
			defer cancelEarly()
			if got, _ := make(early, at.Add(time.Hour)).Deadline(); !got.Equal(at) {
				t.Error(got)
			}
		})
	}
}
