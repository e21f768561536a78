package hashing

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

	"github.com/djedge/djedge/djuser/password"
)

func pbkdf2(iterations uint32) password.Params {
	return password.Params{Function: password.PBKDF2SHA256, Iterations: iterations, KeyLen: 32}
}

// forever is more than a test waits for.
var forever = pbkdf2(1<<32 - 1)

type hasher interface {
	DeriveKey(ctx context.Context, p password.Params, secret, salt []byte) ([]byte, error)
	Close() error
}

// each runs a test with threads and with a process.
func each(t *testing.T, count int, test func(t *testing.T, h hasher)) {
	for name, h := range map[string]hasher{"threads": NewThreads(count), "process": testProcess(t, count)} {
		t.Run(name, func(t *testing.T) {
			defer h.Close()
			test(t, h)
		})
	}
}

// Whatever shares a thread with whatever else, each gets its own key.
func TestDeriveKey(t *testing.T) {
	each(t, 2, func(t *testing.T, h hasher) {
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
				key, err := h.DeriveKey(t.Context(), p, secret, salt)
				want, _ := password.Derive(t.Context(), nil, p, secret, salt)
				if err != nil || !bytes.Equal(key, want) {
					t.Errorf("%d: %x, %v; want %x", i, key, err, want)
				}
			})
		}
		group.Wait()
	})
}

// One thread runs two passwords at once, and is free when nobody waits for them.
func TestCancel(t *testing.T) {
	each(t, 1, func(t *testing.T, h hasher) {
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := h.DeriveKey(ctx, forever, nil, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("an endless hashing: %v", err)
			}
		})
		for range 10 {
			if key, err := h.DeriveKey(t.Context(), pbkdf2(1), nil, nil); err != nil || len(key) != 32 {
				t.Errorf("beside it: %x, %v", key, err)
			}
		}
		group.Go(func() { _, _ = h.DeriveKey(ctx, forever, nil, nil) })
		waiting := time.AfterFunc(50*time.Millisecond, cancel) // while a third waits for both
		defer waiting.Stop()
		if key, err := h.DeriveKey(t.Context(), pbkdf2(1), nil, nil); err != nil || len(key) != 32 {
			t.Errorf("afterwards: %x, %v", key, err)
		}
		group.Wait()
	})
}

func TestRefusals(t *testing.T) {
	each(t, 1, func(t *testing.T, h hasher) {
		if _, err := h.DeriveKey(t.Context(), pbkdf2(0), nil, nil); err == nil {
			t.Error("0 iterations were run")
		}
		if _, err := h.DeriveKey(t.Context(), password.Params{}, nil, nil); err == nil {
			t.Error("a function that is none was run")
		}
		if key, err := h.DeriveKey(t.Context(), pbkdf2(1), nil, nil); err != nil || len(key) != 32 {
			t.Errorf("behind a refusal: %x, %v", key, err)
		}
		for range 2 {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := h.DeriveKey(t.Context(), pbkdf2(1), nil, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// The threads that hash have the lowest priority, and end with the host.
func TestPriority(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has a priority for each thread")
	}
	others := lowThreads(t)
	h := NewThreads(3)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() { _, _ = h.DeriveKey(ctx, forever, nil, nil) })
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
	h.Close()
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
