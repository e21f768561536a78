package scenario

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
)

// mode is what the way to the database does.
type mode int

const (
	passing mode = iota
	down         // connections are closed, the open ones too
	slow         // nothing comes back
	garbage      // random bytes come back
)

// proxy is a way to a database that can fail. It passes bytes on and knows
// nothing of what they mean.
type proxy struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	mode    mode
	changed chan struct{} // closed when the mode changes
	open    map[net.Conn]bool
}

func newProxy(target string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, target: target, changed: make(chan struct{}), open: map[net.Conn]bool{}}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.handle(client)
		}
	}()
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) close() {
	p.listener.Close()
	p.set(down)
}

// set changes the mode. What was held back while it was slow never arrives:
// those connections are cut when the mode changes again.
func (p *proxy) set(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m == down || p.mode == slow || p.mode == garbage {
		for c := range p.open {
			c.Close()
		}
	}
	p.mode = m
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *proxy) now() (m mode, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode, p.changed
}

// track has set cut the connection; the function ends it.
func (p *proxy) track(c net.Conn) (end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[c] = true
	return func() {
		c.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, c)
	}
}

func (p *proxy) handle(client net.Conn) {
	defer p.track(client)()
	if m, _ := p.now(); m == down {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer p.track(server)()
	go func() {
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	b := make([]byte, 32<<10)
	for {
		n, err := server.Read(b)
		if err != nil {
			return
		}
		switch m, changed := p.now(); m {
		case down:
			return
		case slow:
			<-changed
			return
		case garbage:
			for i := range n {
				b[i] = byte(rand.Uint32())
			}
		}
		if _, err := client.Write(b[:n]); err != nil {
			return
		}
	}
}
