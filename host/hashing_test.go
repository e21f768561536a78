package host

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
)

func pbkdf2(iterations uint32) password.Params {
	return password.Params{Function: password.PBKDF2SHA256, Iterations: iterations, KeyLen: 32}
}

// forever is more than a test waits for.
var forever = pbkdf2(1<<32 - 1)

func newTestHashing(t *testing.T, concurrency int, wait time.Duration) *hashing {
	h := newHashing(concurrency, 0, wait)
	t.Cleanup(h.threads.close)
	return h
}

// Whatever shares a thread with whatever else, each gets its own key.
func TestHashingThreads(t *testing.T) {
	h := newTestHashing(t, 2, time.Minute)
	var group sync.WaitGroup
	for i := range 24 {
		p := pbkdf2(uint32(1 + i*4001))
		switch i % 4 {
		case 1:
			p.Function, p.KeyLen = password.PBKDF2SHA1, 20
		case 3:
			p = password.Params{Function: password.Argon2id, Iterations: 1, Memory: 64, Parallelism: 2, Version: 0x13, KeyLen: 16}
		}
		secret, salt := []byte(strings.Repeat("secret", i)), []byte{1, 2, 3, 4, 5, 6, 7, byte(i)}
		group.Go(func() {
			key, err := h.derive(t.Context(), p, secret, salt)
			want, _ := password.Derive(t.Context(), nil, p, secret, salt)
			if err != nil || !bytes.Equal(key, want) {
				t.Errorf("%d: %x, %v; want %x", i, key, err, want)
			}
		})
	}
	group.Wait()
}

// One thread runs two passwords at once, and a third waits for a turn.
func TestHashingPairs(t *testing.T) {
	h := newTestHashing(t, 1, 50*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			if _, err := h.derive(ctx, forever, nil, nil); err == nil {
				t.Error("an endless hashing has ended")
			}
		})
	}
	for h.running.TryAcquire(1) { // until both have their turn
		h.running.Release(1)
		runtime.Gosched()
	}
	_, err := h.derive(t.Context(), pbkdf2(1), nil, nil)
	var denied *gate.Denied
	if !errors.As(err, &denied) || denied.Reason != gate.ReasonBusy {
		t.Errorf("a third: %v, want busy", err)
	}
	cancel()
	group.Wait()
	// The turns of those that were abandoned come back.
	h.wait = time.Minute
	if key, err := h.derive(t.Context(), pbkdf2(1), nil, nil); err != nil || len(key) != 32 {
		t.Errorf("afterwards: %x, %v", key, err)
	}
}

func TestHashingRefuses(t *testing.T) {
	h := newTestHashing(t, 1, time.Minute)
	if _, err := h.derive(t.Context(), pbkdf2(0), nil, nil); err == nil {
		t.Error("0 iterations were run")
	}
	h.threads.close()
	h.threads.close()
	if _, err := h.derive(t.Context(), pbkdf2(1), nil, nil); err == nil {
		t.Error("a closed host has hashed")
	}
}

// The threads that hash have the lowest priority, and end with the host.
func TestHashingPriority(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has a priority for each thread")
	}
	others := lowThreads(t)
	h := newTestHashing(t, 3, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() { _, _ = h.derive(ctx, forever, nil, nil) })
	}
	ours := map[string]bool{}
	for start := time.Now(); len(ours) < 3; time.Sleep(time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("%d threads of low priority, want 3", len(ours))
		}
		ours = lowThreads(t)
		maps.DeleteFunc(ours, func(id string, _ bool) bool { return others[id] })
	}
	cancel()
	group.Wait()
	h.threads.close()
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		left := lowThreads(t)
		maps.DeleteFunc(left, func(id string, _ bool) bool { return !ours[id] })
		if len(left) == 0 {
			break
		}
		if time.Since(start) > 10*time.Second {
			t.Fatalf("%d threads of low priority are left", len(left))
		}
	}
}

// lowThreads are the threads of this process whose nice value is 19.
func lowThreads(t *testing.T) map[string]bool {
	files, err := filepath.Glob("/proc/self/task/*/stat")
	if err != nil {
		t.Fatal(err)
	}
	low := map[string]bool{}
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil { // it has ended
			continue
		}
		// proc(5): nice is field 19, and the third one comes behind the name in parentheses.
		_, rest, _ := bytes.Cut(stat, []byte(") "))
		if fields := bytes.Fields(rest); string(fields[19-3]) == "19" {
			low[file] = true
		}
	}
	return low
}
