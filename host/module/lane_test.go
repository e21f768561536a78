package module

import (
	"fmt"
	"strings"
	"testing"

	"github.com/djedge/djedge/build/wasmbuild"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// The requests of one session meet in one instance as long as that is not
// overloaded, wherever in the Cookie header the session is.
func TestAffinity(t *testing.T) {
	e := startFake(t, honest(), Config{Instances: 3, InFlight: 100})
	l := e.reads
	var busy []*instance
	for range 3 { // open all
		in, _ := l.pick(0)
		busy = append(busy, in)
	}
	for _, in := range busy {
		l.settle(in)
	}
	if n := len(l.instancesNow()); n != 3 {
		t.Fatalf("%d instances", n)
	}
	met := map[*instance]int{}
	for i := range 60 {
		key := fmt.Sprintf("session%d", i)
		plain := e.affinity(&abi.Op{Request: request("GET", key)})
		other := &abi.Op{Request: gate.Request{Headers: []gate.Header{{Name: "Accept", Value: "*/*"}, {Name: "cookie", Value: "a=b; sessionid=" + key + "; c=d"}}}}
		if plain == 0 || e.affinity(other) != plain {
			t.Fatal("one session, two places")
		}
		var first *instance
		for range overload {
			in, _ := l.pick(plain)
			if first == nil {
				first = in
			}
			if in != first {
				t.Fatal("the requests of a session are in two instances")
			}
		}
		in, _ := l.pick(plain)
		if again, _ := l.pick(plain); again == first || in != first {
			t.Error("an instance is overloaded while others are idle")
		} else {
			l.settle(again)
		}
		for range overload + 1 {
			l.settle(first)
		}
		met[first]++
	}
	for in, n := range met {
		if n < 5 || len(met) != 3 {
			t.Errorf("instance %p has %d of 60 sessions, of %d instances", in, n, len(met))
		}
	}
	if e.affinity(&abi.Op{Request: request("GET", "")}) != 0 {
		t.Error("nobody's requests belong together")
	}
}

// Large sessions, however many, leave the writing operations their room.
func TestLargeLeavesWritesAlone(t *testing.T) {
	s := newSite(t)
	key := users(t, s, 1)[0]
	e := startWASM(t, wasmbuild.Djedge(), Config{Instances: 1})
	in, _ := e.large.pick(0) // busy with a large session
	e.large.places <- struct{}{}
	large := request("GET", key)
	large.Headers = append(large.Headers, gate.Header{Name: "X-Large", Value: strings.Repeat("x", maxShared)})
	e.large.wait = 1
	wantFailure(t, e.Do(t.Context(), &abi.Op{Kind: abi.OpCheck, Request: large, Require: gate.Authenticated}, s), gate.ReasonBusy)
	if d := e.Do(t.Context(), &abi.Op{Kind: abi.OpLogout, Request: request("POST", key)}, s).Decision; d.Outcome != gate.Allow {
		t.Errorf("a logout waits for large sessions: %+v", d)
	}
	e.large.release(in)
}
