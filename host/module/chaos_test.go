package module

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/djedge/djedge/build/wasmbuild"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// The ways in which the guest of the tag chaos breaks itself.
const (
	chaosPanic = iota + 1
	chaosSpin
	chaosMemory
	chaosStack
	chaosScribble
)

// quick ends a spinning guest after some milliseconds.
const quick = 20 * time.Millisecond

// wreck makes an instance break itself, as a request in it would.
func wreck(t testing.TB, in *instance, kind uint64) {
	in.turn <- struct{}{}
	defer in.leave()
	if in.ready() != nil {
		return
	}
	err := in.call(in.module.ExportedFunction("djedge_chaos"), []uint64{kind})
	if err != nil {
		_ = in.lose(err)
	} else if kind != chaosScribble {
		t.Errorf("chaos %d did no harm", kind)
	}
}

func (l *lane) instancesNow() []*instance {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*instance(nil), l.open...)
}

// While requests run, instances trap, spin, eat their memory, recurse and
// forget their state. Every request is answered rightly, and afterwards the
// pool is whole.
func TestChaos(t *testing.T) {
	const n = 50
	s := newSite(t)
	keys := users(t, s, n)
	e := startWASM(t, wasmbuild.Chaos(), Config{Instances: 2, Timeout: quick, MemoryMiB: 16, MaxMemoryMiB: 16, QueueTimeout: 20 * time.Second})
	var answered atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i, key := range keys {
		wg.Go(func() {
			op := &abi.Op{Kind: abi.OpCheck, Request: request("GET", key), Require: gate.Authenticated}
			for {
				select {
				case <-stop:
					return
				default:
				}
				result := e.Do(t.Context(), op, s)
				wantUser(t, result, i)
				answered.Add(1)
			}
		})
	}
	for range 4 {
		for kind := uint64(chaosPanic); kind <= chaosStack; kind++ {
			for _, in := range e.reads.instancesNow() {
				wreck(t, in, kind)
			}
			for seen := answered.Load(); answered.Load() < seen+n && !t.Failed(); {
				time.Sleep(time.Millisecond)
			}
		}
	}
	close(stop)
	wg.Wait()
	wantWhole(t, e)
	for i, key := range keys {
		wantUser(t, e.Do(t.Context(), &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("GET", key)}, s), i)
	}
	t.Logf("%d requests answered", answered.Load())
}

// A guest that forgets its state answers that it cannot decide; nobody is let in.
func TestChaosScribble(t *testing.T) {
	s := newSite(t)
	key := users(t, s, 1)[0]
	e := startWASM(t, wasmbuild.Chaos(), Config{Instances: 1})
	op := &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("GET", key)}
	wantUser(t, e.Do(t.Context(), op, s), 0)
	wreck(t, e.reads.instancesNow()[0], chaosScribble)
	wantFailure(t, e.Do(t.Context(), op, s), gate.ReasonInternal)
}

// The instance of a writing operation breaks before, at and after each of its
// statements. Until something was written the operation is done again; from
// then on it is an error, and no statement that writes is sent twice.
func TestChaosInWrites(t *testing.T) {
	for _, kind := range []uint64{chaosPanic, chaosMemory} {
		for at := 1; at <= 8; at++ {
			s := newSite(t)
			users(t, s, 1)
			e := startWASM(t, wasmbuild.Chaos(), Config{Instances: 1, HashTimeout: quick, HashMemoryMiB: 32})
			round, wrote := 0, false
			sent := map[string]int{}
			s.before = func(_ context.Context, statements []query.Statement) error {
				round++
				for i := range statements {
					if !selects(statements[i].SQL) {
						wrote = true
						sent[statements[i].Name]++
					}
				}
				if round == at {
					wreck(t, e.hash.instancesNow()[0], kind)
				}
				return nil
			}
			result := e.Do(t.Context(), &abi.Op{Kind: abi.OpLogin, Request: request("POST", ""), Username: "user0", Password: "pw of user0"}, s)
			wreckedAfterWrite := round == at && wrote
			switch {
			case wreckedAfterWrite:
				wantFailure(t, result, gate.ReasonInternal)
			case result.Decision.Outcome != gate.Allow:
				t.Errorf("wrecked at %d: %+v", at, result.Decision)
			}
			for name, times := range sent {
				if times > 1 {
					t.Errorf("wrecked at %d: %s was sent %d times", at, name, times)
				}
			}
			wantWhole(t, e)
			if round < at {
				return // the operation has no more statements
			}
		}
	}
}

// What a request brought is in no instance that serves after the trap of its own.
func TestCanary(t *testing.T) {
	const canary = "canary-8c1f0d"
	s := newSite(t)
	keys := users(t, s, 2)
	e := startWASM(t, wasmbuild.Chaos(), Config{Instances: 1, Timeout: quick})
	r := request("GET", keys[0])
	r.URI = "/" + strings.Repeat(canary, 100)
	first := true
	s.before = func(context.Context, []query.Statement) error {
		if first {
			first = false
			in := e.reads.instancesNow()[0]
			if !contains(in, canary) {
				t.Error("the canary was never there: this test shows nothing")
			}
			wreck(t, in, chaosPanic)
			return errors.New("no answer for this one")
		}
		return nil
	}
	_ = e.Do(t.Context(), &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: r}, s)
	// The retry alone may have left the URI in its own instance; nobody else's.
	for _, in := range e.alone.instancesNow() {
		wreck(t, in, chaosPanic)
	}
	for range 3 {
		result := e.Do(t.Context(), &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("GET", keys[1])}, s)
		wantUser(t, result, 1)
	}
	for _, l := range e.lanes() {
		for _, in := range l.instancesNow() {
			if contains(in, canary) {
				t.Errorf("lane %s: a new instance holds bytes of a request in a lost one", l.name)
			}
		}
	}
	wantWhole(t, e)
}

func contains(in *instance, text string) bool {
	in.turn <- struct{}{}
	defer in.leave()
	if in.memory == nil {
		return false
	}
	memory, _ := in.memory.Read(0, in.memory.Size())
	return bytes.Contains(memory, []byte(text))
}
