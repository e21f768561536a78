package measure

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Request is one request as it goes over the wire, and what must be in its answer.
type Request struct {
	Wire   []byte
	Status int    // wanted
	Body   []byte // wanted somewhere in headers or body
}

// NewRequest is a request with a cookie, which may be empty. Want must be somewhere in the answer.
func NewRequest(addr, path, cookie string, status int, want string) Request {
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", path, addr)
	if cookie != "" {
		fmt.Fprintf(&b, "Cookie: %s\r\n", cookie)
	}
	b.WriteString("\r\n")
	return Request{Wire: []byte(b.String()), Status: status, Body: []byte(want)}
}

// NewPost is a request with a JSON body.
func NewPost(addr, path, body string, status int) Request {
	return Request{Status: status, Wire: fmt.Appendf(nil,
		"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, addr, len(body), body)}
}

// Load is how requests are sent.
type Load struct {
	Addr        string
	Requests    []Request // in turn, shared by all connections
	Connections int
	Duration    time.Duration
	Once        bool // each request once, and then the end, however short that was
	// Rate is how many requests begin in a second, whether earlier ones have been answered or not; a request that
	// has to wait for a connection counts from when it should have begun. 0 is as many as there are connections for.
	Rate float64
}

// Sent is what became of a load.
type Sent struct {
	Finished int
	Elapsed  time.Duration
	Millis   []float64 // how long each took
}

// errStopped ends a connection whose load has ended.
var errStopped = errors.New("stopped")

// Run sends the load. An answer that is not as it should be is an error, and ends it.
func (l Load) Run(ctx context.Context) (Sent, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		next  atomic.Int64
		mu    sync.Mutex
		total Sent
		group sync.WaitGroup
	)
	start := time.Now()
	end := start.Add(l.Duration)
	for range l.Connections {
		group.Go(func() {
			c := connection{addr: l.Addr}
			defer c.close()
			var millis []float64
			for ctx.Err() == nil {
				n := next.Add(1) - 1
				if l.Once && n >= int64(len(l.Requests)) {
					break
				}
				began := time.Now()
				if l.Rate > 0 {
					began = start.Add(time.Duration(float64(n) / l.Rate * float64(time.Second)))
					time.Sleep(time.Until(began))
				}
				if !l.Once && began.After(end) {
					break
				}
				if err := c.do(&l.Requests[n%int64(len(l.Requests))]); err != nil {
					cancel(err)
					break
				}
				millis = append(millis, float64(time.Since(began))/float64(time.Millisecond))
			}
			mu.Lock()
			defer mu.Unlock()
			total.Finished += len(millis)
			total.Millis = append(total.Millis, millis...)
		})
	}
	group.Wait()
	total.Elapsed = time.Since(start)
	if err := context.Cause(ctx); err != nil {
		return total, err
	}
	if total.Finished == 0 {
		return total, errStopped
	}
	return total, nil
}

// connection is one keep-alive connection, made anew when the server has closed it.
type connection struct {
	addr string
	conn net.Conn
	r    *bufio.Reader
	seen []byte // the answer
}

func (c *connection) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// do sends a request and compares its answer. A kept connection may have been closed by the server just before.
func (c *connection) do(r *Request) error {
	kept := c.conn != nil
	status, err := c.exchange(r.Wire)
	if err != nil && kept && len(c.seen) == 0 {
		c.close()
		status, err = c.exchange(r.Wire)
	}
	if err != nil {
		c.close()
		return fmt.Errorf("%s: %w", c.addr, err)
	}
	if status != r.Status || !bytes.Contains(c.seen, r.Body) {
		return fmt.Errorf("%s answers %d where %d with %q is right: %.300q", c.addr, status, r.Status, r.Body, c.seen)
	}
	return nil
}

// exchange leaves headers and body in c.seen.
func (c *connection) exchange(wire []byte) (status int, err error) {
	c.seen = c.seen[:0]
	if c.conn == nil {
		if c.conn, err = net.Dial("tcp", c.addr); err != nil {
			return 0, err
		}
		c.r = bufio.NewReaderSize(c.conn, 16<<10)
	}
	if err = c.conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		return 0, err
	}
	if _, err = c.conn.Write(wire); err != nil {
		return 0, err
	}
	var h header
	for first := true; ; first = false {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		c.seen = append(c.seen, line...)
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if first {
			if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
				return 0, fmt.Errorf("no status line: %.100q", line)
			}
			h.status, _ = strconv.Atoi(string(line[9:12]))
			h.closes = line[7] == '0'
			continue
		}
		h.read(line)
	}
	if err := c.body(&h); err != nil {
		return 0, err
	}
	if h.closes {
		c.close()
	}
	return h.status, nil
}

// header is what is needed of an answer's header.
type header struct {
	status  int
	length  int
	chunked bool
	closes  bool
}

func (h *header) read(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimSpace(value)
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		h.length, _ = strconv.Atoi(string(value))
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		h.chunked = bytes.EqualFold(value, []byte("chunked"))
	case bytes.EqualFold(name, []byte("Connection")):
		h.closes = bytes.EqualFold(value, []byte("close"))
	}
}

// body reads the body to the end of c.seen.
func (c *connection) body(h *header) error {
	if h.status == http.StatusNoContent || h.status == http.StatusNotModified {
		return nil
	}
	if !h.chunked {
		return c.take(h.length)
	}
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return err
		}
		if err := c.take(int(n)); err != nil {
			return err
		}
		if _, err := c.r.Discard(2); err != nil || n == 0 {
			return err
		}
	}
}

func (c *connection) take(n int) error {
	old := len(c.seen)
	c.seen = append(c.seen, make([]byte, n)...)
	_, err := io.ReadFull(c.r, c.seen[old:])
	return err
}
