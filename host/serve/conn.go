package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Listen is l for a server of [NewServer], whose connections cost less: on each
// request net/http sets five deadlines that nothing ever meets, and reads from
// the connection while it is being answered, to learn that the client went away.
// Here a deadline is set when it is the next one, and a request without a body,
// which is answered in a moment, is not read behind. Without Listen a server
// does the same for more.
func Listen(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, in: direction{arm: c.SetReadDeadline}, out: direction{arm: c.SetWriteDeadline}}, nil
}

// conn is a connection whose deadlines are set late.
type conn struct {
	net.Conn
	in, out direction
	// A handler runs whose request has no body: the only read there can be now is
	// net/http's for the next request, of one byte. That it brings nothing ends it.
	answering atomic.Bool
}

func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 1 && c.answering.Load() {
		return 0, nil
	}
	if err := c.in.begin(); err != nil {
		return 0, err
	}
	for {
		n, err := c.Conn.Read(p)
		if n > 0 || !c.in.again(err) {
			c.in.end()
			return n, err
		}
	}
}

func (c *conn) Write(p []byte) (n int, err error) {
	if err := c.out.begin(); err != nil {
		return 0, err
	}
	defer c.out.end()
	for {
		some, err := c.Conn.Write(p[n:])
		if n += some; n == len(p) || !c.out.again(err) {
			return n, err
		}
	}
}

func (c *conn) SetReadDeadline(t time.Time) error  { return c.in.set(t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.out.set(t) }
func (c *conn) SetDeadline(t time.Time) error      { return errors.Join(c.in.set(t), c.out.set(t)) }

// CloseWrite is what net/http asks a TCP connection for when it refuses what
// the client still sends.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// direction is the deadline of reading, or of writing. The one that is armed is
// never later than the one that is wanted: who meets it looks again.
type direction struct {
	arm func(time.Time) error

	mu            sync.Mutex
	wanted, armed time.Time // zero is never
	busy          bool      // somebody reads, or writes
}

func sooner(a, b time.Time) bool { return !a.IsZero() && (b.IsZero() || a.Before(b)) }

func (d *direction) set(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.wanted = t; d.busy && sooner(t, d.armed) {
		d.armed = t
		return d.arm(t)
	}
	return nil
}

// longAgo is before every clock: net/http ends a read with such a deadline.
var longAgo = time.Unix(1<<30, 0)

func (d *direction) begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if sooner(d.wanted, longAgo) {
		return os.ErrDeadlineExceeded
	}
	d.busy = true
	if sooner(d.wanted, d.armed) {
		d.armed = d.wanted
		return d.arm(d.wanted)
	}
	return nil
}

// again reports whether err is of a deadline that is not wanted any more, and
// sets the one that is.
func (d *direction) again(err error) bool {
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !sooner(d.armed, d.wanted) {
		return false
	}
	d.armed = d.wanted
	return d.arm(d.wanted) == nil
}

func (d *direction) end() {
	d.mu.Lock()
	d.busy = false
	d.mu.Unlock()
}

type connKey struct{}

// withConn is for [http.Server].ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if c, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, c)
	}
	return ctx
}

// answering says that r is being answered, until answered is called.
func answering(r *http.Request) *conn {
	if r.Body != http.NoBody {
		return nil
	}
	c, _ := r.Context().Value(connKey{}).(*conn)
	if c != nil {
		c.answering.Store(true)
	}
	return c
}

func (c *conn) answered() {
	if c != nil {
		c.answering.Store(false)
	}
}
