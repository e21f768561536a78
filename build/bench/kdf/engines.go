package kdf

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/djedge/djedge/build/bench/process"
)

// Baseline is the engine that all others are compared with: Python's hashlib, which is OpenSSL, and argon2-cffi.
const Baseline = "Python"

// engine derives keys in a process of its own: a line of build/bench/kdfguest in, the key in hexadecimal out.
type engine struct {
	name string
	keys float64 // derived for each line
	in   io.WriteCloser
	out  *bufio.Reader
	end  io.Closer // of out
	p    *process.Process
}

// derive returns the key in hexadecimal and the CPU time of one.
func (e *engine) derive(line string) (string, time.Duration, error) {
	before, err := process.Clock(e.p.PID)
	if err != nil {
		return "", 0, err
	}
	if _, err := io.WriteString(e.in, line+"\n"); err != nil {
		return "", 0, fmt.Errorf("%s: %w\n%s", e.name, err, e.p.Tail())
	}
	answer, err := e.out.ReadString('\n')
	if err != nil {
		return "", 0, fmt.Errorf("%s: %w\n%s", e.name, err, e.p.Tail())
	}
	after, err := process.Clock(e.p.PID)
	if err != nil {
		return "", 0, err
	}
	key, _, _ := strings.Cut(strings.TrimSpace(answer), " ")
	return key, time.Duration(float64(after-before) / e.keys), nil
}

func (e *engine) stop() {
	e.in.Close()
	e.p.Stop(syscall.SIGTERM)
	e.end.Close()
}

// Engine is how one is started.
type Engine struct {
	Name    string
	Keys    int // derived for each line; 0 is one
	Command []string
	Missing string // why there is none, instead of Command
}

func (e Engine) start(ctx context.Context, dir string) (*engine, error) {
	cmd := exec.CommandContext(ctx, e.Command[0], e.Command[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	// The process package waits for the end by itself, and Wait would close a StdoutPipe too early.
	out, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	cmd.Stdout = w
	p, err := process.Start(e.Name, dir, cmd)
	if err != nil {
		out.Close()
		return nil, err
	}
	return &engine{name: e.Name, keys: float64(max(e.Keys, 1)), in: in, out: bufio.NewReader(out), end: out, p: p}, nil
}

// Engines builds the programs in dir and returns all engines, the baseline first. Root is the repository's, and python
// one with argon2-cffi and wasmtime.
func Engines(ctx context.Context, root, dir, python string) ([]Engine, error) {
	native, host, guest := filepath.Join(dir, "kdf"), filepath.Join(dir, "kdfhost"), filepath.Join(dir, "kdf.wasm")
	for _, b := range []struct {
		out, pkg string
		env      []string
	}{
		{native, "./build/bench/kdfguest", nil},
		{host, "./build/bench/kdfhost", nil},
		{guest, "./build/bench/kdfguest", []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"}},
	} {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", b.out, b.pkg)
		cmd.Dir, cmd.Env = root, append(os.Environ(), b.env...)
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building %s: %w\n%s", b.pkg, err, text)
		}
	}
	scripts := filepath.Join(root, "build", "bench", "kdf")
	engines := []Engine{
		{Name: Baseline, Command: []string{python, filepath.Join(scripts, "hashlib_keys.py")}},
		{Name: "native", Command: []string{native}},
		{Name: "two", Keys: 2, Command: []string{host, "two"}},
		{Name: "wazero", Command: []string{host, "wazero", guest}},
		{Name: "wasmtime", Command: []string{python, filepath.Join(scripts, "wasmtime_keys.py"), guest}},
		{Name: "node", Command: []string{"node", filepath.Join(scripts, "node_keys.mjs"), guest}},
	}
	for i := range engines {
		if _, err := exec.LookPath(engines[i].Command[0]); err != nil {
			engines[i].Missing = "there is no " + engines[i].Command[0]
		}
	}
	return engines, nil
}
