package host

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djuser/gate"
)

// A log tells a queue that is too long from a client that went away.
func TestQueueReason(t *testing.T) {
	h := newHashQueue(1, 1<<20, time.Millisecond, nil)
	if err := h.acquire(t.Context(), 1<<20); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		ctx  context.Context
		want string
	}{{t.Context(), "no turn within 1ms"}, {gone, "context canceled"}} {
		var denied *gate.Denied
		if err := h.acquire(c.ctx, 1); !errors.As(err, &denied) || denied.Reason != gate.ReasonBusy || !strings.Contains(denied.Detail, c.want) {
			t.Errorf("%v, not %s", err, c.want)
		}
	}
	h.release(1 << 20)
	if err := h.acquire(t.Context(), 1); err != nil {
		t.Error(err)
	}
}
