// Package host runs the rules of djsession and djuser in a Go program: it
// gives them a database, a clock, randomness and a bounded place to hash
// passwords, and gives net/http a middleware.
//
//	db, err := postgres.Open(ctx, "postgres://…")
//	edge, err := host.New(ctx, host.Config{DB: db, SecretKey: secret, DjangoVersion: "5.2"})
//	mux.Handle("/reports/", edge.Require(gate.Staff, reports))
//
// Every request is decided by what the database says now: a logout, a changed
// password or a deactivated user counts from the next request on (but for
// Config.MaxStaleness). What cannot
// be decided, because the database is away or too many passwords are being
// hashed, is an error (503) and never an anonymous user.
package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// Host is one Django site as seen from here. It is safe for concurrent use.
type Host struct {
	db       DB
	storage  Storage // nil: none
	engine   Engine
	gate     *gate.Gate
	log      *slog.Logger
	timeout  time.Duration
	maxValue int // bytes of a cached value that the rules are shown
	kdf      KDF
	writes   bool   // Config.WritesOnReads
	cookie   string // the session cookie's name
	hashes   *hashQueue
	hints    *hints            // nil: none
	recent   *djsession.Recent // nil: every row is read when it is asked for
	columns  []query.Column
	position map[string]int // in columns
	pk       int            // in columns
	headers  []string       // canonical names that a summary takes from the request as they are

	saveEvery bool           // Config.SessionSaveEveryRequest
	dates     bool           // this Django can store when a session expires
	zone      *time.Location // of a site without USE_TZ, else nil
}

// Columns are the columns of a user, in the order of [abi.Result].User. The
// result is shared; it must not be changed.
func (h *Host) Columns() []query.Column { return h.columns }

// Do runs one operation and supplies its effects. For an operation on a
// request it remembers which user a session belongs to, so that the next one
// reads both rows at once; a Hint that the caller gives is left alone. It
// never fails and never panics: what cannot be decided is a decision with
// outcome [gate.Error].
func (h *Host) Do(ctx context.Context, op *abi.Op) (result *abi.Result) {
	if !mayStop(op.Kind) {
		ctx = context.WithoutCancel(ctx)
	}
	fx := effects{host: h}
	defer func() {
		fx.release()
		if p := recover(); p != nil {
			// Not the value itself, which might hold anything.
			h.log.LogAttrs(ctx, slog.LevelError, "the engine panicked",
				slog.String("type", fmt.Sprintf("%T", p)), slog.String("stack", string(debug.Stack())))
			result = step.Failure(gate.ReasonInternal, "the engine panicked")
		}
	}()
	if h.hints == nil || !hasUser(op.Kind) {
		return h.run(ctx, op, &fx)
	}
	key, _ := h.gate.SessionKey(op.Request)
	hinted := *op
	remembered := query.Null()
	if hinted.Hint.IsNull() {
		remembered = h.hints.get(key)
		hinted.Hint = remembered
	}
	result = h.run(ctx, &hinted, &fx)
	if !remembered.IsNull() && result.SessionKey == key && h.pk < len(result.User) && result.User[h.pk] == remembered {
		return result // as is known
	}
	h.learn(key, op.Kind, result)
	return result
}

func (h *Host) run(ctx context.Context, op *abi.Op, fx *effects) *abi.Result {
	// Old rows let somebody in, and keep nobody out: who was let in elsewhere a
	// moment ago is asked for again.
	fx.mayBeOld = h.recent != nil && (op.Kind == abi.OpCheck || op.Kind == abi.OpLoadUser || op.Kind == abi.OpPermissions || op.Kind == abi.OpVisit)
	result := h.engine.Do(ctx, op, fx)
	if fx.old && result != nil && (result.Decision.Outcome != gate.Allow || result.Decision.Reason != gate.ReasonOK) {
		fx.fresh, fx.old = true, false
		result = h.engine.Do(ctx, op, fx)
	}
	if result == nil {
		return step.Failure(gate.ReasonInternal, "the engine gave no result")
	}
	return result
}

// mayStop reports whether an operation ends when its client goes away. Those
// that change something must not be left half done: a session whose row is
// gone but not its entry in the cache would live on. Each of their effects has
// a deadline of its own. Those that hash a stranger's password first may stop
// until they write, see effects.keep.
func mayStop(kind abi.OpKind) bool {
	switch kind {
	case abi.OpLogout, abi.OpSetPassword, abi.OpSaveUser, abi.OpSessionSave, abi.OpSessionFlush, abi.OpSessionCycle,
		abi.OpClearExpired, abi.OpCSRFToken:
		return false
	}
	return true
}

// hasUser reports whether an operation may read the user of a request's session.
func hasUser(kind abi.OpKind) bool {
	switch kind {
	case abi.OpCheck, abi.OpLoadUser, abi.OpPermissions, abi.OpVisit, abi.OpLogin, abi.OpLogout, abi.OpRegister, abi.OpChangePassword:
		return true
	}
	return false
}

// learn keeps what result says about the session that was asked for, key, and
// about the one that lives now.
func (h *Host) learn(key string, kind abi.OpKind, result *abi.Result) {
	known := result.SessionKey != "" && h.pk < len(result.User)
	switch {
	case result.Decision.Outcome == gate.Error:
	case known:
		if key != result.SessionKey {
			h.hints.remove(key)
		}
		h.hints.put(result.SessionKey, result.User[h.pk])
	case kind == abi.OpCheck, kind == abi.OpLoadUser, kind == abi.OpPermissions, kind == abi.OpVisit, result.Decision.Outcome == gate.Allow:
		h.hints.remove(key)
	}
}

// Summary is what the rules see of r: its method, target, host, scheme and
// the headers that they name. The scheme is that of the connection; a caller
// who trusts a proxy's word for it replaces it.
func (h *Host) Summary(r *http.Request) gate.Request {
	summary := target(r)
	for _, name := range h.headers {
		values := r.Header[name]
		if summary.Headers == nil && len(values) > 0 {
			summary.Headers = make([]gate.Header, 0, len(values)+3) // Cookie, and of unsafe requests others
		}
		for _, value := range values {
			summary.Headers = append(summary.Headers, gate.Header{Name: name, Value: value})
		}
	}
	// net/http keeps these two apart from the headers, and HTTP/2 needs neither.
	if r.ContentLength > 0 {
		summary.Headers = append(summary.Headers, gate.Header{Name: "Content-Length", Value: strconv.FormatInt(r.ContentLength, 10)})
	} else if r.ContentLength < 0 || len(r.TransferEncoding) > 0 {
		summary.Headers = append(summary.Headers, gate.Header{Name: "Transfer-Encoding", Value: "chunked"})
	}
	return summary
}

// target is a summary without headers.
func target(r *http.Request) gate.Request {
	summary := gate.Request{Method: r.Method, URI: r.RequestURI, Host: r.Host, Scheme: "http"}
	if r.TLS != nil {
		summary.Scheme = "https"
	}
	if summary.URI == "" && r.URL != nil { // not from a server
		summary.URI = r.URL.RequestURI()
	}
	return summary
}

// Ping asks whether the database answers, within the deadline of a query.
func (h *Host) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	return h.db.Ping(ctx)
}

// Close frees the engine and the hasher; no operation may be running. The database stays
// open: it is its opener's.
func (h *Host) Close() error {
	return errors.Join(h.hashes.hasher.Close(), h.engine.Close(context.Background()))
}
