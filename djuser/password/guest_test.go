//go:build !wasm

package password

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// inGuest are the tests that run again inside of WebAssembly.
const inGuest = "^Test(Kernels|MemoryKernels|Digests|PBKDF2|Argon2|Scrypt|ScryptSlices|MD5)$"

// TestGuest runs the tests of the kernels as a program of WebAssembly, which has
// kernels of its own, in every engine that is here: the code they make of them differs.
func TestGuest(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the tests for WebAssembly")
	}
	python := "python3"
	if components := os.Getenv("DJEDGE_TEST_COMPONENTS"); components != "" {
		if venv := filepath.Join(components, "bench-kdf", "bin", "python"); exists(venv) {
			python = venv
		}
	}
	binary := filepath.Join(t.TempDir(), "test.wasm")
	build := exec.Command("go", "test", "-c", "-ldflags=-s -w", "-o", binary, ".")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	args := []string{binary, "-test.short", "-test.v", "-test.run=" + inGuest}
	t.Run("wazero", func(t *testing.T) { passes(t, inWazero(t, args)) })
	t.Run("node", func(t *testing.T) {
		if _, err := exec.LookPath("node"); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal("node is needed in CI")
			}
			t.Skip("no node")
		}
		passes(t, output(t, "node", append([]string{"testdata/node.mjs"}, args...)...))
	})
	t.Run("wasmtime", func(t *testing.T) {
		if exec.Command(python, "-c", "import wasmtime").Run() != nil {
			t.Skip("no wasmtime for Python")
		}
		passes(t, output(t, python, append([]string{"testdata/wasmtime.py"}, args...)...))
	})
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func output(t *testing.T, name string, args ...string) []byte {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return out
}

func inWazero(t *testing.T, args []string) []byte {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("wazero would interpret")
	}
	module, err := os.ReadFile(args[0])
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	var out bytes.Buffer
	config := wazero.NewModuleConfig().WithArgs(args...).WithStdout(&out).WithStderr(&out).WithSysNanotime().WithSysWalltime()
	_, err = r.InstantiateWithConfig(ctx, module, config)
	if exit, ok := err.(*sys.ExitError); err != nil && !(ok && exit.ExitCode() == 0) {
		t.Error(err)
	}
	return out.Bytes()
}

// passes wants tests that ran and passed.
func passes(t *testing.T, out []byte) {
	t.Helper()
	if t.Failed() || !bytes.Contains(out, []byte("--- PASS: Test")) || !bytes.HasSuffix(out, []byte("PASS\n")) {
		t.Errorf("the tests did not pass:\n%s", out)
	}
	t.Logf("%d tests", bytes.Count(out, []byte("\n--- PASS: Test")))
}

// TestKernelsGenerated wants the assembly to be what its generator writes.
func TestKernelsGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the generator")
	}
	root := t.TempDir()
	files := []string{"djuser/password/kernels_wasm.s", "djsession/sha2/block_wasm.s"}
	for _, name := range files {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	generator, err := filepath.Abs("kernels_wasm_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command("go", "run", generator)
	run.Dir = filepath.Join(root, "djuser/password")
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range files {
		want, err1 := os.ReadFile(filepath.Join(root, name))
		got, err2 := os.ReadFile(filepath.Join("../..", name))
		if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what go generate writes (%v, %v)", name, err1, err2)
		}
	}
}
