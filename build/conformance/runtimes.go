package conformance

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/djedge/djedge/build/bench/process"
	"github.com/djedge/djedge/build/modules"
	"github.com/djedge/djedge/host"
)

// Runtime is a place where the module can run, in a process of its own.
type Runtime struct {
	Name      string
	Component string // what build/components/install must have installed; "" needs nothing
	// Adapter is the file of the adapter, from the repository's root.
	Adapter string
	// command starts the adapter.
	command func(at place) *exec.Cmd
}

// place is where things are while an adapter is started.
type place struct {
	components string // directory
	adapter    string // absolute path
	scratch    string // a directory that holds djedge.wasm
}

func (at place) js(name string) string {
	return filepath.Join(at.components, "js", "node_modules", filepath.FromSlash(name))
}

// Runtimes are all runtimes but those of this repository's own Go hosts.
func Runtimes() []Runtime {
	const js = "wasm/js/conformance/"
	return []Runtime{
		{Name: "wasmtime", Component: "wasmtime", Adapter: "wasm/python/conformance/adapter.py", command: func(at place) *exec.Cmd {
			cmd := exec.Command(filepath.Join(at.components, "wasmtime", "bin", "python"), at.adapter)
			cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
			return cmd
		}},
		{Name: "node", Component: "", Adapter: js + "node.mjs", command: func(at place) *exec.Cmd {
			return exec.Command("node", at.adapter)
		}},
		{Name: "deno", Component: "js", Adapter: js + "deno.mjs", command: func(at place) *exec.Cmd {
			cmd := exec.Command(at.js("@deno/linux-x64-glibc/deno"), "run", "--no-remote", "--no-npm", "--no-config", "--no-prompt",
				"--allow-net=127.0.0.1", "--allow-read", "--allow-env=DJEDGE_WASM", at.adapter)
			cmd.Env = append(os.Environ(), "DENO_DIR="+filepath.Join(at.scratch, "deno"), "DENO_NO_UPDATE_CHECK=1")
			return cmd
		}},
		{Name: "bun", Component: "js", Adapter: js + "bun.mjs", command: func(at place) *exec.Cmd {
			return exec.Command(at.js("@oven/bun-linux-x64/bin/bun"), at.adapter)
		}},
		// Its configuration embeds the module by the path "/djedge.wasm".
		{Name: "workerd", Component: "js", Adapter: js + "workerd.capnp", command: func(at place) *exec.Cmd {
			return exec.Command(at.js("@cloudflare/workerd-linux-64/bin/workerd"), "serve", "--import-path="+at.scratch,
				"--control-fd=1", "--socket-addr=http=127.0.0.1:0", at.adapter)
		}},
	}
}

// Process is a running adapter.
type Process struct {
	process *process.Process
	remote  *remote
	scratch string
}

// ErrNoAdapter means that a runtime's adapter is not in this tree.
var ErrNoAdapter = errors.New("there is no adapter for it")

// Start starts the adapter of a runtime. Root is the repository, components
// the directory that components are installed in.
func (r Runtime) Start(root, components string) (_ *Process, err error) {
	at := place{components: components, adapter: filepath.Join(root, filepath.FromSlash(r.Adapter))}
	if _, err := os.Stat(at.adapter); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", r.Name, ErrNoAdapter, err)
	}
	if at.scratch, err = os.MkdirTemp("", "djedge-conformance-"); err != nil {
		return nil, err
	}
	p := &Process{scratch: at.scratch}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	wasm, err := modules.WASM()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(at.scratch, "djedge.wasm")
	if err := os.WriteFile(path, wasm, 0o600); err != nil {
		return nil, err
	}
	cmd := r.command(at)
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "DJEDGE_WASM="+path)
	var addr string
	if p.process, addr, err = process.StartListening(r.Name, at.scratch, cmd); err != nil {
		return nil, err
	}
	p.remote = newRemote(addr)
	return p, nil
}

// Engine is another engine in the process.
func (p *Process) Engine() host.Engine { return &engine{remote: p.remote} }

// Tail is the end of what the adapter has printed.
func (p *Process) Tail() string { return p.process.Tail() }

// Close ends the process. No engine of it may be used any more.
func (p *Process) Close() error {
	if p.process != nil {
		p.process.Stop(syscall.SIGTERM)
	}
	return os.RemoveAll(p.scratch)
}
