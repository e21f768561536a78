// Package wasmbuild compiles the WebAssembly modules, byte for byte the same
// on every machine, and knows when what was built is stale. `go run ./build`
// and the tests that need a module use it; no shipped program does.
package wasmbuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Toolchain is the exact Go release that builds the modules. Another one
// gives other bytes.
const Toolchain = "go1.26.8"

// Spec says what to build.
type Spec struct {
	Package string // directory below the root of the repository
	Tags    string // build tags, separated by commas
	Out     string // where it is kept, below the root and without ".wasm.gz"
	// Env is added to the environment of the go command.
	Env []string
}

// Djedge is the module with the step ABI, committed in build/modules.
func Djedge() Spec { return Spec{Package: "./wasm/djedge", Out: "build/modules/djedge"} }

// Chaos is [Djedge] with an export that traps, spins and eats memory. It is
// for tests and never shipped.
func Chaos() Spec {
	return Spec{Package: "./wasm/djedge", Tags: "chaos", Out: "bin/djedge-chaos"}
}

// Compile builds spec in the repository at root and returns the finished
// module: linked, stripped, with fewer data segments ([Coalesce]), without most
// of their zeros ([Spread]) and with loops that count ([Meter]).
func Compile(ctx context.Context, root string, spec Spec) ([]byte, error) {
	dir, err := os.MkdirTemp("", "djedge-wasm-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "module.wasm")
	args := []string{"build", "-trimpath", "-buildvcs=false", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out}
	if spec.Tags != "" {
		args = append(args, "-tags="+spec.Tags)
	}
	if _, err := goCommand(ctx, root, spec, append(args, spec.Package)...); err != nil {
		return nil, fmt.Errorf("build %s: %w", spec.Package, err)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	if raw, err = Coalesce(raw); err != nil {
		return nil, fmt.Errorf("coalesce %s: %w", spec.Package, err)
	}
	if raw, err = Spread(raw); err != nil {
		return nil, fmt.Errorf("spread %s: %w", spec.Package, err)
	}
	if raw, err = Meter(raw); err != nil {
		return nil, fmt.Errorf("meter %s: %w", spec.Package, err)
	}
	return raw, nil
}

// goCommand runs the pinned toolchain for wasip1. Nothing of the caller's
// configuration of go that could change the output is passed on.
func goCommand(ctx context.Context, root string, spec Spec, args ...string) ([]byte, error) {
	toolchain := Toolchain
	if runtime.Version() == Toolchain {
		toolchain = "local" // works without a network, too
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(),
		"GOOS=wasip1", "GOARCH=wasm", "GOTOOLCHAIN="+toolchain,
		"GOFLAGS=", "GOWASM=", "GOEXPERIMENT=", "GODEBUG=", "GOWORK=off", "CGO_ENABLED=0", "GO111MODULE=on")
	cmd.Env = append(cmd.Env, spec.Env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}

// Root is the directory of go.mod at or above the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir) // as the go command prints it
	}
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod here or above: run this inside the repository")
		}
		dir = parent
	}
}
