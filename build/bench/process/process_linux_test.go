package process

import (
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A child's CPU is that of the tree, while it runs and after it has ended, and not that of the process's own clock.
func TestCostOfChildren(t *testing.T) {
	p, err := Start("sh", t.TempDir(), exec.Command("sh", "-c", "(i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done); sleep 60"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop(syscall.SIGKILL)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		cost, err := Tree(p.PID)
		if err != nil {
			t.Fatal(err)
		}
		if cost.CPU >= 50*time.Millisecond {
			if cost.Memory == 0 {
				t.Error("it uses no memory")
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the child's CPU is not seen: %+v", cost)
		}
	}
	own, err := Clock(p.PID)
	if err != nil || own <= 0 {
		t.Errorf("own clock: %v %v", own, err)
	}
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	p, err := Start("sleep", t.TempDir(), exec.Command("sleep", "60"))
	if err != nil {
		t.Fatal(err)
	}
	var g Group
	g.Add(p)
	g.Stop()
	if _, err := Tree(p.PID); err == nil {
		t.Error("it is still there")
	}
	if err := p.Await("127.0.0.1:1"); err == nil {
		t.Error("it answers")
	}
}
