// Package bench measures djedge beside what people use instead, everything in one run. `go run ./build bench` is its
// command; see [Config].
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/djedge/djedge/build/bench/kdf"
	"github.com/djedge/djedge/build/bench/report"
	"github.com/djedge/djedge/build/bench/rules"
)

// Config of a run.
type Config struct {
	Root       string // of the repository
	Components string // where what is measured is installed
	Rounds     int    // of requests
	Duration   time.Duration
	KDFRounds  int
	Sessions   int      // users and sessions
	Only       []string // parts of names of rows; none is all
	Write      string   // the page, or ""
	Notes      string   // a file for the end of the page, or ""
	Out        io.Writer
	People     io.Writer
}

// run is one run.
type run struct {
	Config
	*report.Report
	dir     string // for everything temporary
	machine report.Machine
}

// part is a part of the benchmark and the components that it needs.
type part struct {
	name string
	run  func(*run, context.Context) error
}

var parts = []part{
	{"checks", (*run).checks},
	{"logins", (*run).logins},
	{"module", (*run).module},
	{"growth", (*run).growth},
	{"kdf", (*run).kdf},
	{"js", (*run).js},
}

// Parts is the names of the parts, in the order in which they run.
func Parts() []string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	return names
}

// Run measures the named parts, or all. A part that fails does not keep the others from running, but the page from
// being written.
func Run(ctx context.Context, c Config, names ...string) error {
	dir, err := os.MkdirTemp("", "djedge-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// PostgreSQL may run as another user, who must get to its own directory.
	if err := os.Chmod(dir, 0o711); err != nil {
		return err
	}
	r := &run{Config: c, Report: &report.Report{Out: c.Out, People: c.People}, dir: dir, machine: report.ThisMachine(time.Now())}
	var failed []error
	for _, p := range parts {
		if len(names) > 0 && !slices.Contains(names, p.name) {
			continue
		}
		if err := p.run(r, ctx); err != nil {
			failed = append(failed, fmt.Errorf("bench %s: %w", p.name, err))
			r.Say("%s failed: %v", p.name, err)
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
	if len(failed) > 0 || c.Write == "" {
		return errors.Join(failed...)
	}
	return r.write()
}

// write writes the page.
func (r *run) write() error {
	var notes []string
	if r.Notes != "" {
		text, err := os.ReadFile(r.Notes)
		if err != nil {
			return err
		}
		notes = append(notes, string(text))
	}
	page := r.Page(r.machine, "go run ./build bench", notes...)
	return os.WriteFile(r.Write, []byte(page), 0o644)
}

// install installs a component, and says what is wrong when that fails.
func (r *run) install(ctx context.Context, name string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(r.Root, "build", "components", "install"), r.Components, name)
	cmd.Stdout, cmd.Stderr = r.Report.People, r.Report.People
	if err := cmd.Run(); err != nil {
		return errors.Join(context.Cause(ctx), fmt.Errorf("%s cannot be installed: %w", name, err))
	}
	return nil
}

// component is the path of an installed file.
func (r *run) component(path string) string { return filepath.Join(r.Components, path) }

// module is the part about the rules alone, and instances.
func (r *run) module(ctx context.Context) error {
	r.Say("rules and instances")
	return rules.Run(ctx, r.Report, r.dir, r.Rounds)
}

// kdf is the part about passwords.
func (r *run) kdf(ctx context.Context) error {
	if err := r.install(ctx, "bench-kdf"); err != nil {
		return err
	}
	r.Say("password hashing, %d rounds", r.KDFRounds)
	engines, err := kdf.Engines(ctx, r.Root, r.dir, r.component("bench-kdf/bin/python"))
	if err != nil {
		return err
	}
	return kdf.Run(ctx, r.Report, r.dir, engines, r.KDFRounds)
}
