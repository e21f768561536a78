package wasmbuild

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestArtefactIsReadAsWritten(t *testing.T) {
	root := t.TempDir()
	spec := Spec{Out: "some/where/module"}
	if _, _, err := Read(root, spec); err == nil {
		t.Error("there was nothing to read")
	}
	a, err := pack(spinner())
	if err != nil {
		t.Fatal(err)
	}
	if err := write(root, spec, a, "inputs"); err != nil {
		t.Fatal(err)
	}
	got, inputs, err := Read(root, spec)
	if err != nil || inputs != "inputs" || !bytes.Equal(got.Raw, a.Raw) || got.Digest != a.Digest {
		t.Errorf("%+v, %q, %v", got, inputs, err)
	}
	again, err := pack(spinner())
	if err != nil || !bytes.Equal(again.Gzip, a.Gzip) {
		t.Error("equal modules are not packed into equal bytes")
	}
	file := filepath.Join(root, spec.Out+digestEnding)
	if err := os.WriteFile(file, []byte("0000  module.wasm\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Read(root, spec); err == nil {
		t.Error("a wrong digest was accepted")
	}
}

// The declared sources hold what the module is made of, and no tests.
func TestSources(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	sources, err := Sources(t.Context(), root, Djedge())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"go.mod": false, "go.sum": false, "wasm/djedge/main.go": false, "wasm/abi/op.go": false, "djsession/query/value.go": false}
	for _, name := range sources {
		if _, listed := want[name]; listed {
			want[name] = true
		}
		if name == "wasm/djedge/chaos.go" || name == "host/engine.go" {
			t.Errorf("%s is no part of the module", name)
		}
	}
	for name, found := range want {
		if !found {
			t.Errorf("%s is missing", name)
		}
	}
}
