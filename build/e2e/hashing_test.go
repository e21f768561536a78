package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Passwords are hashed in a process beside djedge, which holds nothing of its
// environment, may die, and ends with it.
func TestHashingProcess(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("processes are looked for in /proc")
	}
	s := startSite(t, "sqlite", current, settings{}, edgeOptions{engine: "native"})
	u := s.newUser()
	parent := s.edge.cmd.Process.Pid
	if first := children(parent); len(first) != 0 {
		t.Errorf("processes %v before the first password", first)
	}
	s.visitor().loginAtEdge(u)
	beside := children(parent)
	if len(beside) != 1 {
		t.Fatalf("processes %v after a password, want one", beside)
	}
	environment, err := os.ReadFile("/proc/" + strconv.Itoa(beside[0]) + "/environ")
	if err != nil || string(bytes.Trim(environment, "\x00")) != "GOTRACEBACK=none" {
		t.Errorf("its environment is %q, %v", environment, err)
	}
	if err := syscall.Kill(beside[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	gone(t, beside[0])
	s.visitor().loginAtEdge(u)
	again := children(parent)
	if len(again) != 1 || again[0] == beside[0] {
		t.Fatalf("processes %v after its death, want another", again)
	}
	if err := syscall.Kill(again[0], syscall.SIGTERM); err != nil { // such as from a terminal
		t.Fatal(err)
	}
	s.visitor().loginAtEdge(u)
	if now := children(parent); len(now) != 1 || now[0] != again[0] {
		t.Errorf("processes %v, want %v still", now, again)
	}
	s.edge.kill()
	gone(t, again[0])
}

// children are the pids whose parent is pid.
func children(pid int) (found []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil { // it has ended
			continue
		}
		_, rest, _ := bytes.Cut(stat, []byte(") "))
		if fields := bytes.Fields(rest); len(fields) > 1 && string(fields[1]) == strconv.Itoa(pid) && string(fields[0]) != "Z" {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			found = append(found, child)
		}
	}
	return found
}

func gone(t *testing.T, pid int) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || bytes.Contains(stat, []byte(") Z ")) {
			return
		}
		if time.Since(start) > 10*time.Second {
			t.Fatalf("process %d is still there", pid)
		}
	}
}
