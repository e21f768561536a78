package host

import (
	"context"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/wasm/abi"
)

// Engine runs the rules: natively, or inside the WebAssembly module.
// An Engine belongs to one [Host].
type Engine interface {
	// Configure is called once, before Do. It returns the statements that
	// the rules will ask for. An error names the setting that was wrong.
	Configure(ctx context.Context, settings []abi.Setting) ([]query.Statement, error)
	// Do runs one operation. What cannot be decided is a decision with
	// outcome Error; Do itself never fails, so that nothing can be let in
	// by forgetting an error.
	Do(ctx context.Context, op *abi.Op, fx djuser.Effects) *abi.Result
	// Close frees everything. No Do may be running.
	Close(ctx context.Context) error
}

// DB answers statements. Implementations: host/postgres, host/sqldb.
type DB interface {
	Dialect() query.Dialect
	// Query is as [djsession.Effects] says. It must honour ctx's deadline.
	Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error)
	Ping(ctx context.Context) error
	Close() error
}
