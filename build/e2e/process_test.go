package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/djedge/djedge/build/bench/process"
)

// server is a program that a test started: in the foreground, its output in a file, stopped by its process id.
type server struct {
	name string
	addr string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// launch starts a server and waits until its port answers.
func launch(name, addr string, cmd *exec.Cmd) (*server, error) {
	f, err := os.CreateTemp(scratch, name+"-*.log")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	s := &server{name: name, addr: addr, log: f.Name(), cmd: cmd, done: make(chan struct{})}
	process.Tie(cmd)
	if err := process.StartTied(cmd); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		_ = cmd.Wait()
		close(s.done)
	}()
	if err := s.answer(); err != nil {
		s.kill()
		return nil, fmt.Errorf("%w\n%s", err, s.tail())
	}
	return s, nil
}

// answer waits until the server accepts connections.
func (s *server) answer() error {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if c, err := net.Dial("tcp", s.addr); err == nil {
			return c.Close()
		}
		select {
		case <-s.done:
			return fmt.Errorf("%s ended: %v", s.name, s.cmd.ProcessState)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s does not answer on %s", s.name, s.addr)
}

// stop asks the server to end, and kills it when it does not within ten seconds.
func (s *server) stop(signal os.Signal) {
	_ = s.cmd.Process.Signal(signal)
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		s.kill()
	}
}

// kill is kill -9.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// tail is the end of the server's log.
func (s *server) tail() string {
	b, _ := os.ReadFile(s.log)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return fmt.Sprintf("%s says:\n%s", filepath.Base(s.log), strings.Join(lines[max(0, len(lines)-30):], "\n"))
}

// serve is launch for the time of one test.
func serve(t testing.TB, name, addr string, cmd *exec.Cmd) *server {
	t.Helper()
	s, err := launch(name, addr, cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop(syscall.SIGTERM)
		tellOnFailure(t, s)
	})
	return s
}

// tellOnFailure shows the server's log beside a failed test.
func tellOnFailure(t testing.TB, s *server) {
	if t.Failed() {
		t.Log(s.tail())
	}
}

// shared are the servers that live as long as the test binary.
var shared struct {
	sync.Mutex
	servers []*server
}

func share(s *server) *server {
	shared.Lock()
	defer shared.Unlock()
	shared.servers = append(shared.servers, s)
	return s
}

func stopShared() {
	shared.Lock()
	defer shared.Unlock()
	for i := len(shared.servers) - 1; i >= 0; i-- {
		shared.servers[i].stop(os.Interrupt)
	}
}

// freeAddr is a loopback address that nothing listens on, below the ports that the kernel hands out by itself.
func freeAddr() string {
	for {
		addr := fmt.Sprintf("127.0.0.1:%d", 15000+rand.IntN(17000))
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
}

// eventually waits until what is asked for is true.
func eventually(t testing.TB, what string, within time.Duration, ask func(ctx context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for !ask(ctx) {
		if ctx.Err() != nil {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
