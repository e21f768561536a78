package scenario

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/djedge/djedge/build/modules"
)

// jsDoors are the examples of the JavaScript package, each in its runtime.
func jsDoors() []Door {
	return []Door{
		jsDoor("Node, Express", "node.mjs", func(at place) []string { return []string{"node"} }),
		jsDoor("Deno", "deno.mjs", func(at place) []string {
			return []string{at.js("@deno/linux-x64-glibc/deno"), "run", "--no-remote", "--cached-only", "--node-modules-dir=manual", "--no-lock", "--no-prompt",
				"--allow-net=127.0.0.1", "--allow-read", "--allow-env", "--allow-sys"}
		}),
		jsDoor("Bun, Hono", "bun.mjs", func(at place) []string { return []string{at.js("@oven/bun-linux-x64/bin/bun")} }),
		workerDoor(),
	}
}

// workerDoor bundles its example with Bun, as Wrangler does with its own bundler.
func workerDoor() Door {
	door := jsDoor("workerd", "worker.capnp", func(at place) []string {
		return []string{at.js("@cloudflare/workerd-linux-64/bin/workerd"), "serve", "--control-fd=1", "--socket-addr=http=127.0.0.1:0"}
	})
	start := door.command
	door.command = func(at place, s settings) *exec.Cmd {
		cmd := start(at, s)
		// It opens a connection for every request, which on a busy machine takes longer than others wait.
		cmd.Env = append(cmd.Env, "DJEDGE_TIMEOUT_MS=2500")
		bundle := exec.Command(at.js("@oven/bun-linux-x64/bin/bun"), "build", "worker.mjs", "--outfile=bundle.mjs", "--format=esm", "--target=node",
			"--conditions=workerd", "--external=*.wasm", "--external=cloudflare:sockets", `--define=import.meta.url="file:///worker.mjs"`)
		bundle.Dir = at.scratch
		if out, err := bundle.CombinedOutput(); err != nil && cmd.Err == nil {
			cmd.Err = fmt.Errorf("bundle the worker: %w: %s", err, out)
		}
		return cmd
	}
	return door
}

func jsDoor(name, example string, runtime func(at place) []string) Door {
	return Door{Name: name, Component: "js/node_modules/pg", Engines: []string{"db", "signed_cookies"}, command: func(at place, s settings) *exec.Cmd {
		err := jsProject(at)
		args := append(runtime(at), example)
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = at.scratch
		cmd.Env = append(append(plainEnvironment(), s.environment()...), "DENO_DIR="+filepath.Join(at.scratch, "deno"), "DENO_NO_UPDATE_CHECK=1")
		if err != nil {
			cmd.Err = err
		}
		return cmd
	}}
}

// js is an installed package.
func (at place) js(name string) string {
	return filepath.Join(at.components, "js", "node_modules", filepath.FromSlash(name))
}

// jsProject makes a project of the scratch directory: the examples, and the package installed beside what they use.
func jsProject(at place) error {
	source, own := filepath.Join(at.root, "wasm", "js"), filepath.Join(at.scratch, "node_modules", "djedge")
	if err := os.CopyFS(at.scratch, jsFiles{os.DirFS(filepath.Join(source, "examples"))}); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(own, "src"), os.DirFS(filepath.Join(source, "src"))); err != nil {
		return err
	}
	manifest, err := os.ReadFile(filepath.Join(source, "package.json"))
	if err != nil {
		return err
	}
	wasm, err := modules.WASM()
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		filepath.Join(own, "package.json"):        manifest,
		filepath.Join(own, "djedge.wasm"):         wasm,
		filepath.Join(at.scratch, "package.json"): []byte(`{"private":true,"type":"module","dependencies":{"djedge":"*","express":"*","hono":"*","pg":"*"}}`),
	} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			return err
		}
	}
	for _, name := range []string{"express", "hono", "pg"} {
		if err := os.Symlink(at.js(name), filepath.Join(at.scratch, "node_modules", name)); err != nil {
			return err
		}
	}
	return nil
}

// jsFiles is a directory's own scripts and configuration.
type jsFiles struct{ fs.FS }

func (f jsFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(f.FS, name)
	var scripts []fs.DirEntry
	for _, entry := range all {
		if !entry.IsDir() && (strings.HasSuffix(entry.Name(), ".mjs") || strings.HasSuffix(entry.Name(), ".capnp")) {
			scripts = append(scripts, entry)
		}
	}
	return scripts, err
}
