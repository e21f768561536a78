// Package modules carries djedge.wasm, the rules compiled to WebAssembly, so
// that a program which imports it needs no WebAssembly toolchain.
//
// The module is committed compressed beside its digest and is rebuilt, byte
// for byte, by
//
//	go run ./build modules
//
// which `make modules` runs. The package compiles without a module; asking
// for it is then an error.
package modules

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Names of the files beside this one.
const (
	File       = "djedge.wasm.gz"
	DigestFile = "djedge.wasm.sha256"
)

// maxBytes bounds what is inflated; the goal for the module is 5 MB.
const maxBytes = 64 << 20

// ErrMissing is returned when no module was built before this program was.
var ErrMissing = errors.New("djedge.wasm is not built into this program: run make modules and build again")

// The pattern matches this very file, so that there is always something to embed.
//
//go:embed djedge.*
var files embed.FS

// WASM is the module, inflated and compared with its digest. The caller owns
// the bytes. The error is [ErrMissing] (wrapped) when there is none.
func WASM() ([]byte, error) {
	packed, err := files.ReadFile(File)
	digest := Digest()
	if err != nil || digest == "" {
		return nil, ErrMissing
	}
	return unpack(packed, digest)
}

// Digest is the SHA-256 of the raw module in hexadecimal, "" when there is none.
func Digest() string {
	text, _ := files.ReadFile(DigestFile)
	digest, _, _ := strings.Cut(string(text), " ")
	return strings.TrimSpace(digest)
}

func unpack(packed []byte, digest string) ([]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("inflate djedge.wasm: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(zr, maxBytes))
	if err != nil {
		return nil, fmt.Errorf("inflate djedge.wasm: %w", err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != digest {
		return nil, fmt.Errorf("djedge.wasm has digest %x, its file says %s", sum, digest)
	}
	return raw, nil
}
