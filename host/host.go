package host

import (
	"context"
	"errors"
	"net/http"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// Host is one Django site as seen from here. It is safe for concurrent use.
type Host struct{}

// New connects the parts of config and checks them: the tables and their
// columns are looked up, and every setting is validated.
func New(ctx context.Context, config Config) (*Host, error) {
	return nil, errors.ErrUnsupported
}

// Do runs one operation. It fills op's Hint and supplies the effects.
func (h *Host) Do(ctx context.Context, op *abi.Op) *abi.Result { return &abi.Result{} }

// Columns are the columns of a user, in the order of [abi.Result].User.
func (h *Host) Columns() []query.Column { return nil }

// Summary is what the rules see of r: its method, target, host, scheme and
// the headers that they name. The scheme is that of the connection; a caller
// who trusts a proxy's word for it replaces it.
func (h *Host) Summary(r *http.Request) gate.Request { return gate.Request{} }

// Ping asks whether the database answers.
func (h *Host) Ping(ctx context.Context) error { return nil }

// Close frees the engine. The database stays open: it is its opener's.
func (h *Host) Close() error { return nil }
