package abi_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// decode reads a frame of any kind and writes it again.
func decode(frame []byte) ([]byte, error) {
	switch abi.KindOf(frame) {
	case abi.FrameConfigure:
		settings, err := abi.DecodeConfigure(frame)
		return abi.AppendConfigure(nil, settings), err
	case abi.FrameConfigured:
		c, err := abi.DecodeConfigured(frame)
		if err != nil {
			return nil, err
		}
		return abi.AppendConfigured(nil, c), nil
	case abi.FrameBegin:
		var s abi.Start
		var o abi.Op
		err := abi.DecodeBegin(frame, &s, &o)
		return abi.AppendBegin(nil, &s, &o), err
	case abi.FrameEffects:
		h, list, err := abi.DecodeEffects(frame, table)
		if err != nil {
			return nil, err
		}
		return abi.AppendEffects(nil, table, h, list...)
	case abi.FrameResume:
		var s abi.Start
		list, err := abi.DecodeResume(frame, &s)
		return abi.AppendResume(nil, &s, list...), err
	case abi.FrameAllowed:
		a, err := abi.DecodeAllowed(frame)
		return abi.AppendAllowed(nil, &a), err
	}
	r, err := abi.DecodeDone(frame)
	if err != nil {
		return nil, err
	}
	return abi.AppendDone(nil, r), nil
}

func TestFramesComeBack(t *testing.T) {
	for name, frame := range encoded(t) {
		again, err := decode(frame)
		if err != nil || string(again) != string(frame) {
			t.Errorf("%s: %v\n got %x\nwant %x", name, err, again, frame)
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	frame := abi.AppendDone([]byte("before"), result)
	rest, ok := strings.CutPrefix(string(frame), "before")
	if got, err := abi.DecodeDone([]byte(rest)); !ok || err != nil || !reflect.DeepEqual(got, result) {
		t.Fatalf("got %q, %v", frame, err)
	}
}

func TestEveryOperationField(t *testing.T) {
	want := abi.Op{
		Kind: abi.OpEval, Require: gate.Superuser, Hint: query.Text("b7"), UserID: "1", Username: "u\x00\xff", Password: strings.Repeat("p", 1<<20),
		Email: "e", Encoded: "x", Hasher: "h", Fields: []abi.Field{{Column: "c", Value: query.Float(math.Inf(-1))}, {Column: "d"}},
		Function: "f", Arguments: "{}",
		Session: djsession.State{
			Key: "k", Resolved: true, Loaded: true, Accessed: true, Modified: true,
			Items: []djsession.Item{{Key: "a", Raw: "1", Pickled: "\x80"}, {Raw: "{}"}},
		},
		Status: 599, CSRFToken: "t",
	}
	var s abi.Start
	var got abi.Op
	if err := abi.DecodeBegin(abi.AppendBegin(nil, &start, &want), &s, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v", err)
	}
	if v := reflect.ValueOf(want); v.NumField() != 16 {
		t.Error("Op has a field that this test and the frame do not know")
	}
}

// TestTruncated: every proper prefix of a message is refused.
func TestTruncated(t *testing.T) {
	for name, frame := range encoded(t) {
		for n := range frame {
			_, err := decode(frame[:n])
			var malformed *abi.FrameError
			if !errors.As(err, &malformed) {
				t.Fatalf("%s: %d of %d bytes: %v", name, n, len(frame), err)
			}
		}
		if _, err := decode(append(frame[:len(frame):len(frame)], 0)); err == nil {
			t.Errorf("%s: a byte after the frame is accepted", name)
		}
	}
}

// body makes a frame of a body, whatever is in it.
func body(kind abi.FrameKind, b ...byte) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte{byte(kind)}, uint32(len(b))), b...)
}

func TestOlderWriter(t *testing.T) {
	got, err := abi.DecodeDone(body(abi.FrameDone))
	if err != nil || got.Decision.Outcome != gate.Error {
		t.Errorf("an empty done frame: %+v, %v", got, err)
	}
	var s abi.Start
	var o abi.Op
	// A start without randomness, and an operation that ends after its kind.
	frame := body(abi.FrameBegin, 8, 0, 0, 0, 64, 0x42, 0xf, 0, 0, 0, 0, 0, 1, 0, 0, 0, byte(abi.OpLogout))
	if err := abi.DecodeBegin(frame, &s, &o); err != nil || s.Now.IsZero() || !reflect.DeepEqual(o, abi.Op{Kind: abi.OpLogout}) {
		t.Errorf("%+v %+v %v", s, o, err)
	}
}

func TestNewerWriter(t *testing.T) {
	var s abi.Start
	frame := body(abi.FrameResume,
		9, 0, 0, 0, 64, 0x42, 0xf, 0, 0, 0, 0, 0, // a start of 9 bytes,
		99, // which is not a whole text, so this one is refused
		0, 0, 0, 0)
	if _, err := abi.DecodeResume(frame, &s); err == nil {
		t.Error("half a field is accepted")
	}
	frame = body(abi.FrameResume,
		14, 0, 0, 0, 64, 0x42, 0xf, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7, // two bytes of a later version
		1, 0, 0, 0,
		byte(abi.AnswerOK), 3, 0, 0, 0, 1, 2, 3, // and three
		5, 5) // and two
	if list, err := abi.DecodeResume(frame, &s); err != nil || len(list) != 1 || list[0].Kind != abi.AnswerOK {
		t.Errorf("%v, %v", list, err)
	}
}

func TestMalformed(t *testing.T) {
	for name, frame := range map[string][]byte{
		"nothing":                    nil,
		"unknown kind":               body(99),
		"huge count":                 body(abi.FrameConfigure, 0xff, 0xff, 0xff, 0xff),
		"count beyond the bytes":     body(abi.FrameConfigure, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		"text beyond the frame":      body(abi.FrameConfigured, 0xff, 0xff, 0xff, 0x7f),
		"record beyond the frame":    body(abi.FrameDone, 0xff, 0, 0, 0),
		"unknown outcome":            body(abi.FrameDone, 1, 0, 0, 0, 9),
		"unknown value":              body(abi.FrameDone, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 7),
		"value without its number":   body(abi.FrameDone, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2),
		"bool of 2":                  body(abi.FrameDone, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2),
		"effects without handle":     body(abi.FrameEffects),
		"no effects":                 body(abi.FrameEffects, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		"handle beyond 32 bits":      body(abi.FrameEffects, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 0),
		"unknown effect":             body(abi.FrameEffects, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0),
		"statement beyond the table": body(abi.FrameEffects, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 13, 0, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0),
		"statement without index":    body(abi.FrameEffects, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 9, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
		"too much randomness":        body(abi.FrameEffects, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3, 8, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0),
		"unknown answer":             body(abi.FrameResume, 0, 0, 0, 0, 1, 0, 0, 0, 99, 0, 0, 0, 0),
		"too long":                   make([]byte, abi.MaxFrame+1),
	} {
		if _, err := decode(frame); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestElements: a message of nulls would take 32 times its size in memory.
func TestElements(t *testing.T) {
	r := &abi.Result{User: make([]query.Value, 1<<18)}
	if _, err := abi.DecodeDone(abi.AppendDone(nil, r)); err != nil {
		t.Error(err)
	}
	r.Session = append(r.Session, result.Session...)
	if _, err := abi.DecodeDone(abi.AppendDone(nil, r)); err == nil {
		t.Error("more elements than allowed are accepted")
	}
}

func TestUnknownStatement(t *testing.T) {
	_, err := abi.AppendEffects(nil, table, 1, abi.Effect{Kind: abi.EffectQuery, Statements: []query.Statement{{Name: "drop"}}})
	if err == nil {
		t.Error("a statement that is not in the table is sent")
	}
	if _, err := abi.NewTable([]query.Statement{{Name: "a"}, {Name: "a"}}); err == nil {
		t.Error("two statements have one name")
	}
}

func TestEncodingDoesNotAllocate(t *testing.T) {
	buffer := make([]byte, 0, 4096)
	effect := effects["query"]
	if n := testing.AllocsPerRun(100, func() {
		_ = abi.AppendDone(buffer, result)
		_ = abi.AppendBegin(buffer, &start, &op)
		_, _ = abi.AppendEffects(buffer, table, handle, effect)
	}); n > 1 { // the list of effects
		t.Errorf("%v allocations", n)
	}
}

func Example() {
	// The host's side of one operation, without the module between.
	frame := abi.AppendBegin(nil, &abi.Start{Now: now}, &abi.Op{Kind: abi.OpVerifyPassword, Encoded: "!", Password: "secret"})

	var started abi.Start
	var asked abi.Op
	if err := abi.DecodeBegin(frame, &started, &asked); err != nil {
		fmt.Println(err)
	}
	fmt.Println(len(frame), asked.Kind == abi.OpVerifyPassword, started.Now.Unix())
	// Output: 106 true 1700000000
}

func FuzzDecodeConfigure(f *testing.F)  { fuzz(f, abi.FrameConfigure) }
func FuzzDecodeConfigured(f *testing.F) { fuzz(f, abi.FrameConfigured) }
func FuzzDecodeBegin(f *testing.F)      { fuzz(f, abi.FrameBegin) }
func FuzzDecodeEffects(f *testing.F)    { fuzz(f, abi.FrameEffects) }
func FuzzDecodeResume(f *testing.F)     { fuzz(f, abi.FrameResume) }
func FuzzDecodeDone(f *testing.F)       { fuzz(f, abi.FrameDone) }
func FuzzDecodeAllowed(f *testing.F)    { fuzz(f, abi.FrameAllowed) }

// fuzz: what is read is a frame, and says the same when it is written again.
func fuzz(f *testing.F, kind abi.FrameKind) {
	for _, frame := range documented(f) {
		if abi.KindOf(frame) == kind {
			f.Add(frame[5:])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := decode(body(kind, b...))
		if err != nil {
			return
		}
		second, err := decode(first)
		if err != nil || string(first) != string(second) {
			t.Fatalf("%v\n%x\n%x", err, first, second)
		}
	})
}
