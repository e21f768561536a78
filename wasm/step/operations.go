package step

import (
	"context"
	"errors"
	"slices"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// visitor is who sent a request.
type visitor struct {
	session *djsession.Session // never nil
	user    *djuser.User       // nil: nobody, for the reason why
	why     gate.Reason
	grants  gate.Grants // nil when they were not asked for
	cookie  bool        // the request had a session cookie, good or bad
	key     string      // what the cookie said
}

// visitor reads the request's session and its user. A database that did not
// answer is an error here, never an anonymous visitor.
func (r *Rules) visitor(ctx context.Context, fx *watched, op *abi.Op) (visitor, error) {
	key, present := r.gate.SessionKey(op.Request)
	v := visitor{cookie: present, key: key, why: gate.ReasonNoSession}
	if present && djsession.ValidKey(key) {
		var err error
		if v.session, v.user, v.why, err = r.users.FromKeyIn(ctx, fx, &fx.room, key, op.Hint); err != nil {
			return visitor{}, err
		}
	}
	if v.session == nil {
		v.session = &fx.answer.nobody
	}
	return v, nil
}

// granted is visitor for a decision that needs the user's permissions or groups.
func (r *Rules) granted(ctx context.Context, fx *watched, op *abi.Op) (visitor, error) {
	key, present := r.gate.SessionKey(op.Request)
	v := visitor{cookie: present, key: key, why: gate.ReasonNoSession, session: djsession.NewSession("")}
	if present && djsession.ValidKey(key) {
		var err error
		if v.session, v.user, v.grants, v.why, err = r.users.FromKeyGranted(ctx, fx, key, op.Hint); err != nil {
			return visitor{}, err
		}
	}
	return v, nil
}

// session reads the request's session alone.
func (r *Rules) session(ctx context.Context, fx *watched, op *abi.Op) (visitor, error) {
	key, present := r.gate.SessionKey(op.Request)
	v := visitor{cookie: present, session: djsession.NewSession("")}
	if present && djsession.ValidKey(key) {
		session, err := r.sessions.Load(ctx, fx, key)
		if err != nil {
			return visitor{}, err
		}
		v.session = session
	}
	return v, nil
}

// moved is the cookies of a session that reading it changed, which happens
// only with writes on reads: it got a new key, or was flushed.
func (r *Rules) moved(fx *watched, v visitor) ([]string, error) {
	switch {
	case v.key == v.session.Key():
		return nil, nil
	case v.user != nil:
		cookie, err := r.sessions.SetCookie(v.session, fx.Now())
		return []string{cookie}, err
	case v.why == gate.ReasonAuthHashMismatch:
		return []string{r.sessions.DeleteCookie()}, nil
	}
	return nil, nil // a key without a session: Django leaves that cookie alone until the session is touched
}

// result is a decision about v by the gate, and what the host may know of v.
func (r *Rules) result(fx *watched, op *abi.Op, require gate.Requirement, v visitor) *abi.Result {
	result := &fx.answer.Result
	result.SessionKey = v.session.Key()
	var who *gate.Identity
	if v.user != nil {
		if who = &fx.answer.identity; !r.unchecked {
			v.why = gate.ReasonOK
		}
		*who = v.user.Identity()
		result.User = v.user.Row()
	}
	headers := &fx.answer.headers
	if fx.short && fx.room.Row() > 0 {
		headers = nil // for shorten
	}
	r.gate.DecideInto(&result.Decision, headers, require, who, v.why, v.grants)
	if result.Decision.Detail == "" {
		result.Decision.Detail = v.session.Fault().Detail()
	}
	return result
}

func (r *Rules) check(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	require, rule, err := r.gate.Resolve(op.Request, op.Require)
	switch {
	case err != nil:
		return r.refuse(rule, err)
	case require.Check() != nil:
		return nil, errors.New("unknown requirement")
	case r.unchecked && !knownUnchecked(require):
		return nil, errors.New("with user_check = none nothing is known of a user but the id")
	}
	read := r.visitor
	if require.NeedsGrants() {
		read = r.granted
	}
	v, err := read(ctx, fx, op)
	if err != nil {
		return nil, err
	}
	result := r.result(fx, op, require, v)
	result.Decision.Rule = rule
	result.Decision.Cookies, err = r.moved(fx, v)
	r.shorten(fx, result)
	return result, err
}

// shorten finds out whether the result can be told in few bytes, and else makes
// it whole.
func (r *Rules) shorten(fx *watched, result *abi.Result) {
	d := &result.Decision
	switch {
	case !fx.short || fx.room.Row() == 0 || d.Outcome != gate.Allow || d.Identity == nil:
	case d.Reason == gate.ReasonOK && d.Detail == "" && d.Cookies == nil:
		fx.answer.short = abi.Allowed{Result: fx.room.Row(), Rule: d.Rule, SessionKey: result.SessionKey}
	default:
		r.gate.Identify(d, &fx.answer.headers)
	}
}

// refuse answers what no rule can be found for.
func (r *Rules) refuse(rule int, err error) (*abi.Result, error) {
	var denied *gate.Denied
	if !errors.As(err, &denied) {
		return nil, err
	}
	result := &abi.Result{Decision: r.gate.Refuse(denied.Reason, denied.Detail)}
	result.Decision.Rule = rule
	return result, nil
}

func (r *Rules) loadUser(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	v, err := r.visitor(ctx, fx, op)
	if err != nil {
		return nil, err
	}
	return r.loaded(fx, op, v)
}

func (r *Rules) loaded(fx *watched, op *abi.Op, v visitor) (result *abi.Result, err error) {
	result = r.result(fx, op, gate.Anyone, v)
	result.Decision.SetHeaders, result.Decision.RemoveHeaders = nil, nil
	result.Decision.Cookies, err = r.moved(fx, v)
	return result, err
}

// permissions is loadUser and what the user may do, in the same round trip. Only
// of a superuser it asks once more, for all permissions that exist.
func (r *Rules) permissions(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	v, err := r.granted(ctx, fx, op)
	if err != nil {
		return nil, err
	}
	granted, err := r.users.Permissions(ctx, fx, v.user)
	if err != nil {
		return nil, err
	}
	result, err := r.loaded(fx, op, v)
	if err != nil {
		return nil, err
	}
	result.Permissions, result.Groups, result.Everything = granted.AllPermissions(), granted.Groups(), granted.Everything()
	return result, nil
}

// visit is loadUser and loadSession, of one reading. A session whose hash does
// not fit is one that Django would flush: it has nothing to show.
func (r *Rules) visit(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	v, err := r.visitor(ctx, fx, op)
	if err != nil {
		return nil, err
	}
	result, err := r.loaded(fx, op, v)
	if err != nil {
		return nil, err
	}
	if result.Decision.Reason != gate.ReasonAuthHashMismatch && v.session.Key() != "" {
		result.Session = slices.Clone(v.session.Items()) // as in loadSession
	}
	return result, nil
}

func (r *Rules) loadSession(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	v, err := r.session(ctx, fx, op)
	if err != nil {
		return nil, err
	}
	if err := v.session.Err(); errors.Is(err, djsession.ErrUnread) {
		return nil, err // a program must not take it for empty, and change it
	}
	result := success()
	result.Decision.Vary, result.Decision.Detail = true, v.session.Fault().Detail()
	// A copy: the items may be those of other sessions of the same bytes.
	result.SessionKey, result.Session, result.SessionModified = v.session.Key(), slices.Clone(v.session.Items()), v.session.Modified()
	return result, nil
}

func (r *Rules) authenticate(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	user, err := r.users.Authenticate(ctx, fx, op.Username, op.Password)
	if err != nil {
		return nil, err
	}
	identity := user.Identity()
	result := success()
	result.Decision.Identity, result.User = &identity, user.Row()
	return result, nil
}

func (r *Rules) saveUser(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	return allowed(r.users.Save(ctx, fx, op.UserID, op.Fields))
}

func (r *Rules) verifyPassword(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	ok, err := r.hashers.Verify(ctx, fx, op.Password, op.Encoded)
	if err == nil && !ok {
		err = &gate.Denied{Reason: gate.ReasonBadCredentials}
	}
	return allowed(err)
}

// evaluate refuses by a denial, so that a run of the vectors can tell a
// refusal from a fault of the host.
func (r *Rules) evaluate(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	text, err := r.eval(ctx, fx, op.Function, op.Arguments)
	if err != nil {
		return nil, &gate.Denied{Reason: gate.ReasonBadRequest, Detail: err.Error()}
	}
	return textual(text, nil)
}
