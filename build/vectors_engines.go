package main

import (
	"context"
	"slices"
	"sync"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// maxOpen is how many engines are open beside those in use. Each holds the
// compiled module and some instances of it, about 75 MB, and the vectors have
// more than a hundred configurations.
const maxOpen = 16

// shelf is the engines of one kind, of which few are open at a time.
type shelf struct {
	make func() host.Engine
	mu   sync.Mutex
	open []*shelved // the least recently used first
}

// shelved is an engine that is closed when others are wanted, and opened again.
type shelved struct {
	shelf    *shelf
	settings []abi.Setting
	engine   host.Engine // nil while it is closed
	used     int         // operations in it
}

func (s *shelf) engine() host.Engine { return &shelved{shelf: s} }

// Configure implements [host.Engine].
func (e *shelved) Configure(ctx context.Context, settings []abi.Setting) ([]query.Statement, error) {
	e.settings = slices.Clone(settings)
	statements, err := e.acquire(ctx)
	e.release()
	return statements, err
}

// Do implements [host.Engine].
func (e *shelved) Do(ctx context.Context, op *abi.Op, fx djuser.Effects) *abi.Result {
	defer e.release()
	if _, err := e.acquire(ctx); err != nil {
		return step.Failure(gate.ReasonInternal, err.Error())
	}
	return e.engine.Do(ctx, op, fx)
}

// acquire opens the engine for one operation, and has the statements when it
// was closed; release must follow, also after an error.
func (e *shelved) acquire(ctx context.Context) (statements []query.Statement, err error) {
	s := e.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	e.used++
	if e.engine == nil {
		engine := s.make()
		if statements, err = engine.Configure(ctx, e.settings); err != nil {
			return nil, err
		}
		e.engine = engine
	}
	s.open = append(slices.DeleteFunc(s.open, func(other *shelved) bool { return other == e }), e)
	return statements, nil
}

func (e *shelved) release() {
	s := e.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	e.used--
	for i := 0; len(s.open) > maxOpen && i < len(s.open); {
		if old := s.open[i]; old.used == 0 {
			_ = old.engine.Close(context.Background())
			old.engine = nil
			s.open = slices.Delete(s.open, i, i+1)
		} else {
			i++
		}
	}
}

// Close implements [host.Engine].
func (e *shelved) Close(ctx context.Context) error {
	s := e.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.engine == nil {
		return nil
	}
	s.open = slices.DeleteFunc(s.open, func(other *shelved) bool { return other == e })
	err := e.engine.Close(ctx)
	e.engine = nil
	return err
}
