package host

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

var (
	// ErrAnonymous is the answer to a question about a user when nobody is logged in.
	ErrAnonymous = errors.New("nobody is logged in")
	// ErrSent: the response has begun, and the session was saved or not. It
	// cannot be changed any more.
	ErrSent = errors.New("the session cannot be changed: the response has begun")

	errNoMiddleware = errors.New("the request did not pass host.Middleware or host.Require")
	errReadOnly     = errors.New("the session cannot be changed: the request did not pass host.Middleware")
)

// visit is what is known of the sender of one request. Results are kept, so
// that the database is asked once; errors are not, so that a caller who gave
// up early does not decide for the others.
type visit struct {
	host    *Host
	request gate.Request // without headers
	saves   bool         // Middleware saves the session

	came []string // the cookies, as they came

	mu      sync.Mutex
	cookies []string // came, or the session's alone after it moved to another key
	user    *abi.Result
	granted *abi.Result // OpPermissions
	session djsession.State
	asked   bool // for the user or the session, whatever came of it
	sent    bool // the response has begun
}

func (h *Host) visit(r *http.Request) *visit {
	cookies := r.Header["Cookie"]
	return &visit{host: h, request: target(r), came: cookies, cookies: cookies}
}

// takeOver begins with what another visit of the same request has found out.
func (v *visit) takeOver(outer *visit) {
	outer.mu.Lock()
	defer outer.mu.Unlock()
	v.came, v.cookies = outer.came, outer.cookies
	v.user, v.granted, v.session, v.asked = outer.user, outer.granted, outer.session, outer.asked
	v.session.Items = slices.Clone(v.session.Items)
}

// visitOf is the innermost visit that r passed, or nil.
func visitOf(r *http.Request) *visit {
	v, _ := r.Context().Value(visitKey{}).(*visit)
	return v
}

// do runs an operation on the request, and gives an error unless it was
// allowed. The lock is held, here and in what follows.
func (v *visit) do(ctx context.Context, kind abi.OpKind) (*abi.Result, error) {
	result := v.host.Do(ctx, v.op(kind))
	return result, refused(result)
}

// op has the cookies that came where it is asked whether there was one: the
// session's key is in its state then.
func (v *visit) op(kind abi.OpKind) *abi.Op {
	op := &abi.Op{Kind: kind, Request: v.request, Session: v.session}
	cookies := v.cookies
	if kind == abi.OpSessionSave {
		cookies = v.came
	}
	for _, cookie := range cookies {
		op.Request.Headers = append(op.Request.Headers, gate.Header{Name: "Cookie", Value: cookie})
	}
	return op
}

// loadUser takes the lock.
func (v *visit) loadUser(ctx context.Context) (*abi.Result, error) {
	if v == nil {
		return nil, errNoMiddleware
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.user != nil {
		return v.user, nil
	}
	v.asked = true
	result, err := v.do(ctx, abi.OpLoadUser)
	if err != nil {
		return nil, fmt.Errorf("load the request's user: %w", err)
	}
	v.keep(result)
	return result, nil
}

// loadGranted takes the lock. It asks once more for the user, who may have
// been read without.
func (v *visit) loadGranted(ctx context.Context) (*abi.Result, error) {
	if v == nil {
		return nil, errNoMiddleware
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.granted != nil {
		return v.granted, nil
	}
	v.asked = true
	result, err := v.do(ctx, abi.OpPermissions)
	if err != nil {
		return nil, fmt.Errorf("load the permissions of the request's user: %w", err)
	}
	v.keep(result)
	v.granted = result
	return result, nil
}

// summary is r as the rules see it, with the session where it is by now.
func (v *visit) summary(r *http.Request) gate.Request {
	v.mu.Lock()
	defer v.mu.Unlock()
	summary := v.host.Summary(r)
	summary.Headers = slices.DeleteFunc(summary.Headers, func(h gate.Header) bool { return h.Name == "Cookie" })
	for _, cookie := range v.cookies {
		summary.Headers = append(summary.Headers, gate.Header{Name: "Cookie", Value: cookie})
	}
	return summary
}

// enter is keep, with the lock.
func (v *visit) enter(user *abi.Result) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keep(user)
}

// keep takes what was found out about the user. A session that moved to
// another key meanwhile is found under that from now on.
func (v *visit) keep(user *abi.Result) {
	v.user, v.asked = user, true
	v.granted = nil // of whoever was the user before
	if len(user.Decision.Cookies) > 0 {
		v.move(user.SessionKey)
		return
	}
	if !v.session.Resolved {
		v.session.Key, v.session.Resolved = user.SessionKey, true
	}
	v.session.Accessed = true
}

// move is for a session that is stored under another key now, or ended ("").
// What was loaded of it is out of date.
func (v *visit) move(key string) {
	v.cookies = []string{v.host.cookie + "=" + key}
	v.session = djsession.State{Key: key, Resolved: true, Accessed: true}
}

// load reads the session, unless it was before.
func (v *visit) load(ctx context.Context) error {
	if v.session.Loaded {
		v.session.Accessed = true
		return nil
	}
	v.asked = true
	result, err := v.do(ctx, abi.OpSessionLoad)
	if err != nil {
		return fmt.Errorf("load the request's session: %w", err)
	}
	v.take(result)
	return nil
}

// take takes the session that an operation gave.
func (v *visit) take(result *abi.Result) {
	v.asked = true
	v.session = djsession.State{
		Key: result.SessionKey, Resolved: true, Loaded: true, Accessed: true,
		Modified: v.session.Modified || result.SessionModified, Items: result.Session,
	}
}

// save does at the response with this status what Django does. A nil result
// means that there was nothing to do. It takes the lock, and from now on
// nothing can be changed.
func (v *visit) save(ctx context.Context, status int) (result *abi.Result, vary bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sent = true
	op := v.op(abi.OpSessionSave)
	if !v.session.Accessed && !v.session.Modified && !v.host.saveEvery {
		// Only a cookie that is no session key has a consequence now.
		if key, present := v.host.gate.SessionKey(op.Request); !present || djsession.ValidKey(key) {
			return nil, v.asked
		}
	}
	op.Status = status
	result = v.host.Do(ctx, op)
	return result, v.asked || result.Decision.Vary
}
