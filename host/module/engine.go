package module

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// engine implements [host.Engine].
type engine struct {
	config Config

	// running is held for reading by every Do and for writing by Close.
	running sync.RWMutex
	open    bool

	loaded             *loaded
	reads, alone, hash *lane
	large              *lane // of reads that would keep others waiting, or lost their instance
	logins             *lane // nil unless Config.HostHashes
	readsWrite         bool  // the site's reads may write, too
	readsFill          bool  // they enter what the database says into the cache
	savesAll           bool  // a response saves its session, changed or not

	cookie string // the session cookie's name and the sign behind it
	seed   maphash.Seed
}

// affinity is the same for requests of one session, and 0 for those without one.
// It decides nothing, so that it need not read cookies quite as the rules do.
func (e *engine) affinity(op *abi.Op) uint64 {
	for i := range op.Request.Headers {
		h := &op.Request.Headers[i]
		if !strings.EqualFold(h.Name, "Cookie") {
			continue
		}
		if _, after, found := strings.Cut(h.Value, e.cookie); found {
			key, _, _ := strings.Cut(after, ";")
			return maphash.String(e.seed, key) | 1<<63
		}
	}
	return 0
}

// Configure implements [host.Engine]. It takes as long as compiling the module.
func (e *engine) Configure(ctx context.Context, settings []abi.Setting) ([]query.Statement, error) {
	e.running.Lock()
	defer e.running.Unlock()
	if e.loaded != nil {
		return nil, errors.New("the engine is configured already")
	}
	config, err := e.config.filled()
	if err != nil {
		return nil, err
	}
	loaded, err := load(ctx, config)
	if err != nil {
		return nil, err
	}
	e.config, e.loaded = config, loaded
	if err := e.configure(settings); err != nil {
		e.loaded = nil
		return nil, errors.Join(err, loaded.close(ctx))
	}
	e.open = true
	return loaded.table.Statements(), nil
}

func (e *engine) configure(settings []abi.Setting) error {
	e.loaded.settings = abi.AppendConfigure(nil, append(slices.Clip(settings), abi.Setting{Name: "shorthand", Value: "true"}))
	e.seed, e.cookie = maphash.MakeSeed(), "sessionid="
	for _, s := range settings {
		switch s.Name {
		case "writes_on_reads":
			e.readsWrite = s.Value != "false"
		case "session_engine":
			e.readsFill = s.Value == string(djsession.EngineCachedDB)
		case "session_cookie_name":
			e.cookie = s.Value + "="
		case "session_save_every_request":
			e.savesAll = s.Value != "false"
		}
	}
	c := e.config
	e.reads = newLane(e.loaded, laneConfig{name: "reads", instances: c.Instances, share: c.InFlight, wait: c.QueueTimeout, steps: steps(c.Timeout), memoryMiB: c.MemoryMiB})
	e.alone = newLane(e.loaded, laneConfig{name: "writes", instances: c.Instances, share: 1, wait: c.QueueTimeout, steps: steps(c.Timeout), memoryMiB: c.MemoryMiB})
	e.large = newLane(e.loaded, laneConfig{name: "large", instances: c.Instances, share: 1, wait: c.QueueTimeout, steps: steps(c.Timeout), memoryMiB: c.MemoryMiB})
	hash := laneConfig{name: "passwords", instances: c.HashInstances, share: 1, wait: c.HashQueueTimeout, steps: steps(c.HashTimeout), memoryMiB: c.HashMemoryMiB}
	e.hash = newLane(e.loaded, hash)
	if c.HostHashes {
		hash.name, hash.instances, hash.share = "logins", c.Instances, c.InFlight
		e.logins = newLane(e.loaded, hash)
	}
	return e.reads.warm()
}

// steps is how many iterations a timeout allows.
func steps(timeout time.Duration) int64 { return timeout.Nanoseconds() }

// Do implements [host.Engine].
func (e *engine) Do(ctx context.Context, op *abi.Op, fx djuser.Effects) *abi.Result {
	e.running.RLock()
	defer e.running.RUnlock()
	if !e.open {
		return step.Failure(gate.ReasonInternal, "the engine is not configured, or closed")
	}
	c := e.classOf(op)
	o := operation{op: op, fx: fx, class: c, affinity: e.affinity(op)}
	result, err := o.run(ctx, c.lane)
	switch {
	case errors.Is(err, errAlone):
		result, err = o.run(ctx, c.repeat)
	case errors.Is(err, errLost) && !o.changed:
		e.config.Logger.WarnContext(ctx, "operation repeated after the loss of its instance", "lane", c.lane.name)
		result, err = o.repeat(ctx)
	}
	switch {
	case err == nil:
		return result
	case errors.Is(err, errBusy):
		return step.Failure(gate.ReasonBusy, err.Error())
	}
	return step.Failure(gate.ReasonInternal, err.Error())
}

// class is where operations of a kind run, where one is repeated alone, and
// what they may ask for. The last is what keeps a module that went wrong in a
// read from writing.
type class struct {
	lane, repeat   *lane
	writes, hashes bool
	fills          bool // may add to the cache, and delete there
	sql            bool // may bring SQL that is not in the table
}

func (e *engine) classOf(op *abi.Op) class {
	switch op.Kind {
	case abi.OpSessionSave:
		if !op.Session.Modified && !e.savesAll { // it says no more than whether the response varies
			return class{lane: e.reads, repeat: e.large}
		}
		return class{lane: e.alone, repeat: e.alone, writes: true}
	case abi.OpCheck, abi.OpLoadUser, abi.OpPermissions, abi.OpVisit, abi.OpSessionLoad:
		if e.readsWrite {
			return class{lane: e.alone, repeat: e.alone, writes: true}
		}
		return class{lane: e.reads, repeat: e.large, fills: e.readsFill}
	case abi.OpSaveUser: // of columns that the caller chooses
		return class{lane: e.alone, repeat: e.alone, writes: true, sql: true}
	case abi.OpLogout, abi.OpSessionFlush, abi.OpSessionCycle, abi.OpClearExpired, abi.OpCSRFToken:
		return class{lane: e.alone, repeat: e.alone, writes: true}
	}
	// Everything else takes a password, or may: eval.
	c := class{lane: e.hash, repeat: e.hash, writes: true, hashes: true, sql: op.Kind == abi.OpEval}
	if e.logins != nil {
		c.lane = e.logins
	}
	return c
}

func (e *engine) lanes() []*lane {
	lanes := []*lane{e.reads, e.alone, e.large, e.hash}
	if e.logins != nil {
		lanes = append(lanes, e.logins)
	}
	return lanes
}

// Close implements [host.Engine]. It waits for every Do.
func (e *engine) Close(ctx context.Context) error {
	e.running.Lock()
	defer e.running.Unlock()
	if !e.open {
		return nil
	}
	e.open = false
	for _, l := range e.lanes() {
		l.close()
	}
	return e.loaded.close(ctx)
}
