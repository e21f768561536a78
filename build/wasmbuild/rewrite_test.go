package wasmbuild

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// section is one section of a hand-made module.
func section(id byte, body ...byte) []byte {
	return append(appendUnsigned([]byte{id}, uint64(len(body))), body...)
}

func assemble(sections ...[]byte) []byte {
	return append([]byte(header), bytes.Join(sections, nil)...)
}

func instantiate(t *testing.T, module []byte) api.Module {
	t.Helper()
	ctx := t.Context()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { rt.Close(context.Background()) })
	m, err := rt.Instantiate(ctx, module)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The engine is the judge: memory after instantiation must not change.
func TestCoalesceKeepsMemory(t *testing.T) {
	memory := section(5, 1, 0, 2) // one memory of two pages
	exports := section(7, 1, 1, 'm', 2, 0)
	data := section(11, 4,
		0, 0x41, 0xe4, 0x00, 0x0b, 3, 'x', 'y', 'z', // 100
		0, 0x41, 0x00, 0x0b, 2, 'a', 'b', // 0: out of order
		0, 0x41, 0x90, 0xce, 0x00, 0x0b, 1, 'q', // 10000: far away
		0, 0x41, 0x04, 0x0b, 1, 'c', // 4
	)
	plain := assemble(memory, exports, data)
	joined, err := Coalesce(plain)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := instantiate(t, plain).Memory().Read(0, 2<<16)
	got, _ := instantiate(t, joined).Memory().Read(0, 2<<16)
	if !bytes.Equal(got, want) {
		t.Error("memory differs")
	}
	_, err = mapSections(joined, func(id byte, body []byte) ([]byte, error) {
		if id == sectionData && body[0] != 2 {
			t.Errorf("%d segments, want 2", body[0])
		}
		return body, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The memory must be the same again, and the file smaller, for a table whose
// dense form overlaps its first entries, between other data.
func TestSpreadKeepsMemory(t *testing.T) {
	const entries, before = 3000, 7
	data := bytes.Repeat([]byte{0xaa}, before)
	for i := range entries {
		data = append(data, byte(i), byte(i>>8)|1)
		data = append(data, make([]byte, 18)...)
	}
	data = append(data, bytes.Repeat([]byte{0xbb}, 30)...)
	body := appendUnsigned([]byte{1, 0, 0x41, 0xe4, 0x00, 0x0b}, uint64(len(data))) // at 100
	plain := assemble(
		section(1, 1, 0x60, 0, 0), section(3, 1, 0), section(5, 1, 0, 2), section(7, 1, 1, 'm', 2, 0),
		section(10, 1, 2, 0, 0x0b),
		append(appendUnsigned([]byte{11}, uint64(len(body)+len(data))), append(body, data...)...))
	small, err := Spread(plain)
	if err != nil || len(small) > entries*2+300 {
		t.Fatalf("%d bytes of %d, %v", len(small), len(plain), err)
	}
	want, _ := instantiate(t, plain).Memory().Read(0, 2<<16)
	got, _ := instantiate(t, small).Memory().Read(0, 2<<16)
	if !bytes.Equal(got, want) {
		t.Error("memory differs")
	}
	again, err := Spread(small)
	if err != nil || !bytes.Equal(again, small) {
		t.Errorf("a module with a start function was changed, or %v", err)
	}
}

func TestCoalesceRefuses(t *testing.T) {
	for name, module := range map[string][]byte{
		"no module":       []byte("hello"),
		"overlap":         assemble(section(11, 2, 0, 0x41, 0, 0x0b, 2, 'a', 'b', 0, 0x41, 1, 0x0b, 1, 'c')),
		"passive segment": assemble(section(11, 1, 1, 1, 'a', 0, 0, 0)),
		"truncated":       assemble([]byte{11, 9, 1}),
	} {
		if _, err := Coalesce(module); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// spinner exports spin, a loop without end, and count(n), which loops n times.
func spinner() []byte {
	return assemble(
		section(1, 2, 0x60, 0, 0, 0x60, 1, 0x7f, 0),
		section(3, 2, 0, 1),
		section(6, 1, 0x7f, 1, 0x41, 0, 0x0b),
		section(7, 2, 4, 's', 'p', 'i', 'n', 0, 0, 5, 'c', 'o', 'u', 'n', 't', 0, 1),
		section(10, 2,
			7, 0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b,
			16, 0, 0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x01, 0x01, 0x0b,
		),
	)
}

func TestMeter(t *testing.T) {
	metered, err := Meter(spinner())
	if err != nil {
		t.Fatal(err)
	}
	m := instantiate(t, metered)
	fuel, ok := m.ExportedGlobal(FuelExport).(api.MutableGlobal)
	if !ok {
		t.Fatal("no mutable global")
	}
	if got := int64(fuel.Get()); got != noLimit {
		t.Errorf("starts with %d", got)
	}
	fuel.Set(1000)
	if _, err := m.ExportedFunction("count").Call(t.Context(), 400); err != nil {
		t.Fatal(err)
	}
	if got := fuel.Get(); got != 600 {
		t.Errorf("400 iterations left %d of 1000", got)
	}
	if _, err := m.ExportedFunction("spin").Call(t.Context()); err == nil || fuel.Get() != 0 {
		t.Errorf("a loop without end: %v, %d left", err, fuel.Get())
	}
}

// Loops of straight code pay for their length; one around a table of jumps, or
// the part of a loop that is in another one, does not count.
func TestMeterTolls(t *testing.T) {
	nops := func(n int) []byte { return bytes.Repeat([]byte{0x01}, n) }
	code := slices.Concat([]byte{0},
		[]byte{0x03, 0x40}, nops(90), // 93 instructions and 2 of the inner loop's frame
		[]byte{0x03, 0x40}, nops(1000), []byte{0x0b},
		[]byte{0x02, 0x40}, nops(1), []byte{0x0b, 0x0b},
		[]byte{0x03, 0x40, 0x02, 0x40, 0x41, 0, 0x0e, 1, 0, 1, 0x0b}, nops(1000), []byte{0x0b, 0x0b})
	if got := tolls(reader{b: code}); !slices.Equal(got, []int64{3, 32, 1}) {
		t.Errorf("tolls %d", got)
	}

	long := spinner()
	body := slices.Concat([]byte{0, 0x03, 0x40}, nops(98), []byte{0x0c, 0, 0x0b, 0x0b})
	long = bytes.Replace(long, section(10, 2, 7, 0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b)[2:], append([]byte{2, byte(len(body))}, body...), 1)
	code = long[bytes.LastIndex(long, []byte{10, 26}):]
	code[1] += byte(len(body) - 7)
	metered, err := Meter(long)
	if err != nil {
		t.Fatal(err)
	}
	m := instantiate(t, metered)
	fuel := m.ExportedGlobal(FuelExport).(api.MutableGlobal)
	fuel.Set(1001) // no multiple of the price
	if _, err := m.ExportedFunction("spin").Call(t.Context()); err == nil || fuel.Get() != 0 {
		t.Errorf("a long loop without end: %v, %d left", err, int64(fuel.Get()))
	}
}

func TestMeterRefuses(t *testing.T) {
	for name, module := range map[string][]byte{
		"no module":      []byte("hello"),
		"no globals":     assemble(section(1, 0)),
		"unknown opcode": assemble(section(6, 0), section(10, 1, 3, 0, 0xff, 0x0b)),
		"truncated":      assemble(section(6, 0), section(10, 1, 9, 0)),
	} {
		if _, err := Meter(module); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestInspect(t *testing.T) {
	found, err := Inspect(spinner())
	if err != nil || len(found.Imports) != 0 || len(found.Exports) != 2 || found.Exports[0] != "count" {
		t.Errorf("%+v, %v", found, err)
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add(spinner())
	f.Add(assemble(section(11, 1, 0, 0x41, 0, 0x0b, 1, 'a')))
	f.Fuzz(func(t *testing.T, module []byte) {
		// Arbitrary bytes are an error or a module, never a panic.
		if out, err := Coalesce(module); err == nil {
			if spread, err := Spread(out); err == nil {
				_, _ = Meter(spread)
			}
			_, _ = Inspect(out)
		}
	})
}

func FuzzLEB128(f *testing.F) {
	for _, n := range []int64{0, 1, -1, 63, 64, -64, -65, 1<<31 - 1, 1 << 62, -1 << 63} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n int64) {
		r := reader{b: appendUnsigned(appendSigned(nil, n), uint64(n))}
		if s, u := r.signed(), r.unsigned(); s != n || u != uint64(n) || r.err != nil || len(r.b) != 0 {
			t.Errorf("%d was read as %d and %d", n, s, u)
		}
	})
}
