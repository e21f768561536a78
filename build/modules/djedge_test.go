package modules

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/djedge/djedge/build/wasmbuild"
)

// Any WASI runtime loads the module, and docs/abi.md tells everything about it.
func TestInterface(t *testing.T) {
	root, err := wasmbuild.Root()
	if err != nil {
		t.Fatal(err)
	}
	a, err := wasmbuild.Ensure(t.Context(), root, wasmbuild.Djedge())
	if err != nil {
		t.Fatal(err)
	}
	found, err := wasmbuild.Inspect(a.Raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found.Imports {
		if !strings.HasPrefix(name, "wasi_snapshot_preview1.") {
			t.Errorf("imports %s", name)
		}
	}
	documentation, err := os.ReadFile(filepath.Join(root, "docs", "abi.md"))
	if err != nil {
		t.Fatal(err)
	}
	if want := documented(string(documentation)); !slices.Equal(found.Exports, want) {
		t.Errorf("exports %v, docs/abi.md lists %v", found.Exports, want)
	}
	// The goal is 5 MB raw and 1.5 MB compressed. Raw it is half a megabyte
	// more, all zeros: see maxGap in build/wasmbuild.
	t.Logf("%.2f MB raw, %.2f MB compressed", float64(len(a.Raw))/1e6, float64(len(a.Gzip))/1e6)
}

// documented are the names in the first column of the table of exports.
func documented(text string) (names []string) {
	_, text, _ = strings.Cut(text, "## Exports")
	text, _, _ = strings.Cut(text, "\n## ")
	for line := range strings.Lines(text) {
		if cells := strings.Split(line, "`"); strings.HasPrefix(line, "| `") && len(cells) > 1 {
			names = append(names, cells[1])
		}
	}
	slices.Sort(names)
	return names
}

func TestEmbedded(t *testing.T) {
	raw, err := WASM()
	if errors.Is(err, ErrMissing) && Digest() == "" {
		t.Skip(err)
	}
	if err != nil || !bytes.HasPrefix(raw, []byte("\x00asm")) || len(Digest()) != 64 {
		t.Errorf("%d bytes, digest %q, %v", len(raw), Digest(), err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	_, _ = zw.Write([]byte("a module"))
	_ = zw.Close()
	const digest = "5b8ae1d8ff8ba0b2b4d5c1d8ad07ae04d52e87ca9a5d7b9f2e76b3ae7ebc1c72" // of something else
	for name, file := range map[string][]byte{
		"another digest": packed.Bytes(),
		"half a file":    packed.Bytes()[:packed.Len()/2],
		"no gzip":        []byte("hello"),
	} {
		if raw, err := unpack(file, digest); err == nil || raw != nil {
			t.Errorf("%s: %d bytes, %v", name, len(raw), err)
		}
	}
}
