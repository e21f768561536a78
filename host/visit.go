package host

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

var (
	// ErrAnonymous is the answer to a question about a user when nobody is logged in.
	ErrAnonymous = errors.New("nobody is logged in")

	errNoMiddleware = errors.New("the request did not pass host.Middleware or host.Require")
)

// visit is what is known of the sender of one request. Results are kept, so
// that the database is asked once; errors are not, so that a caller who gave
// up early does not decide for the others.
type visit struct {
	host    *Host
	request gate.Request // without headers
	cookies []string

	mu      sync.Mutex
	user    *abi.Result
	session *abi.Result
}

func (h *Host) visit(r *http.Request) *visit {
	return &visit{host: h, request: target(r), cookies: r.Header["Cookie"]}
}

// visitOf is the innermost visit that r passed, or nil.
func visitOf(r *http.Request) *visit {
	v, _ := r.Context().Value(visitKey{}).(*visit)
	return v
}

func (v *visit) load(ctx context.Context, kind abi.OpKind) (*abi.Result, error) {
	if v == nil {
		return nil, errNoMiddleware
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	known := v.user
	if kind == abi.OpSessionLoad {
		known = v.session
	}
	if known != nil {
		return known, nil
	}
	op := abi.Op{Kind: kind, Request: v.request}
	for _, cookie := range v.cookies {
		op.Request.Headers = append(op.Request.Headers, gate.Header{Name: "Cookie", Value: cookie})
	}
	result := v.host.Do(ctx, &op)
	if d := &result.Decision; d.Outcome != gate.Allow {
		return nil, fmt.Errorf("load the request's user or session: %w", &gate.Denied{Reason: d.Reason, Detail: d.Detail})
	}
	if kind == abi.OpSessionLoad {
		v.session = result
	} else {
		v.keep(result)
	}
	return result, nil
}

// keep takes what was found out about the user. A session that moved to
// another key meanwhile is found under that from now on.
func (v *visit) keep(user *abi.Result) {
	v.user = user
	if len(user.Decision.Cookies) > 0 {
		v.cookies = []string{v.host.cookie + "=" + user.SessionKey}
	}
}
