package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/module"
	"github.com/djedge/djedge/wasm/abi"
)

// judge holds the engines that vectors are judged with: one per configuration,
// since sections with a database configure keys and backends.
type judge struct {
	make    func() host.Engine
	workers int         // vectors judged at a time
	cache   string      // compiled modules
	mariadb string      // socket of a server for the section mariadb; "" has a stand-in
	pure    host.Engine // for functions without a database
	mu      sync.Mutex
	engines map[string]host.Engine

	collated map[string][]*collatedSite // not in use, by their kind
	zones    sync.Map                   // offsets by the zone's name
}

// newJudge judges with an engine of this repository's: "native" or "wasm".
func newJudge(kind string) (*judge, error) {
	cache, err := os.MkdirTemp("", "djedge-vectors-")
	if err != nil {
		return nil, err
	}
	engine := host.Native
	if kind == "wasm" {
		all := &shelf{make: func() host.Engine {
			return module.New(module.Config{CacheDir: cache, Timeout: 5 * time.Minute})
		}}
		engine = all.engine
	}
	j, err := newJudgeOf(engine, runtime.GOMAXPROCS(0))
	if err != nil {
		_ = os.RemoveAll(cache)
		return nil, err
	}
	j.cache = cache
	return j, nil
}

// newJudgeOf judges with the engines that another kind of host makes.
func newJudgeOf(engine func() host.Engine, workers int) (*judge, error) {
	j := &judge{make: engine, workers: workers, engines: map[string]host.Engine{}, collated: map[string][]*collatedSite{}}
	var err error
	if j.pure, err = j.engine(host.KeySettings(signing.DeriveKeys("", "functions take their keys from the vector", nil))); err != nil {
		return nil, err
	}
	return j, nil
}

func (j *judge) close() {
	for _, kept := range j.collated {
		for _, s := range kept {
			s.close()
		}
	}
	for _, e := range j.engines {
		_ = e.Close(context.Background())
	}
	if j.cache != "" {
		_ = os.RemoveAll(j.cache)
	}
}

// engine is the engine of these settings.
func (j *judge) engine(settings []abi.Setting) (host.Engine, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	key := fmt.Sprint(settings)
	if e := j.engines[key]; e != nil {
		return e, nil
	}
	e := j.make()
	if _, err := e.Configure(context.Background(), settings); err != nil {
		return nil, err
	}
	j.engines[key] = e
	return e, nil
}

// refusal is the rules saying no to an evaluation: where Django raises, that passes.
type refusal struct{ detail string }

func (r *refusal) Error() string { return "refused: " + r.detail }

// eval calls a function with these fields of the vector.
func (j *judge) eval(v *vector, function string, fields ...string) (string, error) {
	return j.evalWith(v, function, nil, fields...)
}

// evalWith adds arguments that are not fields; the expectation is never passed on.
func (j *judge) evalWith(v *vector, function string, extra map[string]string, fields ...string) (string, error) {
	args := map[string]string{"version": quote(v.version())}
	for _, name := range fields {
		if raw, ok := v.fields[name]; ok {
			args[name] = string(raw)
		}
	}
	maps.Copy(args, extra)
	return evaluate(j.pure, pureEffects{}, function, args)
}

func evaluate(e host.Engine, fx djuser.Effects, function string, args map[string]string) (string, error) {
	names := slices.Sorted(maps.Keys(args))
	var b strings.Builder
	for i, name := range names {
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		b.WriteString(quote(name) + ":" + args[name])
	}
	b.WriteString("}")
	result := e.Do(context.Background(), &abi.Op{Kind: abi.OpEval, Function: function, Arguments: b.String()}, fx)
	switch result.Decision.Outcome {
	case gate.Allow:
		return result.Text, nil
	case gate.Deny:
		if !strings.HasPrefix(result.Decision.Detail, "eval: ") { // else our own mistake
			return "", &refusal{result.Decision.Detail}
		}
	}
	return "", fmt.Errorf("%s: %s: %s", function, result.Decision.Reason, result.Decision.Detail)
}

// pureEffects have no database, and leave hashing to the engine.
type pureEffects struct{}

func (pureEffects) Now() time.Time { return time.Now().UTC() }

func (pureEffects) Random(_ context.Context, n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := rand.Read(b)
	return b, err
}

func (pureEffects) Query(context.Context, bool, ...query.Statement) ([]query.Result, error) {
	return nil, errors.New("this function has no database")
}

func (pureEffects) Storage(context.Context, djsession.StorageOp) (djsession.StorageResult, error) {
	return djsession.StorageResult{}, errors.New("this function has no storage")
}

func (pureEffects) DeriveKey(context.Context, password.Params, []byte, []byte) ([]byte, error) {
	return nil, password.ErrDeclined
}

func (pureEffects) Yield(ctx context.Context) error { return ctx.Err() }
