// Package process starts the programs that a benchmark measures, says what they cost, and stops them: each by its
// own process id, and also when the benchmark itself is interrupted or killed. It measures on Linux alone.
package process

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrUnsupported is what measuring returns where there is no /proc.
var ErrUnsupported = errors.New("CPU time of other processes is only read on Linux")

// Process is a running program.
type Process struct {
	Name string
	PID  int

	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
}

// Start runs cmd in the foreground. Its standard error goes to a file in dir, and its standard output too when cmd
// has none.
func Start(name, dir string, cmd *exec.Cmd) (*Process, error) {
	log, err := os.CreateTemp(dir, "*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if cmd.Stdout == nil {
		cmd.Stdout = log
	}
	cmd.Stderr = log
	Tie(cmd)
	if err := StartTied(cmd); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p := &Process{Name: name, PID: cmd.Process.Pid, cmd: cmd, log: log.Name(), done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Await waits until something accepts connections on addr, for at most half a minute.
func (p *Process) Await(addr string) error {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if c, err := net.Dial("tcp", addr); err == nil {
			return c.Close()
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended: %v\n%s", p.Name, p.cmd.ProcessState, p.Tail())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s does not answer\n%s", p.Name, p.Tail())
}

// Stop asks the program to end, and kills it when it has not within ten seconds.
func (p *Process) Stop(signal os.Signal) {
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// Tail is the end of what the program has printed.
func (p *Process) Tail() string {
	b, _ := os.ReadFile(p.log)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return fmt.Sprintf("%s says:\n%s", filepath.Base(p.log), strings.Join(lines[max(0, len(lines)-20):], "\n"))
}

// FreeAddr is a loopback address that nothing listens on.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Group stops what it started, the latest first.
type Group struct {
	mu        sync.Mutex
	processes []*Process
}

// Add makes the group responsible for p.
func (g *Group) Add(p *Process) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.processes = append(g.processes, p)
}

// Stop stops every process of the group with SIGINT: PostgreSQL's fast shutdown, and an end for all others.
func (g *Group) Stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.processes) > 0 {
		last := len(g.processes) - 1
		g.processes[last].Stop(syscall.SIGINT)
		g.processes = g.processes[:last]
	}
}

// The kernel kills a tied process when the thread that started it ends, hence one thread that starts them all.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// StartTied starts a program after [Tie].
func StartTied(cmd *exec.Cmd) error {
	result := make(chan error)
	starter() <- func() { result <- cmd.Start() }
	return <-result
}
