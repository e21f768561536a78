package module

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/build/wasmbuild"
	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// Whoever waits for a turn in a shared instance does so until the deadline, or
// until the client has gone; the guest is not asked in either case.
func TestTurn(t *testing.T) {
	guest := honest()
	guest.begin = effects(t, one("look"))
	e := startFake(t, guest, Config{Instances: 1, QueueTimeout: 30 * time.Millisecond})
	in := e.reads.instancesNow()[0]
	asked := 0
	fx := stub{query: func(_ context.Context, statements []query.Statement) ([]query.Result, error) {
		asked++
		return make([]query.Result, len(statements)), nil
	}}
	in.turn <- struct{}{} // somebody is inside
	wantFailure(t, e.Do(t.Context(), check(), fx), gate.ReasonBusy)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	wantFailure(t, e.Do(ctx, check(), fx), gate.ReasonInternal)
	in.leave()
	wantFailure(t, e.Do(ctx, check(), fx), gate.ReasonInternal) // gone before
	if asked != 0 {
		t.Errorf("%d queries", asked)
	}

	// Busy in the middle: the parked operation is cancelled by whoever is inside.
	fx.query = func(_ context.Context, statements []query.Statement) ([]query.Result, error) {
		in.turn <- struct{}{}
		return make([]query.Result, len(statements)), nil
	}
	wantFailure(t, e.Do(t.Context(), check(), fx), gate.ReasonBusy)
	if !in.littered() {
		t.Error("the parked operation is forgotten")
	}
	in.leave()
	if in.littered() {
		t.Error("the parked operation is left behind")
	}
	wantWhole(t, e)
}

// An operation whose answers are large is done again in an instance of its
// own, and so is one that begins large. Nobody else is lost or kept waiting.
func TestLargeRunsAlone(t *testing.T) {
	s := newSite(t)
	keys := users(t, s, 2)
	e := startWASM(t, wasmbuild.Djedge(), Config{Instances: 1})
	shared := e.reads.instancesNow()[0]
	run := func(key string, header string) *abi.Result {
		r := request("GET", key)
		r.Headers = append(r.Headers, gate.Header{Name: "X-Large", Value: header})
		return e.Do(t.Context(), &abi.Op{Kind: abi.OpCheck, Request: r, Require: gate.Authenticated}, s)
	}
	wantUser(t, run(keys[0], ""), 0)
	if n := len(e.large.instancesNow()); n != 0 {
		t.Fatalf("a small check made %d instances", n)
	}
	wantUser(t, run(keys[0], strings.Repeat("x", maxShared)), 0)
	alone := e.large.instancesNow()
	if len(alone) != 1 || alone[0].served != 1 {
		t.Fatalf("a large request was not run alone: %d instances", len(alone))
	}

	// The row of another session is made large: padding that no rule reads.
	native := start(t, &native{}, settings())
	state := native.Do(t.Context(), &abi.Op{Kind: abi.OpSessionLoad, Request: request("GET", keys[1])}, s)
	rows := 0
	s.before = func(context.Context, []query.Statement) error { rows++; return nil }
	wantUser(t, run(keys[1], ""), 1)
	small := rows
	if state.Decision.Outcome != gate.Allow {
		t.Fatalf("%+v", state.Decision)
	}
	s.before = nil
	save := abi.Op{Kind: abi.OpSessionSave, Request: request("GET", keys[1]), Status: 200}
	save.Session.Resolved, save.Session.Loaded, save.Session.Accessed, save.Session.Modified = true, true, true, true
	save.Session.Key, save.Session.Items = keys[1], state.Session
	var cart strings.Builder
	for i := range 20_000 { // which compression cannot make small
		fmt.Fprintf(&cart, "%08x", uint32(i)*2654435761)
	}
	save.Session.Items = append(save.Session.Items, djsession.Item{Key: "cart", Raw: `"` + cart.String() + `"`})
	if saved := native.Do(t.Context(), &save, s); saved.Decision.Outcome != gate.Allow {
		t.Fatalf("%+v", saved.Decision)
	}
	rows = 0
	s.before = func(context.Context, []query.Statement) error { rows++; return nil }
	wantUser(t, run(keys[1], ""), 1)
	if alone[0].served != 2 || rows <= small {
		t.Errorf("a large session was not read again alone: %d requests there, %d queries", alone[0].served, rows)
	}
	if now := e.reads.instancesNow(); len(now) != 1 || now[0] != shared {
		t.Error("the shared instance was replaced")
	}
	wantWhole(t, e)
}

// With the host hashing, many logins wait in its queue at the same time.
func TestManyLogins(t *testing.T) {
	const n = 50
	s := newSite(t)
	users(t, s, n)
	e := startWASM(t, wasmbuild.Djedge(), Config{Instances: 1, HashInstances: 1, HostHashes: true})
	wait := barrier(n)
	var once sync.Map
	s.before = func(ctx context.Context, statements []query.Statement) error {
		if _, again := once.LoadOrStore(statements[0].Args[0].Text(), true); again {
			return nil
		}
		return wait(ctx, statements)
	}
	var wg sync.WaitGroup
	for i := range n {
		name := fmt.Sprintf("user%d", i)
		wg.Go(func() {
			result := e.Do(t.Context(), &abi.Op{Kind: abi.OpAuthenticate, Username: name, Password: "pw of " + name}, s)
			if result.Decision.Outcome != gate.Allow {
				t.Errorf("%s: %+v", name, result.Decision)
			}
		})
	}
	wg.Wait()
	if len(e.hash.instancesNow()) != 0 {
		t.Error("an instance for hashing was made")
	}
	// A host that declines after all: the guest hashes where few others do.
	s.before, s.decline = nil, true
	result := e.Do(t.Context(), &abi.Op{Kind: abi.OpAuthenticate, Username: "user1", Password: "pw of user1"}, s)
	if result.Decision.Outcome != gate.Allow || len(e.hash.instancesNow()) != 1 {
		t.Errorf("%+v, %d instances for hashing", result.Decision, len(e.hash.instancesNow()))
	}
	wantWhole(t, e)
}

// By default a password waits five seconds for its place, not one.
func TestPasswordQueue(t *testing.T) {
	c, err := Config{}.filled()
	if err != nil || c.HashQueueTimeout != 5*time.Second {
		t.Errorf("%v, %v", c.HashQueueTimeout, err)
	}
	e := startFake(t, honest(), Config{HashInstances: 1, QueueTimeout: time.Millisecond, HashQueueTimeout: 10 * time.Second})
	e.hash.places <- struct{}{}
	time.AfterFunc(50*time.Millisecond, func() { <-e.hash.places })
	if got := e.Do(t.Context(), &abi.Op{Kind: abi.OpVerifyPassword}, stub{}); got.Decision.Outcome != gate.Allow {
		t.Errorf("%+v", got.Decision)
	}
}

// Retired instances that still carry a request count: there are never more
// than twice as many as configured, and who finds none waits.
func TestRetiredCount(t *testing.T) {
	guest := honest()
	guest.begin = effects(t, one("look"))
	e := startFake(t, guest, Config{Instances: 1, InFlight: 10, MaxRequests: 1, QueueTimeout: 30 * time.Millisecond})
	l := e.reads
	first, err1 := l.acquire(t.Context(), 0)
	l.forget(first)
	second, err2 := l.acquire(t.Context(), 0)
	l.forget(second)
	if err := errors.Join(err1, err2); err != nil || first == second || l.alive != 2 {
		t.Fatalf("%v, %d instances", err, l.alive)
	}
	if _, err := l.acquire(t.Context(), 0); !errors.Is(err, errBusy) {
		t.Errorf("a third instance: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.acquire(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that has gone: %v", err)
	}
	l.wait = 10 * time.Second
	released := make(chan struct{})
	time.AfterFunc(20*time.Millisecond, func() { l.release(first); close(released) })
	third, err := l.acquire(t.Context(), 0)
	if err != nil || l.alive != 2 {
		t.Fatalf("after a release: %v, %d instances", err, l.alive)
	}
	l.release(second)
	l.release(third)
	<-released // it wakes others before it gives its place back
	wantWhole(t, e)
}

// The table is judged once, at the start.
func TestJudge(t *testing.T) {
	for text, want := range map[string]bool{
		`SELECT "a" FROM "t" WHERE "a" = ?`: true, "select 1": true, "SELECT 1; ": true, "SELECT\n1": true,
		"UPDATE t SET a = 1": false, "WITH x AS (DELETE FROM t RETURNING 1) SELECT 1": false, "": false, "(SELECT 1)": false,
		"SELECT * INTO t FROM u": false, "SELECT a FROM t into outfile '/x'": false, "SELECTED": false,
	} {
		reads, err := judge([]query.Statement{{Name: "s", SQL: text}})
		if err != nil || reads["s"] != want {
			t.Errorf("%q: %v, %v", text, reads["s"], err)
		}
	}
	guest := honest()
	guest.configured = abi.AppendConfigured(nil, &abi.Configured{Statements: []query.Statement{{Name: "look", SQL: "SELECT 1; DELETE FROM t"}}})
	if _, err := New(Config{WASM: guest.wasm()}).Configure(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "more than one") {
		t.Errorf("two statements in one: %v", err)
	}
}

// SQL that is not in the table comes with the saving of a user alone.
func TestAdHoc(t *testing.T) {
	guest := honest()
	guest.begin = effects(t, abi.Effect{Kind: abi.EffectQuery, Statements: []query.Statement{{Name: "x", SQL: "UPDATE t SET a = 1", AdHoc: true}}})
	e := startFake(t, guest, Config{Instances: 1})
	for kind, want := range map[abi.OpKind]bool{abi.OpSaveUser: true, abi.OpLogin: false, abi.OpLogout: false, abi.OpSessionFlush: false, abi.OpCheck: false} {
		asked := false
		fx := stub{query: func(context.Context, []query.Statement) ([]query.Result, error) {
			asked = true
			return make([]query.Result, 1), nil
		}}
		e.Do(t.Context(), &abi.Op{Kind: kind}, fx)
		if asked != want {
			t.Errorf("operation %d: sent %v", kind, asked)
		}
	}
}
