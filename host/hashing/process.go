package hashing

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/djedge/djedge/djuser/password"
)

// Process hashes passwords in a process beside this one. Its threads have low
// priority as [Threads] have, and what they do is no matter of this process's
// garbage collector, which would have to wait for a thread that gets no
// processor before it could go on. The process starts with the first
// password; one that has died is started again by the next.
type Process struct {
	// Command makes the command that runs [Serve] on its standard input and
	// output. It should come with an environment that holds no secrets.
	Command func() *exec.Cmd
	// Exited is told how the process ended when it was not closed; nil is not.
	Exited func(error)

	mu     sync.Mutex
	live   *connection
	barren int       // processes that ended one after the other, and answered nothing
	failed time.Time // when the last start failed, or the last of those ended
	why    error
	closed bool
}

// connection is one running process.
type connection struct {
	in      io.WriteCloser
	kill    func() error
	mu      sync.Mutex // of in and what follows
	last    uint64
	waiting map[uint64]chan message
	useful  bool  // it has answered
	err     error // set once it is of no more use
}

const (
	// startPause is how long a start that failed is not tried again.
	startPause = time.Second
	// maxBarren processes may end over a password, one after the other, before it
	// is the program that is at fault: then a start is one that failed.
	maxBarren = 2
	// writeTimeout is for a process that reads no more, because somebody stopped
	// it: everybody else waits behind who writes.
	writeTimeout = time.Second
)

// errLost says that the process died over a derivation.
var errLost = errors.New("the process has ended")

// DeriveKey derives a key in the process, and once more when that dies over
// it. An error may also say that it could not be started.
func (p *Process) DeriveKey(ctx context.Context, params password.Params, secret, salt []byte) ([]byte, error) {
	key, err := p.try(ctx, params, secret, salt)
	if errors.Is(err, errLost) && ctx.Err() == nil {
		key, err = p.try(ctx, params, secret, salt)
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, ErrClosed) {
		err = fmt.Errorf("password hashing: %w", err)
	}
	return key, err
}

func (p *Process) try(ctx context.Context, params password.Params, secret, salt []byte) ([]byte, error) {
	c, err := p.connection()
	if err != nil {
		return nil, err
	}
	id, answer, err := c.ask(encode(params, secret, salt))
	if err != nil {
		return nil, err
	}
	select {
	case m, ok := <-answer:
		switch {
		case !ok:
			return nil, c.failure()
		case m.kind == kindKey && len(m.body) == int(params.KeyLen):
			return m.body, nil
		case m.kind == kindError:
			return nil, errors.New(string(m.body))
		default:
			return nil, fmt.Errorf("answer: %w", errMessage)
		}
	case <-ctx.Done():
		c.forget(id)
		return nil, context.Cause(ctx)
	}
}

// Close ends the process; what it was doing is lost.
func (p *Process) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.live != nil {
		p.live.close(ErrClosed)
		p.live = nil
	}
	return nil
}

func (p *Process) connection() (*connection, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return nil, ErrClosed
	case p.live != nil && p.live.failure() == nil:
		return p.live, nil
	case p.live != nil:
		p.ended(p.live)
		p.live = nil
	}
	if p.why != nil && time.Since(p.failed) < startPause {
		return nil, p.why
	}
	c, err := p.begin()
	if err != nil {
		p.why, p.failed = fmt.Errorf("start the process: %w", err), time.Now()
		return nil, p.why
	}
	p.live, p.why = c, nil
	return c, nil
}

// ended counts a process that is of no more use. The lock is held.
func (p *Process) ended(c *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.barren++; c.useful {
		p.barren = 0
	}
	if p.barren > maxBarren {
		p.why, p.failed = c.err, time.Now()
	}
}

// begin starts a process.
func (p *Process) begin() (*connection, error) {
	cmd := p.Command()
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &connection{in: in, kill: cmd.Process.Kill, waiting: map[uint64]chan message{}}
	go func() {
		err := c.receive(bufio.NewReader(out))
		c.close(fmt.Errorf("%w: %w", errLost, err))
		ended := cmd.Wait()
		if p.Exited != nil && !errors.Is(c.failure(), ErrClosed) {
			p.Exited(errors.Join(c.failure(), ended))
		}
	}()
	return c, nil
}

// receive passes answers on until there are no more.
func (c *connection) receive(r *bufio.Reader) error {
	for {
		m, err := read(r)
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.useful = true
		if answer := c.waiting[m.id]; answer != nil {
			answer <- m
			delete(c.waiting, m.id)
		}
		c.mu.Unlock()
	}
}

// ask sends a derivation; its answer comes, or the channel is closed.
func (c *connection) ask(body []byte) (id uint64, answer <-chan message, err error) {
	defer clear(body)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, nil, c.err
	}
	c.last++
	if err := c.send(message{id: c.last, kind: kindDerive, body: body}); err != nil {
		return 0, nil, err
	}
	one := make(chan message, 1)
	c.waiting[c.last] = one
	return c.last, one, nil
}

// forget tells the process that nobody waits any more.
func (c *connection) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting[id] != nil {
		delete(c.waiting, id)
		_ = c.send(message{id: id, kind: kindCancel}) // if it is gone, so is its work
	}
}

// send writes a message. A process that does not take it is asked no more, even
// if its end has not been read yet. The lock is held.
func (c *connection) send(m message) error {
	if in, ok := c.in.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = in.SetWriteDeadline(time.Now().Add(writeTimeout))
	}
	err := write(c.in, m)
	if err == nil || errors.Is(err, errMessage) {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_ = c.kill()
	}
	c.end(fmt.Errorf("%w: %w", errLost, err))
	return c.err
}

// close ends the process by the end of its input, and everybody's wait.
func (c *connection) close(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(why)
}

// end is close with the lock.
func (c *connection) end(why error) {
	if c.err != nil {
		return
	}
	c.err = why
	_ = c.in.Close()
	for _, answer := range c.waiting {
		close(answer)
	}
	c.waiting = nil
}

func (c *connection) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
