package step_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// TestMachineAgrees: frames and coroutines change nothing, whether the host
// hashes or the rules do.
func TestMachineAgrees(t *testing.T) {
	r := rules(t)
	want := live(t, newHost(t), natively(r))
	for _, decline := range []bool{false, true} {
		g, h := newGuest(t, r), newHost(t)
		h.decline = decline
		got := live(t, h, g.do)
		for i := range got {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Errorf("%s, declined %t:\n got %+v\nwant %+v", visit[i].name, decline, got[i], want[i])
			}
		}
		if n := g.machine.Parked(); n != 0 {
			t.Errorf("%d operations are still parked", n)
		}
	}
}

// TestShorthandAgrees: a result that is told in few bytes is the same, and
// nobody but the machine tells it so.
func TestShorthandAgrees(t *testing.T) {
	want := live(t, newHost(t), natively(rules(t)))
	r := rules(t, abi.Setting{Name: "shorthand", Value: "true"})
	g := newGuest(t, r)
	for name, do := range map[string]func(*host, *abi.Op) *abi.Result{"machine": g.do, "native": natively(r)} {
		got := live(t, newHost(t), do)
		for i := range got {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Errorf("%s, %s:\n got %+v\nwant %+v", name, visit[i].name, got[i], want[i])
			}
		}
	}
	if g.short != 1 {
		t.Errorf("%d results were told in few bytes, not just that of the check whose hint is right", g.short)
	}
	naive := rules(t, abi.Setting{Name: "shorthand", Value: "true"}, abi.Setting{Name: "use_tz", Value: "false"}, abi.Setting{Name: "time_zone", Value: "3600"})
	if naive.Shorthand() != nil {
		t.Error("the host would have to know the site's zone")
	}
}

// TestShorthandIsChecked: what fits no row that was sent is no result.
func TestShorthandIsChecked(t *testing.T) {
	r := rules(t, abi.Setting{Name: "shorthand", Value: "true"})
	columns := r.Columns()
	row := make([]query.Value, len(columns))
	row[0] = query.Int(7)
	good := query.Result{Rows: [][]query.Value{row}}
	for name, c := range map[string]struct {
		at      int
		results []query.Result
		ok      bool
	}{
		"a row":         {1, []query.Result{{}, good}, true},
		"no results":    {0, nil, false},
		"another place": {2, []query.Result{{}, good}, false},
		"no row":        {0, []query.Result{{}, good}, false},
		"two rows":      {0, []query.Result{{Rows: [][]query.Value{row, row}}}, false},
		"a short row":   {0, []query.Result{{Rows: [][]query.Value{row[1:]}}}, false},
		"no id":         {0, []query.Result{{Rows: [][]query.Value{make([]query.Value, len(columns))}}}, false},
	} {
		result, err := r.Shorthand().Result(&abi.Allowed{Result: c.at, SessionKey: "k"}, columns, c.results)
		if (err == nil) != c.ok || (result != nil) != c.ok {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
	}
}

// TestInterleaved runs hundreds of logins of different users on one machine,
// every step of a random one, and looks whether each gets its own.
func TestInterleaved(t *testing.T) {
	r := rules(t)
	g, h := newGuest(t, r), newHost(t)
	random := rand.New(rand.NewPCG(1, 2))
	type visitor struct {
		reply
		name string
	}
	var waiting []visitor
	const users = 300
	started, done := 0, 0
	for done < users {
		if started < users && (len(waiting) == 0 || random.IntN(2) == 0) {
			name := fmt.Sprintf("user%03d", started)
			started++
			waiting = append(waiting, visitor{name: name, reply: g.begin(&abi.Op{
				Kind: abi.OpRegister, Username: name, Password: "pw " + name, Request: request(""),
			})})
			continue
		}
		i := random.IntN(len(waiting))
		q := &waiting[i]
		if q.result == nil {
			text := fmt.Sprintf("%+v", q.effect)
			for _, other := range waiting {
				if other.name != q.name && strings.Contains(text, other.name) {
					t.Fatalf("an effect of %s has something of %s", q.name, other.name)
				}
			}
			q.reply = g.resume(q.handle, h.answer(q.effect))
			continue
		}
		if who := q.result.Decision.Identity; who == nil || who.Name != q.name {
			t.Fatalf("%s got %+v", q.name, q.result.Decision)
		}
		waiting = append(waiting[:i], waiting[i+1:]...)
		done++
	}
	if n := g.machine.Parked(); n != 0 {
		t.Errorf("%d operations are still parked", n)
	}
}

// TestCancelAtEveryEffect: a cancelled operation leaves no trace, and its
// handle means nothing any more.
func TestCancelAtEveryEffect(t *testing.T) {
	r := rules(t)
	g := newGuest(t, r)
	for at := 0; ; at++ {
		h := newHost(t)
		h.decline = true
		op := &abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "lake", Request: request("")}
		reply := g.begin(op)
		for range at {
			if reply.result == nil {
				reply = g.resume(reply.handle, h.answer(reply.effect))
			}
		}
		if reply.result != nil {
			if at < 4 || reply.result.Decision.Outcome != gate.Allow {
				t.Fatalf("after %d effects: %+v", at, reply.result.Decision)
			}
			return
		}
		g.machine.Cancel(reply.handle)
		g.machine.Cancel(reply.handle)
		if n := g.machine.Parked(); n != 0 {
			t.Fatalf("%d operations are still parked", n)
		}
		if late := g.resume(reply.handle, h.answer(reply.effect)); late.result == nil || late.result.Decision.Outcome != gate.Error {
			t.Fatalf("a cancelled operation goes on: %+v", late)
		}
		if got := g.do(newHost(t), op); got.Decision.Outcome != gate.Allow {
			t.Fatalf("the next operation: %+v", got.Decision)
		}
	}
}

// TestOldHandles: a handle of an earlier operation never reaches a later one
// in the same place.
func TestOldHandles(t *testing.T) {
	g := newGuest(t, rules(t))
	check := &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request(strings.Repeat("a", 32))}
	first := g.begin(check)
	g.machine.Cancel(first.handle)
	second := g.begin(check)
	if first.handle == second.handle {
		t.Fatal("one handle for two operations")
	}
	if late := g.resume(first.handle, abi.Answer{Kind: abi.AnswerResults}); late.result == nil || g.machine.Parked() != 1 {
		t.Fatal("the late answer reached the second operation")
	}
	for _, handle := range []uint32{0, 1, 1 << 31, second.handle + 1, ^uint32(0)} {
		if r := g.resume(handle, abi.Answer{Kind: abi.AnswerOK}); r.result == nil || r.result.Decision.Outcome != gate.Error {
			t.Errorf("handle %d: %+v", handle, r)
		}
		g.machine.Cancel(handle)
	}
	if g.machine.Parked() != 1 {
		t.Error("the second operation is gone")
	}
}

func TestBusy(t *testing.T) {
	g := newGuest(t, rules(t))
	check := &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request(strings.Repeat("a", 32))}
	var last reply
	for range step.MaxParked {
		if last = g.begin(check); last.result != nil {
			t.Fatalf("%+v", last.result.Decision)
		}
	}
	got := g.begin(check)
	if got.result == nil || got.result.Decision.Reason != gate.ReasonBusy || got.result.Decision.Status != 503 {
		t.Fatalf("%+v", got)
	}
	g.machine.Cancel(last.handle)
	if got := g.begin(check); got.result != nil {
		t.Fatalf("%+v", got.result.Decision)
	}
}

// TestGarbage: no frame gets anybody in, or leaves anything behind.
func TestGarbage(t *testing.T) {
	g, h := newGuest(t, rules(t)), newHost(t)
	check := &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request(strings.Repeat("a", 32))}
	begin := abi.AppendBegin(nil, &abi.Start{Now: now}, check)
	for n := range begin {
		if r := g.read(g.machine.Begin(nil, begin[:n])); r.result == nil || r.result.Decision.Outcome != gate.Error {
			t.Fatalf("%d bytes: %+v", n, r)
		}
	}
	if r := g.read(g.machine.Begin(nil, abi.AppendBegin(nil, &abi.Start{}, check))); r.result == nil || r.result.Decision.Outcome != gate.Error {
		t.Errorf("without a clock: %+v", r)
	}
	start := &abi.Start{Now: now}
	for name, frame := range map[string][]byte{
		"nothing":     nil,
		"begin":       begin,
		"no answers":  abi.AppendResume(nil, start),
		"two answers": abi.AppendResume(nil, start, abi.Answer{Kind: abi.AnswerResults}, abi.Answer{Kind: abi.AnswerResults}),
		"no clock":    abi.AppendResume(nil, &abi.Start{}, h.answer(g.begin(check).effect)),
		"wrong kind":  abi.AppendResume(nil, start, abi.Answer{Kind: abi.AnswerOK}),
		"no results":  abi.AppendResume(nil, start, abi.Answer{Kind: abi.AnswerResults}),
	} {
		r := g.read(g.machine.Resume(nil, g.begin(check).handle, frame))
		if r.result == nil || r.result.Decision.Outcome != gate.Error || r.result.Decision.Status != 503 {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if n := g.machine.Parked(); n != 1 { // the one that "no clock" began
		t.Errorf("%d operations are parked", n)
	}
}

// TestGivenRandomness is used before more is asked for, and never twice.
func TestGivenRandomness(t *testing.T) {
	g, h := newGuest(t, rules(t)), newHost(t)
	given := make([]byte, 4096)
	for i := range given {
		given[i] = byte(i*7 + i/256)
	}
	names := map[string]bool{}
	for _, random := range [][]byte{nil, given, given[2048:]} {
		asked := 0
		frame := g.machine.Begin(nil, abi.AppendBegin(nil, &abi.Start{Now: now, Random: random},
			&abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "lake", Request: request("")}))
		r := g.read(frame)
		for r.result == nil {
			if r.effect.Kind == abi.EffectRandom {
				asked++
			}
			r = g.resume(r.handle, h.answer(r.effect))
		}
		if (asked == 0) != (random != nil) {
			t.Errorf("asked %d times with %d bytes given", asked, len(random))
		}
		if r.result.Decision.Outcome != gate.Allow || names[r.result.SessionKey] {
			t.Errorf("%+v", r.result)
		}
		names[r.result.SessionKey] = true
	}
}

// TestNothingIsKept: a canary in every field of an operation is gone from the
// machine once that is done or cancelled.
func TestNothingIsKept(t *testing.T) {
	const canary = "canary-Zq3"
	g, h := newGuest(t, rules(t)), newHost(t)
	for _, kind := range []abi.OpKind{abi.OpLogin, abi.OpRegister, abi.OpAuthenticate, abi.OpEval, abi.OpSaveUser} {
		op := &abi.Op{
			Kind: kind, Username: canary, Password: canary, Email: canary + "@example.com", UserID: "1", Encoded: canary, Hasher: canary,
			Function: canary, Arguments: canary, Request: request(strings.Repeat("a", 32)), Fields: []abi.Field{{Column: canary}},
		}
		op.Request.URI = canary
		g.do(h, op)
		if r := g.begin(op); r.result == nil {
			g.machine.Cancel(r.handle)
		}
		if dump := fmt.Sprintf("%+v", dig(reflect.ValueOf(g.machine), 0)); strings.Contains(dump, canary) {
			t.Errorf("operation %d is still in the machine", kind)
		}
	}
	clean := &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("")}
	out := g.machine.Begin(nil, abi.AppendBegin(nil, &abi.Start{Now: now}, clean))
	if bytes.Contains(out, []byte(canary)) {
		t.Error("the next operation got something of an earlier one")
	}
}

// dig collects every string and byte that v reaches, but not the functions.
func dig(v reflect.Value, depth int) []string {
	if depth > 30 {
		return nil
	}
	var found []string
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() && !strings.Contains(v.Type().String(), "step.Rules") {
			found = dig(v.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			found = append(found, dig(v.Field(i), depth+1)...)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			return []string{string(v.Bytes())}
		}
		for i := range v.Len() {
			found = append(found, dig(v.Index(i), depth+1)...)
		}
	case reflect.String:
		found = append(found, v.String())
	}
	return found
}

func TestClose(t *testing.T) {
	r := rules(t)
	m := step.NewMachine(r)
	frame := abi.AppendBegin(nil, &abi.Start{Now: now}, &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request(strings.Repeat("a", 32))})
	for range 100 {
		m.Begin(nil, frame)
	}
	m.Close()
	if m.Parked() != 0 {
		t.Errorf("%d operations are parked", m.Parked())
	}
}

func FuzzMachine(f *testing.F) {
	start := &abi.Start{Now: now}
	for kind := abi.OpCheck; kind <= abi.OpEval; kind++ {
		f.Add(abi.AppendBegin(nil, start, &abi.Op{Kind: kind, Username: "ann", Password: "lake", Request: request(strings.Repeat("a", 32))}),
			abi.AppendResume(nil, start, abi.Answer{Kind: abi.AnswerResults}))
	}
	r := rules(f)
	f.Fuzz(func(t *testing.T, begin, resume []byte) {
		g := newGuest(t, r)
		reply := g.read(g.machine.Begin(nil, begin))
		for n := 0; reply.result == nil && n < 10; n++ {
			reply = g.read(g.machine.Resume(nil, reply.handle, resume))
		}
		if reply.result != nil && reply.result.User != nil {
			t.Errorf("somebody got in: %+v", reply.result)
		}
	})
}
