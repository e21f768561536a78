package step

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/abi"
)

const noClock = "the host gave no clock"

// Do runs one operation. It never panics and never returns nil: what cannot
// be decided is a decision with outcome [gate.Error].
func (r *Rules) Do(ctx context.Context, fx djuser.Effects, op *abi.Op) *abi.Result {
	return r.do(ctx, &watched{Effects: fx}, op)
}

func (r *Rules) do(ctx context.Context, w *watched, op *abi.Op) *abi.Result {
	w.cached = r.sessions.Engine() == djsession.EngineCachedDB
	return guarded(w, func(w *watched) (*abi.Result, error) { return r.dispatch(ctx, w, op) })
}

// guarded takes the answer of the rules only if they neither failed nor
// panicked, and nothing that they asked for failed either.
func guarded(w *watched, rules func(*watched) (*abi.Result, error)) (result *abi.Result) {
	defer func() {
		if p := recover(); p != nil {
			result = Failure(gate.ReasonInternal, panicText(p))
		}
	}()
	if !clockSet(w.Now()) {
		return Failure(gate.ReasonInternal, noClock)
	}
	result, err := rules(w)
	if err != nil || w.err != nil {
		return refusal(w, err)
	}
	return result
}

func (r *Rules) dispatch(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	switch op.Kind {
	case abi.OpCheck:
		return r.check(ctx, fx, op)
	case abi.OpLoadUser:
		return r.loadUser(ctx, fx, op)
	case abi.OpSessionLoad:
		return r.loadSession(ctx, fx, op)
	case abi.OpAuthenticate:
		return r.authenticate(ctx, fx, op)
	case abi.OpLogin:
		return r.login(ctx, fx, op)
	case abi.OpLogout:
		return r.logout(ctx, fx, op)
	case abi.OpRegister:
		return r.register(ctx, fx, op)
	case abi.OpChangePassword:
		return r.changePassword(ctx, fx, op)
	case abi.OpSetPassword:
		return allowed(r.users.SetPassword(ctx, fx, op.UserID, op.Password))
	case abi.OpSaveUser:
		return r.saveUser(ctx, fx, op)
	case abi.OpVerifyPassword:
		return r.verifyPassword(ctx, fx, op)
	case abi.OpMakePassword:
		return textual(r.hashers.Make(ctx, fx, fx.Random, op.Password, op.Hasher))
	case abi.OpPermissions:
		return r.permissions(ctx, fx, op)
	case abi.OpVisit:
		return r.visit(ctx, fx, op)
	case abi.OpEval:
		return r.evaluate(ctx, fx, op)
	case abi.OpSessionSave:
		return r.saveSession(ctx, fx, op)
	case abi.OpSessionFlush:
		return r.flushSession(ctx, fx, op)
	case abi.OpSessionCycle:
		return r.cycleSession(ctx, fx, op)
	case abi.OpClearExpired:
		return r.clearExpired(ctx, fx)
	case abi.OpCSRFToken:
		return r.csrfToken(ctx, fx, op)
	}
	return nil, errors.New("unknown operation")
}

// clockSet refuses a clock that was never set: by it no session would expire.
func clockSet(now time.Time) bool { return now.Unix() > 0 }

// refusal turns an error into the decision that it means. A failure of the host
// is the reason for whatever came after it, an answer included.
func refusal(w *watched, err error) *abi.Result {
	var denied *gate.Denied
	switch {
	case w.err != nil:
		return Failure(w.reason, w.err.Error())
	case errors.As(err, &denied):
		return Failure(denied.Reason, denied.Detail)
	case errors.Is(err, djsession.ErrStorage):
		return Failure(gate.ReasonDatabaseUnavailable, err.Error())
	case errors.Is(err, djsession.ErrUnread):
		return Failure(gate.ReasonInternal, djsession.FaultOf(err).Detail()+"; "+err.Error())
	case errors.Is(err, djsession.ErrNoRandomness):
		return Failure(gate.ReasonNoRandomness, "")
	case errors.Is(err, djsession.ErrUpdate):
		return Failure(gate.ReasonSessionDeleted, "")
	case errors.Is(err, password.ErrCost):
		return Failure(gate.ReasonHashCost, err.Error())
	case errors.Is(err, password.ErrUnknownAlgorithm), errors.Is(err, password.ErrMalformed):
		return Failure(gate.ReasonHashUnsupported, err.Error())
	case errors.Is(err, password.ErrPassword):
		return Failure(gate.ReasonPasswordInvalid, err.Error())
	}
	return Failure(gate.ReasonInternal, err.Error())
}

// Failure is a result that lets nobody in. A reason that is the client's to
// mend is a denial; any other means that nothing could be decided.
func Failure(reason gate.Reason, detail string) *abi.Result {
	d := gate.Decision{Outcome: gate.Deny, Status: reason.Status(), Reason: reason, Detail: detail}
	if reason == gate.ReasonOK || d.Status < 400 {
		d.Reason, d.Status = gate.ReasonInternal, gate.ReasonInternal.Status()
	}
	if d.Status >= 500 {
		d.Outcome = gate.Error
	}
	return &abi.Result{Decision: d}
}

// success is a decision about no request in particular.
func success() *abi.Result {
	return &abi.Result{Decision: gate.Decision{Outcome: gate.Allow, Status: 200, Reason: gate.ReasonOK}}
}

func allowed(err error) (*abi.Result, error) {
	if err != nil {
		return nil, err
	}
	return success(), nil
}

func textual(text string, err error) (*abi.Result, error) {
	if err != nil {
		return nil, err
	}
	result := success()
	result.Text = text
	return result, nil
}

// panicText says what went wrong without the values of a custom panic, which
// might hold anything.
func panicText(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return "panic: " + err.Error()
	}
	return "panic"
}
