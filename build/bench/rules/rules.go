package rules

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/djedge/djedge/build/bench/measure"
	"github.com/djedge/djedge/build/bench/process"
	"github.com/djedge/djedge/build/bench/report"
	"github.com/djedge/djedge/build/wasmbuild"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/module"
	"github.com/djedge/djedge/wasm/abi"
)

const (
	sessions  = 500 // of different users, each checked once when its bytes are new
	again     = 20  // and then so often
	instances = 32  // at once, to find their memory
)

// Run measures in rounds and keeps files in dir.
func Run(ctx context.Context, r *report.Report, dir string, rounds int) error {
	fx, err := openSite(ctx, dir)
	if err != nil {
		return err
	}
	defer fx.Close()
	ops, err := operations(ctx, fx)
	if err != nil {
		return err
	}
	wasm, err := wasmbuild.Bytes(ctx, wasmbuild.Djedge())
	if err != nil {
		return err
	}
	config := module.Config{WASM: wasm, CacheDir: filepath.Join(dir, "wazero"), Instances: 1}
	if err := os.MkdirAll(config.CacheDir, 0o700); err != nil {
		return err
	}
	engines := map[string]func() host.Engine{
		"native": host.Native,
		"module": func() host.Engine { return module.New(config) },
	}
	fresh, known := map[string][]float64{}, map[string][]float64{}
	var starts []float64
	for range rounds {
		for _, name := range []string{"native", "module"} {
			first, later, err := check(ctx, engines[name](), fx, ops)
			if err != nil {
				return fmt.Errorf("%s engine: %w", name, err)
			}
			fresh[name], known[name] = append(fresh[name], first), append(known[name], later)
		}
		start, err := instance(ctx, config, fx, ops)
		if err != nil {
			return err
		}
		starts = append(starts, start)
	}
	memory, err := instanceMemory(ctx, config, fx, ops)
	if err != nil {
		return err
	}
	show(r, rounds, fresh, known)
	best := measure.Best(starts)
	t := report.Table{
		Title: "Instances of the module", Columns: []string{"", ""},
		Note: fmt.Sprintf("Compiled code at hand. Making one is to instantiate, initialise, configure and close it, beside a check in an instance that is there, best of %d rounds; "+
			"memory is what a process grows by with %d of them, each in the middle of a check.", rounds, instances),
	}
	t.Add("CPU ms to make one", report.Number(best))
	t.Add("memory MB of one", report.Number(memory))
	r.Table(t)
	r.Result(report.InstanceCPU, best, report.Millis)
	r.Result(report.InstanceMemory, memory, report.MB)
	return nil
}

// show reports checks without a database.
func show(r *report.Report, rounds int, fresh, known map[string][]float64) {
	t := report.Table{
		Title:   "Rules alone",
		Columns: []string{"", "native µs", "module µs", "module ÷ native", "wazero adds µs"},
		Note: fmt.Sprintf("CPU of a check whose rows come from a map, best of %d rounds: each of %d sessions once in a new engine, and %d times again.",
			rounds, sessions, again),
	}
	for _, c := range []struct {
		name, result string
		micros       map[string][]float64
	}{
		{"bytes not verified before", report.WazeroFresh, fresh},
		{"bytes verified before", report.WazeroVerified, known},
	} {
		native, inside := measure.Best(c.micros["native"]), measure.Best(c.micros["module"])
		t.Add(c.name, report.Number(native), report.Number(inside), report.Number(inside/native), report.Number(inside-native))
		r.Result("rules alone, module ÷ native, "+c.name, inside/native, report.Times)
		r.Result(c.result, inside-native, report.Micros)
	}
	r.Table(t)
}

// operations is a check of each of some users, whose rows are in the map.
func operations(ctx context.Context, fx *site) ([]*abi.Op, error) {
	e := host.Native()
	if _, err := e.Configure(ctx, settings()); err != nil {
		return nil, err
	}
	defer e.Close(ctx)
	ops := make([]*abi.Op, sessions)
	for i := range ops {
		var err error
		if ops[i], err = fx.register(ctx, e, fmt.Sprintf("user%d", i)); err != nil {
			return nil, err
		}
	}
	return ops, nil
}

var errRefused = errors.New("a check was refused")

// do checks all, times over, and returns the CPU of each check in microseconds.
func do(ctx context.Context, e host.Engine, fx *site, ops []*abi.Op, times int) (float64, error) {
	before, err := process.Clock(os.Getpid())
	if err != nil {
		return 0, err
	}
	for range times {
		for _, op := range ops {
			if e.Do(ctx, op, fx).Decision.Outcome != gate.Allow {
				return 0, errRefused
			}
		}
	}
	after, err := process.Clock(os.Getpid())
	return float64((after-before)/time.Nanosecond) / 1e3 / float64(times*len(ops)), err
}

// check configures an engine and checks every session once, and then again.
func check(ctx context.Context, e host.Engine, fx *site, ops []*abi.Op) (first, later float64, err error) {
	if _, err := e.Configure(ctx, settings()); err != nil {
		return 0, 0, err
	}
	defer e.Close(ctx)
	// What comes with the first check of all is no session's; the last one pays for it.
	last := len(ops) - 1
	if _, err := do(ctx, e, fx, ops[last:], 50); err != nil {
		return 0, 0, err
	}
	if first, err = do(ctx, e, fx, ops[:last], 1); err != nil {
		return 0, 0, err
	}
	later, err = do(ctx, e, fx, ops[:last], again)
	return first, later, err
}

// instance is the CPU of making an instance, in milliseconds.
func instance(ctx context.Context, config module.Config, fx *site, ops []*abi.Op) (float64, error) {
	cost := func(requests int) (float64, error) {
		config.MaxRequests = requests
		e := module.New(config)
		if _, err := e.Configure(ctx, settings()); err != nil {
			return 0, err
		}
		defer e.Close(ctx)
		if _, err := do(ctx, e, fx, ops[:1], 3); err != nil {
			return 0, err
		}
		return do(ctx, e, fx, ops[:1], 50)
	}
	shared, err := cost(0)
	if err != nil {
		return 0, err
	}
	alone, err := cost(1)
	return (alone - shared) / 1e3, err
}

// instanceMemory is the memory of one instance in megabytes.
func instanceMemory(ctx context.Context, config module.Config, fx *site, ops []*abi.Op) (float64, error) {
	config.Instances, config.InFlight = instances, 1
	e := module.New(config)
	if _, err := e.Configure(ctx, settings()); err != nil {
		return 0, err
	}
	defer e.Close(ctx)
	debug.FreeOSMemory()
	before, err := resident()
	if err != nil {
		return 0, err
	}
	holding := &site{DB: fx.DB, hold: make(chan struct{}), held: make(chan struct{})}
	var group sync.WaitGroup
	for i := range instances {
		group.Go(func() { e.Do(ctx, ops[i], holding) })
	}
	for range instances {
		select {
		case <-holding.held:
		case <-time.After(20 * time.Second):
			close(holding.hold)
			return 0, fmt.Errorf("fewer than %d instances", instances)
		}
	}
	debug.FreeOSMemory()
	after, err := resident()
	close(holding.hold)
	// One was there before. Whoever asks a second time is not counted.
	go func() {
		for range holding.held {
		}
	}()
	group.Wait()
	close(holding.held)
	return (after - before) / (instances - 1), err
}

// resident is the memory of this process in megabytes. Instances share pages,
// which count here once and not as often as they are mapped.
func resident() (float64, error) {
	b, err := os.ReadFile("/proc/self/smaps_rollup")
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			var kib float64
			_, err := fmt.Sscanf(rest, "%f kB", &kib)
			return kib * 1024 / 1e6, err
		}
	}
	return 0, errors.Join(err, errors.New("the system does not say how much memory is shared"))
}
