package djsession

import (
	"context"
	"time"

	"github.com/djedge/djedge/djsession/query"
)

// Effects is what the session rules ask of their host. Natively each call is
// answered at once; in WebAssembly it parks the request until the host
// answers. The rules touch nothing else: no clock, no network, no files.
type Effects interface {
	// Now is the current time in UTC, as of the last answer of the host.
	Now() time.Time
	// Random returns n bytes fit for secrets, or an error that wraps
	// [ErrNoRandomness]; then nothing secret may be made.
	Random(ctx context.Context, n int) ([]byte, error)
	// Query runs the statements in one round trip, inside a transaction when
	// atomic. Results are in order. On an error nothing of an atomic call
	// has happened. A broken uniqueness rule is [query.ErrDuplicate].
	Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error)
	// Storage does one operation on the cache or the files where the engine
	// keeps sessions. What is not there is an answer, never an error: an
	// error means that the storage did not answer.
	Storage(ctx context.Context, op StorageOp) (StorageResult, error)
}
