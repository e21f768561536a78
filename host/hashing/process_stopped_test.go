//go:build unix

package hashing

import (
	"context"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A process that stands still holds up nobody for long, and not Close.
func TestProcessStopped(t *testing.T) {
	p := testProcess(t, 1)
	started := make(chan *exec.Cmd, 9)
	command := p.Command
	p.Command = func() *exec.Cmd { cmd := command(); started <- cmd; return cmd }
	one := pbkdf2(1)
	if _, err := p.DeriveKey(t.Context(), one, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := (<-started).Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for len(started) == 0 { // until its input is full
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, _ = p.DeriveKey(ctx, one, make([]byte, 16<<10), nil)
			cancel()
		}
		if _, err := p.DeriveKey(t.Context(), one, nil, nil); err != nil {
			t.Error(err)
		}
		_ = p.Close()
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("everybody waits for a process that was stopped")
	}
}
