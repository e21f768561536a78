package e2e

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// wire is a TCP proxy in front of PostgreSQL that can fail in every way a network or a database does, and that counts the
// messages of the client, so that a test can act between any two of them.
type wire struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	mode  wireMode
	conns map[net.Conn]struct{}
	step  *step
}

type wireMode int

const (
	pass    wireMode = iota
	refuse           // connections are closed at once
	hang             // connections are accepted and nothing comes back
	garbage          // what comes back is no PostgreSQL
)

// step is what happens at one message of the client.
type step struct {
	at     int  // the number of the message, from 1
	before bool // act instead of forwarding it, and not when it was answered
	act    func()

	seen int
	done bool // act has run
}

func newWire(t testing.TB, target string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, target: target, conns: map[net.Conn]struct{}{}}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go w.handle(client)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		w.set(refuse)
	})
	return w
}

func (w *wire) addr() string { return w.listener.Addr().String() }

// set changes the mode, also of the connections that are open: all are cut, unless they shall hang.
func (w *wire) set(mode wireMode) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mode = mode
	if mode != hang {
		for c := range w.conns {
			c.Close()
		}
	}
}

// arm counts from now on, and acts at the step.
func (w *wire) arm(s *step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.step = s
}

// disarm ends the counting: whether the step was reached, and how many messages there were.
func (w *wire) disarm() (done bool, seen int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.step
	w.step = nil
	return s.done, s.seen
}

func (w *wire) now() wireMode {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mode
}

func (w *wire) track(c net.Conn) func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[c] = struct{}{}
	return func() {
		c.Close()
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.conns, c)
	}
}

func (w *wire) handle(client net.Conn) {
	defer w.track(client)()
	switch w.now() {
	case refuse:
		return
	case hang:
		_, _ = io.Copy(io.Discard, client) // until set cuts it
		return
	case garbage:
		_, _ = client.Read(make([]byte, 512))
		_, _ = client.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n\x00\xff\x00\xff"))
		return
	}
	server, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer w.track(server)()
	answered := make(chan struct{}, 1)
	go func() {
		defer client.Close()
		w.copyAnswers(client, server, answered)
	}()
	w.copyMessages(server, client, answered)
}

// copyAnswers passes on what the server says, as long as it may.
func (w *wire) copyAnswers(client, server net.Conn, answered chan<- struct{}) {
	b := make([]byte, 32<<10)
	for {
		n, err := server.Read(b)
		if n > 0 {
			select {
			case answered <- struct{}{}:
			default:
			}
			switch w.now() {
			case hang:
				continue
			case garbage:
				for i := range n {
					b[i] ^= 0x5a
				}
			}
			if w.cut() {
				return
			}
			if _, err := client.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut says that nothing more passes: a step has acted, or is about to once its message is answered.
func (w *wire) cut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.step != nil && w.step.seen >= w.step.at
}

var errCut = errors.New("cut by the test")

// copyMessages passes on what the client says, message by message.
func (w *wire) copyMessages(server, client net.Conn, answered chan struct{}) {
	typed := false
	for {
		message, startup, err := readMessage(client, typed)
		if err != nil {
			return
		}
		typed = typed || startup
		if err := w.pass(server, message, answered); err != nil {
			return
		}
	}
}

// pass forwards one message, or acts.
func (w *wire) pass(server net.Conn, message []byte, answered chan struct{}) error {
	w.mu.Lock()
	s := w.step
	act := false
	if s != nil {
		if s.done {
			w.mu.Unlock()
			return errCut
		}
		s.seen++
		act = s.seen == s.at
		s.done = act
	}
	w.mu.Unlock()
	if act && s.before {
		s.act()
		return errCut
	}
	select {
	case <-answered: // of an earlier message
	default:
	}
	if _, err := server.Write(message); err != nil {
		return err
	}
	if act {
		select {
		case <-answered:
		case <-time.After(10 * time.Millisecond): // most messages have no answer of their own
		}
		s.act()
		return errCut
	}
	return nil
}

// readMessage reads one message of PostgreSQL's protocol: those that open a connection have no type byte. startup tells that
// this was the last without.
func readMessage(r io.Reader, typed bool) (message []byte, startup bool, err error) {
	header := 4
	if typed {
		header = 5
	}
	message = make([]byte, header, 256)
	if _, err := io.ReadFull(r, message); err != nil {
		return nil, false, err
	}
	size := int(binary.BigEndian.Uint32(message[header-4:])) - 4
	if size < 0 || size > 1<<24 {
		return nil, false, errors.New("not a message")
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, false, err
	}
	const protocol3 = 3 << 16 // and not a request for TLS
	startup = !typed && size >= 4 && binary.BigEndian.Uint32(body)>>16 == protocol3>>16
	return append(message, body...), startup, nil
}
