package hashing

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Serve is what the process beside a [Process] runs: it derives keys on count
// threads as in asks, and answers to out, until in ends. An error says that in
// was no messages of a Process, or that out is gone.
func Serve(ctx context.Context, count int, in io.Reader, out io.Writer) error {
	ctx, stop := context.WithCancelCause(ctx)
	threads := NewThreads(count)
	defer threads.Close()
	var (
		running sync.WaitGroup
		mu      sync.Mutex // of out and cancel
		cancel  = map[uint64]context.CancelFunc{}
	)
	defer running.Wait()
	defer stop(nil)
	r := bufio.NewReader(in)
	for ctx.Err() == nil {
		m, err := read(r)
		if errors.Is(err, io.EOF) && !errors.Is(err, errMessage) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("password hashing: read: %w", err)
		}
		switch m.kind {
		case kindCancel:
			mu.Lock()
			if abandon := cancel[m.id]; abandon != nil {
				abandon()
			}
			mu.Unlock()
		case kindDerive:
			p, secret, salt, err := decode(m.body)
			if err != nil {
				return fmt.Errorf("password hashing: read: %w", err)
			}
			one, abandon := context.WithCancel(ctx)
			mu.Lock()
			cancel[m.id] = abandon
			mu.Unlock()
			running.Go(func() {
				defer abandon()
				key, err := threads.DeriveKey(one, p, secret, salt)
				if err == nil {
					clear(m.body) // else a thread may still read it
				}
				answer := message{id: m.id, kind: kindKey, body: key}
				if err != nil {
					answer = message{id: m.id, kind: kindError, body: []byte(err.Error())}
				}
				mu.Lock()
				defer mu.Unlock()
				delete(cancel, m.id)
				if err := write(out, answer); err != nil {
					stop(fmt.Errorf("password hashing: write: %w", err))
				}
			})
		default:
			return fmt.Errorf("password hashing: read: %w: kind %d", errMessage, m.kind)
		}
	}
	return context.Cause(ctx)
}
