package module

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/build/wasmbuild"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// barrier lets queries go on only when n of them wait.
func barrier(n int) func(context.Context, []query.Statement) error {
	var mu sync.Mutex
	waiting, open := 0, make(chan struct{})
	return func(ctx context.Context, _ []query.Statement) error {
		mu.Lock()
		if waiting++; waiting == n {
			close(open)
		}
		mu.Unlock()
		select {
		case <-open:
			return nil
		case <-time.After(20 * time.Second):
			return errors.New("the others never came")
		}
	}
}

// 200 requests are parked in one instance at the same time; each gets its own answer.
func TestManyInOneInstance(t *testing.T) {
	const n = 200
	s := newSite(t)
	keys := users(t, s, n)
	e := startWASM(t, wasmbuild.Djedge(), Config{Instances: 1, InFlight: n})
	s.before = barrier(n)
	var wg sync.WaitGroup
	for i, key := range keys {
		wg.Go(func() {
			result := e.Do(t.Context(), &abi.Op{Kind: abi.OpCheck, Request: request("GET", key), Require: gate.Authenticated}, s)
			wantUser(t, result, i)
		})
	}
	wg.Wait()
	wantWhole(t, e)
}

// A client that goes away leaves nothing behind: more of them than the module
// can park do not fill it.
func TestCancel(t *testing.T) {
	s := newSite(t)
	key := users(t, s, 1)[0]
	e := startWASM(t, wasmbuild.Djedge(), Config{Instances: 1})
	op := &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("GET", key)}
	s.before = func(ctx context.Context, _ []query.Statement) error { <-ctx.Done(); return ctx.Err() }
	for range step.MaxParked + 100 {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Microsecond, cancel)
		if got := e.Do(ctx, op, s); got.Decision.Outcome != gate.Error {
			t.Fatalf("a cancelled check answers %+v", got.Decision)
		}
	}
	s.before = nil
	wantUser(t, e.Do(t.Context(), op, s), 0)
	wantWhole(t, e)
}

// A host whose database panics keeps its engine.
func TestPanicInEffects(t *testing.T) {
	s := newSite(t)
	key := users(t, s, 1)[0]
	e := startWASM(t, wasmbuild.Djedge(), Config{Instances: 1, InFlight: 1})
	op := &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("GET", key)}
	s.before = func(context.Context, []query.Statement) error { panic("driver") }
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		e.Do(t.Context(), op, s)
	}()
	s.before = nil
	wantUser(t, e.Do(t.Context(), op, s), 0)
	wantWhole(t, e)
}

func TestBusy(t *testing.T) {
	s := newSite(t)
	key := users(t, s, 1)[0]
	e := startWASM(t, wasmbuild.Djedge(), Config{Instances: 1, InFlight: 1, QueueTimeout: 20 * time.Millisecond})
	op := &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("GET", key)}
	here, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.before = func(context.Context, []query.Statement) error {
		once.Do(func() { close(here) })
		<-goOn
		return nil
	}
	var wg sync.WaitGroup
	wg.Go(func() { wantUser(t, e.Do(t.Context(), op, s), 0) })
	<-here
	wantFailure(t, e.Do(t.Context(), op, s), gate.ReasonBusy)
	// Another lane has its own places.
	if got := e.Do(t.Context(), &abi.Op{Kind: abi.OpVerifyPassword, Encoded: "x", Password: "y"}, s); got.Decision.Reason == gate.ReasonBusy {
		t.Error("reads keep passwords waiting")
	}
	close(goOn)
	wg.Wait()
	wantWhole(t, e)
}

// Close waits for what runs, and later operations are refused.
func TestCloseWaits(t *testing.T) {
	s := newSite(t)
	key := users(t, s, 1)[0]
	e := startWASM(t, wasmbuild.Djedge(), Config{})
	op := &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("GET", key)}
	here := make(chan struct{})
	var once sync.Once
	s.before = func(context.Context, []query.Statement) error {
		once.Do(func() { close(here) })
		time.Sleep(50 * time.Millisecond)
		return nil
	}
	var wg sync.WaitGroup
	wg.Go(func() { wantUser(t, e.Do(t.Context(), op, s), 0) })
	<-here
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
	wg.Wait()
	wantFailure(t, e.Do(t.Context(), op, s), gate.ReasonInternal)
}

// Instances are replaced by age, by requests and by size, and after a hash
// that took much memory.
func TestRecycle(t *testing.T) {
	s := newSite(t)
	s.decline = true
	key := users(t, s, 1)[0]
	op := &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("GET", key)}
	for name, config := range map[string]Config{
		"requests": {MaxRequests: 1},
		"age":      {MaxAge: 1},
		"memory":   {MaxMemoryMiB: 1},
	} {
		t.Run(name, func(t *testing.T) {
			config.Instances = 1
			e := startWASM(t, wasmbuild.Djedge(), config)
			for range 5 {
				wantUser(t, e.Do(t.Context(), op, s), 0)
				if n := len(e.reads.open); n != 0 {
					t.Errorf("%d worn instances are kept", n)
				}
			}
			wantWhole(t, e)
		})
	}
	t.Run("argon2", func(t *testing.T) {
		e := startWASM(t, wasmbuild.Djedge(), Config{}, abi.Setting{Name: "password_hashers", Value: "argon2"}, abi.Setting{Name: "password_hashers", Value: "pbkdf2_sha256"})
		made := e.Do(t.Context(), &abi.Op{Kind: abi.OpMakePassword, Password: "secret", Hasher: "pbkdf2_sha256"}, s)
		if made.Decision.Outcome != gate.Allow || len(e.hash.open) != 1 {
			t.Fatalf("%+v, %d instances", made.Decision, len(e.hash.open))
		}
		made = e.Do(t.Context(), &abi.Op{Kind: abi.OpMakePassword, Password: "secret"}, s)
		if made.Decision.Outcome != gate.Allow || len(e.hash.open) != 0 {
			t.Fatalf("%+v, %d instances", made.Decision, len(e.hash.open))
		}
		ok, err := verifyNatively(made.Text, "secret")
		if !ok || err != nil {
			t.Errorf("%q: %v, %v", made.Text, ok, err)
		}
		wantWhole(t, e)
	})
}

func verifyNatively(encoded, secret string) (bool, error) {
	h, err := password.New(password.Config{Hashers: []string{"argon2"}})
	if err != nil {
		return false, err
	}
	return h.Verify(context.Background(), &site{}, secret, encoded)
}
