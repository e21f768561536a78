package module

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// fake is a guest made by hand that answers every call with the same bytes:
// what a module that has gone wrong, or was written to do harm, may do.
type fake struct {
	version                  byte
	configured, begin, again []byte // frames at fixed places, see pack
	packed                   uint64 // instead of where begin lies, when not 0
	foreign                  bool   // imports something else than WASI
	without                  string // an export to leave out
}

const (
	pageBytes = 64 << 10
	fakeInput = pageBytes     // 64 KiB for the host's messages
	fakeFirst = 2 * pageBytes // then 16 KiB for each answer
	fakeRoom  = 16 << 10
	fakePages = 4
)

// honest answers a configure frame with one read and one write, and
// everything else with an allowance that nobody may believe.
func honest() fake {
	return fake{
		configured: abi.AppendConfigured(nil, &abi.Configured{Statements: fakeStatements()}),
		begin:      abi.AppendDone(nil, allowance()),
		again:      abi.AppendDone(nil, allowance()),
	}
}

func fakeStatements() []query.Statement {
	return []query.Statement{{Name: "look", SQL: "SELECT 1"}, {Name: "change", SQL: "UPDATE t SET c = 1"}}
}

func allowance() *abi.Result {
	return &abi.Result{Decision: gate.Decision{Outcome: gate.Allow, Status: 200, Reason: gate.ReasonOK}}
}

func effects(t testing.TB, es ...abi.Effect) []byte {
	table, err := abi.NewTable(fakeStatements())
	if err != nil {
		t.Fatal(err)
	}
	frame, err := abi.AppendEffects(nil, table, 7, es...)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

func (f fake) pack(n int, frame []byte) uint64 {
	return uint64(fakeFirst+n*fakeRoom)<<32 | uint64(len(frame))
}

func (f fake) wasm() []byte {
	packed := f.packed
	if packed == 0 {
		packed = f.pack(1, f.begin)
	}
	imports := []byte{0}
	shift := byte(0)
	if f.foreign {
		imports, shift = []byte{1, 3, 'e', 'n', 'v', 1, 'f', 0, 0}, 1
	}
	functions := []struct {
		name string
		kind byte
		body []byte
	}{
		{"_initialize", 0, nil},
		{fnABI, 1, []byte{0x41, f.version}},
		{fnBuffer, 2, constant(fakeInput<<32 | pageBytes)},
		{fnAlloc, 3, []byte{0x41, 0}}, // no large messages
		{fnFree, 4, nil},
		{fnConfigure, 5, constant(f.pack(0, f.configured))},
		{fnBegin, 5, constant(packed)},
		{fnResume, 6, constant(f.pack(2, f.again))},
		{fnCancel, 4, nil},
	}
	kinds, code := []byte{byte(len(functions))}, []byte{byte(len(functions))}
	exports := []byte{0, 6, 'm', 'e', 'm', 'o', 'r', 'y', 2, 0}
	exports = append(append(append(exports, byte(len(fuelGlobal))), fuelGlobal...), 3, 0)
	exports[0] = 2
	for i, fn := range functions {
		kinds = append(kinds, fn.kind)
		code = append(code, byte(len(fn.body)+2), 0)
		code = append(append(code, fn.body...), 0x0b)
		if fn.name != f.without {
			exports[0]++
			exports = append(append(append(exports, byte(len(fn.name))), fn.name...), 0, byte(i)+shift)
		}
	}
	data := []byte{3}
	for i, frame := range [][]byte{f.configured, f.begin, f.again} {
		frame = frame[:min(len(frame), fakeRoom)]
		data = append(signed(append(data, 0, 0x41), int64(fakeFirst+i*fakeRoom)), 0x0b)
		data = append(unsigned(data, uint64(len(frame))), frame...)
	}
	return bytes.Join([][]byte{
		[]byte("\x00asm\x01\x00\x00\x00"),
		section(1, []byte{7, 0x60, 0, 0, 0x60, 0, 1, 0x7f, 0x60, 0, 1, 0x7e, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 1, 0x7f, 0,
			0x60, 2, 0x7f, 0x7f, 1, 0x7e, 0x60, 3, 0x7f, 0x7f, 0x7f, 1, 0x7e}),
		section(2, imports),
		section(3, kinds),
		section(5, []byte{1, 0, fakePages}),
		section(6, []byte{1, 0x7e, 1, 0x42, 0, 0x0b}),
		section(7, exports),
		section(10, code),
		section(11, data),
	}, nil)
}

func section(id byte, body []byte) []byte {
	return append(unsigned([]byte{id}, uint64(len(body))), body...)
}

func constant(n uint64) []byte { return signed([]byte{0x42}, int64(n)) }

func unsigned(out []byte, n uint64) []byte { return binary.AppendUvarint(out, n) }

func signed(out []byte, n int64) []byte {
	for {
		b := byte(n & 0x7f)
		if n >>= 7; n == 0 && b&0x40 == 0 || n == -1 && b&0x40 != 0 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}

// startFake configures an engine with the guest.
func startFake(t testing.TB, f fake, config Config) *engine {
	t.Helper()
	config.WASM = f.wasm()
	e := New(config).(*engine)
	if _, err := e.Configure(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func check() *abi.Op { return &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone} }

func wantFailure(t testing.TB, got *abi.Result, reason gate.Reason) {
	t.Helper()
	if want := step.Failure(reason, "").Decision; got.Decision.Outcome != want.Outcome || got.Decision.Status != want.Status || got.Decision.Reason != want.Reason {
		t.Errorf("decision %+v, want %v", got.Decision, reason)
	}
}
