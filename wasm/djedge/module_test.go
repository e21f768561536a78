package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// build makes the module as the documentation says.
func build(t *testing.T, tags string) []byte {
	if testing.Short() {
		t.Skip("builds a module")
	}
	path := filepath.Join(t.TempDir(), "djedge.wasm")
	command := exec.Command("go", "build", "-tags", tags, "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", path, ".")
	command.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	module, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// guest is one instance, driven as docs/abi.md says.
type guest struct {
	t        *testing.T
	instance api.Module
	table    *abi.Table
	columns  []query.Column
}

func compile(t *testing.T, module []byte) (wazero.Runtime, wazero.CompiledModule) {
	t.Helper()
	ctx := context.Background()
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(1024))
	t.Cleanup(func() { runtime.Close(ctx) })
	wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
	compiled, err := runtime.CompileModule(ctx, module)
	if err != nil {
		t.Fatal(err)
	}
	return runtime, compiled
}

func instantiate(t *testing.T, runtime wazero.Runtime, compiled wazero.CompiledModule) *guest {
	t.Helper()
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize").WithSysWalltime().WithSysNanotime().WithRandSource(rand.Reader)
	instance, err := runtime.InstantiateModule(context.Background(), compiled, config)
	if err != nil {
		t.Fatal(err)
	}
	return &guest{t: t, instance: instance}
}

func (g *guest) call(name string, args ...uint64) uint64 {
	g.t.Helper()
	results, err := g.instance.ExportedFunction(name).Call(context.Background(), args...)
	if err != nil {
		g.t.Fatalf("%s: %v", name, err)
	}
	if len(results) == 0 {
		return 0
	}
	return results[0]
}

// send writes a frame where it fits, calls the export, and copies the answer.
func (g *guest) send(name string, frame []byte, before ...uint64) []byte {
	g.t.Helper()
	return g.read(g.sendPacked(name, frame, before...))
}

// sendPacked is send for an answer that stays where it is.
func (g *guest) sendPacked(name string, frame []byte, before ...uint64) uint64 {
	g.t.Helper()
	packed := g.call("djedge_buffer")
	ptr := packed >> 32
	if len(frame) > int(uint32(packed)) {
		ptr = g.call("djedge_alloc", uint64(len(frame)))
		defer g.call("djedge_free", ptr)
	}
	if !g.instance.Memory().Write(uint32(ptr), frame) {
		g.t.Fatal("the buffer is outside of the memory")
	}
	return g.call(name, append(before, ptr, uint64(len(frame)))...)
}

func (g *guest) read(packed uint64) []byte {
	g.t.Helper()
	b, ok := g.instance.Memory().Read(uint32(packed>>32), uint32(packed))
	if !ok {
		g.t.Fatal("the answer is outside of the memory")
	}
	return slices.Clone(b)
}

const secretKey = "an insecure key for tests"

func (g *guest) configure() {
	g.t.Helper()
	keys := signing.DeriveKeys("", secretKey, nil)
	c, err := abi.DecodeConfigured(g.send("djedge_configure", abi.AppendConfigure(nil, []abi.Setting{
		{Name: "dialect", Value: "sqlite"}, {Name: "loopback", Value: "true"},
		{Name: "key_session", Value: keys.Session.Current.Export()}, {Name: "key_auth_hash", Value: keys.AuthHash.Current.Export()},
	})))
	if err != nil || c.Error != "" {
		g.t.Fatalf("%+v, %v", c, err)
	}
	if len(c.Columns) != 11 || !slices.Contains(c.Headers, "cookie") {
		g.t.Errorf("%+v", c)
	}
	g.columns = c.Columns
	if g.table, err = abi.NewTable(c.Statements); err != nil {
		g.t.Fatal(err)
	}
}

var start = &abi.Start{Now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}

func (g *guest) refused(what string, frame []byte) {
	g.t.Helper()
	result, err := abi.DecodeDone(frame)
	if err != nil || result.Decision.Outcome != gate.Error || result.Decision.Reason != gate.ReasonInternal {
		g.t.Errorf("%s: %+v, %v", what, result, err)
	}
}

func TestModule(t *testing.T) {
	module := build(t, "")
	runtime, compiled := compile(t, module)
	g := instantiate(t, runtime, compiled)

	var zipped bytes.Buffer
	w, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	w.Write(module)
	w.Close()
	t.Logf("%d bytes, %d compressed", len(module), zipped.Len())
	if len(module) > 5<<20 || zipped.Len() > 3<<19 {
		t.Error("the module is larger than 5 MiB, or than 1.5 MiB compressed")
	}
	for _, f := range compiled.ImportedFunctions() {
		if from, name, _ := f.Import(); from != "wasi_snapshot_preview1" {
			t.Errorf("imports %s of %s", name, from)
		}
	}
	if len(compiled.ImportedMemories()) != 0 {
		t.Error("imports a memory")
	}
	var exports []string
	for name, f := range compiled.ExportedFunctions() {
		types := ""
		for _, p := range append(f.ParamTypes(), f.ResultTypes()...) {
			types += " " + api.ValueTypeName(p)
		}
		exports = append(exports, name+types)
	}
	slices.Sort(exports)
	want := []string{
		"_initialize", "djedge_abi i32", "djedge_alloc i32 i32", "djedge_begin i32 i32 i64", "djedge_buffer i64", "djedge_cancel i32",
		"djedge_configure i32 i32 i64", "djedge_free i32", "djedge_resume i32 i32 i32 i64",
	}
	if !slices.Equal(exports, want) {
		t.Errorf("exports %q", exports)
	}
	if v := g.call("djedge_abi"); v != abi.Version {
		t.Errorf("ABI version %d", v)
	}
	t.Run("misuse", func(t *testing.T) { g.t = t; misuse(g) })
	t.Run("requests", func(t *testing.T) { g.t = t; requests(g) })
}

// misuse: nothing that a host may do wrong lets anybody in or ends the instance.
func misuse(g *guest) {
	check := abi.AppendBegin(nil, start, &abi.Op{Kind: abi.OpCheck, Require: gate.Anyone})
	g.refused("unconfigured", g.send("djedge_begin", check))
	g.call("djedge_cancel", 1)
	if c, err := abi.DecodeConfigured(g.send("djedge_configure", []byte("garbage"))); err != nil || c.Error == "" {
		g.t.Errorf("%+v, %v", c, err)
	}
	c, err := abi.DecodeConfigured(g.send("djedge_configure", abi.AppendConfigure(nil, []abi.Setting{{Name: "speed", Value: "11"}})))
	if err != nil || !strings.Contains(c.Error, "speed") {
		g.t.Errorf("%+v, %v", c, err)
	}
	g.configure()
	if c, err := abi.DecodeConfigured(g.send("djedge_configure", abi.AppendConfigure(nil, nil))); err != nil || c.Error == "" {
		g.t.Errorf("configured twice: %+v, %v", c, err)
	}

	buffer := g.call("djedge_buffer")
	for name, place := range map[string][2]uint64{
		"nowhere":             {0, 8},
		"beyond the memory":   {0xfffffff0, 64},
		"beyond the buffer":   {buffer >> 32, uint64(uint32(buffer)) + 1},
		"inside the buffer":   {buffer>>32 + 1, 4},
		"the greatest length": {buffer >> 32, 0xffffffff},
	} {
		g.refused(name, g.read(g.call("djedge_begin", place[0], place[1])))
		g.refused(name, g.read(g.call("djedge_resume", 1, place[0], place[1])))
	}
	if g.call("djedge_alloc", 0) != 0 || g.call("djedge_alloc", abi.MaxFrame+1) != 0 {
		g.t.Error("a buffer of no or too many bytes")
	}
	var held []uint64
	for range 16 {
		held = append(held, g.call("djedge_alloc", 100))
	}
	if slices.Contains(held, 0) || g.call("djedge_alloc", 100) != 0 {
		g.t.Errorf("buffers %v, and one more", held)
	}
	for _, ptr := range append(held, 0, 12345) {
		g.call("djedge_free", ptr)
		g.call("djedge_free", ptr)
	}
	g.refused("a freed buffer", g.read(g.call("djedge_begin", held[0], 100)))
}

// requests: a question for rows, a cancelled one, and a hash that the module
// makes itself beside it.
func requests(g *guest) {
	key := strings.Repeat("a", 32)
	check := &abi.Op{Kind: abi.OpCheck, Require: gate.Authenticated, Request: gate.Request{
		Method: "GET", URI: "/" + strings.Repeat("x", 70<<10), // more than the static buffer holds
		Headers: []gate.Header{{Name: "Cookie", Value: "sessionid=" + key}},
	}}
	handle, effects, err := abi.DecodeEffects(g.send("djedge_begin", abi.AppendBegin(nil, start, check)), g.table)
	if err != nil || effects[0].Kind != abi.EffectQuery || effects[0].Statements[0].Args[0].Text() != key {
		g.t.Fatalf("%+v, %v", effects, err)
	}
	other, _, err := abi.DecodeEffects(g.send("djedge_begin", abi.AppendBegin(nil, start, check)), g.table)
	if err != nil || other == handle {
		g.t.Fatalf("handle %d, %v", other, err)
	}
	g.call("djedge_cancel", uint64(other))

	// base64(hashlib.pbkdf2_hmac("sha256", b"lake", b"salt", 1000)) of Python.
	verify := &abi.Op{Kind: abi.OpVerifyPassword, Password: "lake", Encoded: "pbkdf2_sha256$1000$salt$RG58Y/xtCRAyj+wZ8EbNWldcxkTQHihuiCN3+pJTIbc="}
	frame := g.send("djedge_begin", abi.AppendBegin(nil, start, verify))
	for n := 0; abi.KindOf(frame) == abi.FrameEffects && n < 100; n++ {
		hashing, effects, err := abi.DecodeEffects(frame, g.table)
		if err != nil {
			g.t.Fatal(err)
		}
		answer := abi.Answer{Kind: abi.AnswerOK}
		if effects[0].Kind == abi.EffectKDF {
			answer.Kind = abi.AnswerDeclined
		}
		frame = g.send("djedge_resume", abi.AppendResume(nil, start, answer), uint64(hashing))
	}
	if result, err := abi.DecodeDone(frame); err != nil || result.Decision.Outcome != gate.Allow {
		g.t.Errorf("%+v, %v", result, err)
	}

	rows := abi.Answer{Kind: abi.AnswerResults, Results: make([]query.Result, 1)}
	frame = g.send("djedge_resume", abi.AppendResume(nil, start, rows), uint64(handle))
	result, err := abi.DecodeDone(frame)
	if err != nil || result.Decision.Reason != gate.ReasonSessionUnknown || result.Decision.Status != 401 {
		g.t.Errorf("%+v, %v", result, err)
	}
	g.refused("a handle that is done", g.send("djedge_resume", abi.AppendResume(nil, start, abi.Answer{Kind: abi.AnswerOK}), uint64(handle)))
}

// TestChaos: each kind ends the call, and with it the instance.
func TestChaos(t *testing.T) {
	runtime, compiled := compile(t, build(t, "chaos"))
	for _, kind := range []uint64{1, 3, 4} {
		g := instantiate(t, runtime, compiled)
		if _, err := g.instance.ExportedFunction("djedge_chaos").Call(context.Background(), kind); err == nil {
			t.Errorf("kind %d does nothing", kind)
		}
	}
}
