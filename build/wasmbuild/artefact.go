package wasmbuild

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Endings of the files that an artefact is kept in.
const (
	gzipEnding   = ".wasm.gz"
	digestEnding = ".wasm.sha256" // as sha256sum writes it, of the raw module
	inputsEnding = ".wasm.inputs" // of which inputs it was built: see Inputs
)

// Artefact is a built module.
type Artefact struct {
	Raw    []byte
	Gzip   []byte
	Digest string // SHA-256 of Raw in hexadecimal
	Built  bool   // it was stale or missing and has been built now
}

// Ensure returns the module of spec, built anew when what is kept was made of
// other inputs. Two calls at once may both build; they write the same bytes.
func Ensure(ctx context.Context, root string, spec Spec) (*Artefact, error) {
	inputs, err := Inputs(ctx, root, spec)
	if err != nil {
		return nil, err
	}
	if kept, keptInputs, err := Read(root, spec); err == nil && keptInputs == inputs {
		return kept, nil
	}
	raw, err := Compile(ctx, root, spec)
	if err != nil {
		return nil, err
	}
	a, err := pack(raw)
	if err != nil {
		return nil, err
	}
	a.Built = true
	return a, write(root, spec, a, inputs)
}

// Bytes is [Ensure] for a test in any directory of the repository: the raw module.
func Bytes(ctx context.Context, spec Spec) ([]byte, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	a, err := Ensure(ctx, root, spec)
	if err != nil {
		return nil, err
	}
	return a.Raw, nil
}

// Read returns what is kept for spec, after comparing it with its digest, and
// the digest of the inputs that it was made of.
func Read(root string, spec Spec) (a *Artefact, inputs string, err error) {
	base := filepath.Join(root, filepath.FromSlash(spec.Out))
	var texts [3][]byte
	for i, ending := range [...]string{gzipEnding, digestEnding, inputsEnding} {
		if texts[i], err = os.ReadFile(base + ending); err != nil {
			return nil, "", err
		}
	}
	zr, err := gzip.NewReader(bytes.NewReader(texts[0]))
	if err != nil {
		return nil, "", fmt.Errorf("%s%s: %w", spec.Out, gzipEnding, err)
	}
	raw, err := io.ReadAll(zr)
	if err != nil {
		return nil, "", fmt.Errorf("%s%s: %w", spec.Out, gzipEnding, err)
	}
	digest, _, _ := strings.Cut(string(texts[1]), " ")
	if got := digestOf(raw); got != digest {
		return nil, "", fmt.Errorf("%s%s holds digest %s, its file says %s", spec.Out, gzipEnding, got, digest)
	}
	return &Artefact{Raw: raw, Gzip: texts[0], Digest: digest}, strings.TrimSpace(string(texts[2])), nil
}

// pack compresses without a name or a time, so that equal modules are equal files.
func pack(raw []byte) (*Artefact, error) {
	var packed bytes.Buffer
	zw, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err = zw.Write(raw); err == nil {
		err = zw.Close()
	}
	return &Artefact{Raw: raw, Gzip: packed.Bytes(), Digest: digestOf(raw)}, err
}

// write replaces each file at once, the inputs last: what was written half is stale.
func write(root string, spec Spec, a *Artefact, inputs string) error {
	base := filepath.Join(root, filepath.FromSlash(spec.Out))
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		return err
	}
	digest := a.Digest + "  " + filepath.Base(base) + ".wasm\n"
	for _, file := range []struct {
		ending string
		data   []byte
	}{{gzipEnding, a.Gzip}, {digestEnding, []byte(digest)}, {inputsEnding, []byte(inputs + "\n")}} {
		if err := replace(base+file.ending, file.data); err != nil {
			return err
		}
	}
	return nil
}

func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	_, err = f.Write(data)
	if cerr := f.Chmod(0o644); err == nil {
		err = cerr
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func digestOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
