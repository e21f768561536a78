package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/djedge/djedge/build/bench/report"
)

// js is the part about the npm package: its own benchmark, in Node, beside hash-wasm.
func (r *run) js(ctx context.Context) error {
	// The site is one that the package's tests are made for, with every password hasher.
	for _, name := range []string{"js", "django52"} {
		if err := r.install(ctx, name); err != nil {
			return err
		}
	}
	node := r.node()
	if _, err := exec.LookPath(node); err != nil {
		r.Say("the npm package is not measured: there is no %s", node)
		return nil
	}
	r.Say("the npm package, in Node")
	// What is measured is the repository's module, not one that was once put beside the package.
	if _, err := r.output(ctx, node, "scripts/pack.mjs"); err != nil {
		return err
	}
	site, err := r.output(ctx, r.component("django52/bin/python"), "test/site.py", "make", filepath.Join(r.dir, "js.sqlite3"))
	if err != nil {
		return err
	}
	file := filepath.Join(r.dir, "js.json")
	if err := os.WriteFile(file, site, 0o600); err != nil {
		return err
	}
	text, err := r.output(ctx, node, "bench.mjs", file, r.component("js/node_modules"))
	if err != nil {
		return err
	}
	results, err := parseResults(text, report.JSCheck, report.JSPBKDF2)
	if err != nil {
		return fmt.Errorf("bench.mjs: %w", err)
	}
	showJS(r.Report, results)
	return nil
}

// node is the components' Node, which they have for Linux on amd64, and else the one of this machine.
func (r *run) node() string {
	if node := r.component("js/node_modules/node24/bin/node"); exists(node) {
		return node
	}
	return "node"
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// output is what a program prints that runs in the package's directory.
func (r *run) output(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = filepath.Join(r.Root, "wasm", "js")
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.Join(context.Cause(ctx), fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), args[0], err, stderr.Bytes()))
	}
	return out, nil
}

// parseResults reads the lines of JSON among other lines, each a result with a unit. The wanted names must be there,
// and no name twice.
func parseResults(text []byte, wanted ...string) ([]report.Result, error) {
	var results []report.Result
	seen := map[string]bool{}
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("{")) {
			continue
		}
		var result report.Result
		if err := json.Unmarshal(line, &result); err != nil {
			return nil, fmt.Errorf("%.100q: %w", line, err)
		}
		if result.Name == "" || result.Unit == "" || result.Ratio <= 0 || seen[result.Name] {
			return nil, fmt.Errorf("%.100q is no result", line)
		}
		seen[result.Name] = true
		results = append(results, result)
	}
	for _, name := range wanted {
		if !seen[name] {
			return nil, fmt.Errorf("there is no %q", name)
		}
	}
	return results, nil
}

// showJS reports the results of the npm package.
func showJS(r *report.Report, results []report.Result) {
	t := report.Table{
		Title:   "The npm package in Node",
		Columns: []string{"", "figure", "unit"},
		Note: "CPU of the process. A check's rows come from a table in memory, always the same ones; best of 7 rounds of 1,000. " +
			"PBKDF2-SHA256 with 100,000 iterations, best of 4 rounds; the module and hash-wasm run in V8, and derive the same key.",
	}
	for _, result := range results {
		t.Add(result.Name, report.Number(result.Ratio), result.Unit)
		r.Result(result.Name, result.Ratio, result.Unit)
	}
	r.Table(t)
}
