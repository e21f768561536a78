package module

import (
	"bytes"
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/djedge/djedge/build/wasmbuild"
)

// An instance that begins with an image has the memory that the engine would
// have given it, and what it writes is its own.
func TestImageIsTheMemory(t *testing.T) {
	ctx := t.Context()
	wasm, err := wasmbuild.Bytes(ctx, wasmbuild.Djedge())
	if err != nil {
		t.Fatal(err)
	}
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer r.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	open := func(wasm []byte, begin *image) api.Memory {
		ctx := ctx
		if begin != nil {
			ctx = experimental.WithMemoryAllocator(context.Background(), allocator(64<<20, begin))
		}
		m, err := r.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithName("").WithStartFunctions())
		if err != nil {
			t.Fatal(err)
		}
		return m.Memory()
	}
	content := func(m api.Memory) []byte {
		b, _ := m.Read(0, m.Size())
		return b
	}
	want := content(open(wasm, nil))
	without, memory, err := splitData(wasm)
	if err != nil || len(without) > len(wasm)-(1<<20) {
		t.Fatalf("%d bytes of %d, %v", len(without), len(wasm), err)
	}
	first := newImage(memory)
	defer first.close()
	m := open(without, first)
	if !bytes.Equal(content(m), want) {
		t.Fatal("the data is not what it was")
	}
	second := newImage(content(m))
	defer second.close()
	copied := &image{size: len(want), bytes: want, file: noFile}
	for range 2 {
		for name, im := range map[string]*image{"shared": second, "copied": copied} {
			m := open(without, im)
			if !bytes.Equal(content(m), want) {
				t.Errorf("%s: the memory of a later instance differs", name)
			}
			for at := range uint32(len(want) >> 12) {
				m.WriteByte(at<<12, want[at<<12]^0xff)
			}
		}
	}
	heap := &heapMemory{limit: 64 << 20}
	if b := heap.Reallocate(uint64(len(want))); !second.fill(b) || !bytes.Equal(b, want) {
		t.Error("what is not mapped differs")
	}
}

// A module whose data cannot be taken out stays as it is.
func TestSplitDataRefuses(t *testing.T) {
	memory := section(5, []byte{1, 0, 1})
	for name, sections := range map[string][][]byte{
		"passive":           {memory, section(11, []byte{1, 1, 1, 'a'})},
		"a computed place":  {memory, section(11, []byte{1, 0, 0x23, 0, 0x0b, 1, 'a'})},
		"outside":           {memory, section(11, []byte{1, 0, 0x41, 0xff, 0xff, 3, 0x0b, 2, 'a', 'b'})},
		"below":             {memory, section(11, []byte{1, 0, 0x41, 0x7f, 0x0b, 1, 'a'})},
		"too little":        {memory, section(11, []byte{2, 0, 0x41, 0, 0x0b, 1, 'a'})},
		"too much":          {memory, section(11, []byte{0, 0})},
		"no memory":         {section(11, []byte{1, 0, 0x41, 0, 0x0b, 1, 'a'})},
		"two memories":      {section(5, []byte{2, 0, 1, 0, 1})},
		"a shared memory":   {section(5, []byte{1, 3, 1, 1})},
		"too large":         {section(5, unsigned([]byte{1, 0}, 1<<16))},
		"a cut-off section": {{11, 9, 1}},
	} {
		module := append([]byte("\x00asm\x01\x00\x00\x00"), bytes.Join(sections, nil)...)
		if _, _, err := splitData(module); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func FuzzSplitData(f *testing.F) {
	f.Add(honest().wasm())
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if without, memory, err := splitData(wasm); err == nil && (len(without) > len(wasm) || len(memory) > 256<<20) {
			t.Errorf("%d bytes and %d of memory", len(without), len(memory))
		}
	})
}
