package process

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"time"
)

// StartListening is [Start] for a program that chooses its port and says so on standard output, with a line
// "listening PORT", or with workerd's --control-fd=1. It waits for that line for at most a minute.
func StartListening(name, dir string, cmd *exec.Cmd) (p *Process, addr string, err error) {
	said := &portLine{found: make(chan string, 1)}
	cmd.Stdout = said
	if p, err = Start(name, dir, cmd); err != nil {
		return nil, "", err
	}
	select {
	case port := <-said.found:
		return p, "127.0.0.1:" + port, nil
	case <-p.done:
		return nil, "", fmt.Errorf("%s ended: %v\n%s\n%s", name, cmd.ProcessState, said.head(), p.Tail())
	case <-time.After(time.Minute):
		p.Stop(os.Kill)
		return nil, "", fmt.Errorf("%s does not say its port\n%s\n%s", name, said.head(), p.Tail())
	}
}

// portLine is a standard output in which a port is looked for.
type portLine struct {
	mu    sync.Mutex
	text  []byte // the beginning, for as long as there is no port
	done  bool
	found chan string
}

var portPattern = regexp.MustCompile(`(?m)(?:^listening |"event":"listen",.*"port":)(\d+)[^\d]`)

func (l *portLine) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done || len(l.text) > 64<<10 {
		return len(b), nil
	}
	l.text = append(l.text, b...)
	if m := portPattern.FindSubmatch(l.text); m != nil {
		l.done = true
		l.found <- string(m[1])
	}
	return len(b), nil
}

func (l *portLine) head() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}
