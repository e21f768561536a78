package module

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/djedge/djedge/wasm/abi"
)

// What must not run is refused by Configure, with a reason that says what to do.
func TestConfigureRefuses(t *testing.T) {
	good := honest()
	wasm := good.wasm()
	sum := sha256.Sum256(wasm)
	digest := hex.EncodeToString(sum[:])
	flipped := bytes.Clone(wasm)
	flipped[len(flipped)-3] ^= 1

	otherABI := honest()
	otherABI.version = abi.Version + 1
	foreign := honest()
	foreign.foreign = true
	incomplete := honest()
	incomplete.without = fnResume
	refusing := honest()
	refusing.configured = abi.AppendConfigured(nil, &abi.Configured{Error: "session_cookie_age: not a number"})
	garbled := honest()
	garbled.configured = []byte("hello")
	twins := honest()
	twins.configured = abi.AppendConfigured(nil, &abi.Configured{Statements: append(fakeStatements(), fakeStatements()...)})

	for name, test := range map[string]struct {
		config Config
		want   string
	}{
		"a flipped byte":         {Config{WASM: flipped, Digest: digest}, "expected was " + digest},
		"no module":              {Config{WASM: []byte("hello")}, "compile the module"},
		"another ABI":            {Config{WASM: otherABI.wasm()}, "version 1 of the ABI, this program 0"},
		"another import":         {Config{WASM: foreign.wasm()}, "imports env.f"},
		"a missing export":       {Config{WASM: incomplete.wasm()}, "djedge_resume"},
		"a refused setting":      {Config{WASM: refusing.wasm()}, "session_cookie_age: not a number"},
		"an unreadable answer":   {Config{WASM: garbled.wasm()}, "malformed frame"},
		"statements of one name": {Config{WASM: twins.wasm()}, "look"},
		"a wrong field":          {Config{WASM: wasm, Instances: -1}, "Config.Instances"},
		"too many in flight":     {Config{WASM: wasm, InFlight: 1 << 20}, "Config.InFlight"},
	} {
		t.Run(name, func(t *testing.T) {
			e := New(test.config)
			_, err := e.Configure(t.Context(), nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
			if got := e.Do(t.Context(), check(), nil); got == nil || got.Decision.Status != 503 {
				t.Errorf("an engine that was refused answers %+v", got)
			}
			if err := e.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestConfigureAcceptsTheDigest(t *testing.T) {
	wasm := honest().wasm()
	sum := sha256.Sum256(wasm)
	e := New(Config{WASM: wasm, Digest: strings.ToUpper(hex.EncodeToString(sum[:]))})
	statements, err := e.Configure(t.Context(), nil)
	if err != nil || len(statements) != 2 || statements[1].Name != "change" {
		t.Fatal(statements, err)
	}
	if _, err := e.Configure(t.Context(), nil); err == nil {
		t.Error("configured twice")
	}
	if err := e.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if err := e.Close(context.Background()); err != nil {
		t.Error("closed twice:", err)
	}
}
