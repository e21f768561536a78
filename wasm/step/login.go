package step

import (
	"context"

	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// The operations that write sessions. A browser could be made to send them by
// a foreign page, so each begins with the rule for unsafe requests.

func (r *Rules) login(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	if err := r.checkUnsafe(ctx, fx, op); err != nil {
		return nil, err
	}
	user, err := r.users.Authenticate(ctx, fx, r.users.LoginName(op.Username), op.Password)
	if err != nil {
		return nil, err
	}
	v, err := r.session(ctx, fx, op)
	if err != nil {
		return nil, err
	}
	return r.logIn(ctx, fx, op, v, user)
}

// logIn makes user the session's. Cookies that need randomness come first, so
// that a host without any leaves nothing half done.
func (r *Rules) logIn(ctx context.Context, fx *watched, op *abi.Op, v visitor, user *djuser.User) (*abi.Result, error) {
	csrf, err := r.users.CSRFCookie(ctx, fx)
	if err != nil {
		return nil, err
	}
	if err := r.users.Login(ctx, fx, v.session, user); err != nil {
		return nil, err
	}
	cookie, err := r.sessions.SetCookie(v.session, fx.Now())
	if err != nil {
		return nil, err
	}
	v.user = user
	result := r.result(fx, op, gate.Authenticated, v)
	result.Decision.Cookies = []string{cookie}
	if csrf != "" {
		result.Decision.Cookies = append(result.Decision.Cookies, csrf)
	}
	return result, nil
}

func (r *Rules) logout(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	if err := r.checkUnsafe(ctx, fx, op); err != nil {
		return nil, err
	}
	v, err := r.session(ctx, fx, op)
	if err != nil {
		return nil, err
	}
	return r.logOut(ctx, fx, v)
}

// logOut ends the session and takes its cookie away, if there was one. Django
// 2.2 may have put another session in its place.
func (r *Rules) logOut(ctx context.Context, fx *watched, v visitor) (*abi.Result, error) {
	if err := r.users.Logout(ctx, fx, v.session); err != nil {
		return nil, err
	}
	result := success()
	result.Decision.Vary = true
	switch {
	case v.session.Key() != "":
		cookie, err := r.sessions.SetCookie(v.session, fx.Now())
		if err != nil {
			return nil, err
		}
		result.Decision.Cookies = []string{cookie}
	case v.cookie:
		result.Decision.Cookies = []string{r.sessions.DeleteCookie()}
	}
	return result, nil
}

func (r *Rules) register(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	if err := r.checkUnsafe(ctx, fx, op); err != nil {
		return nil, err
	}
	v, err := r.visitor(ctx, fx, op)
	if err != nil {
		return nil, err
	}
	if v.user != nil {
		return nil, &gate.Denied{Reason: gate.ReasonAlreadyAuthenticated}
	}
	if weak := r.weakness(op.Password, newUser(op)); weak != nil {
		return weak, nil
	}
	user, err := r.users.Register(ctx, fx, op.Username, op.Email, op.Password)
	if err != nil {
		return nil, err
	}
	return r.logIn(ctx, fx, op, v, user)
}

// changePassword sets the password of the session's own user, which ends that
// user's other sessions, and logs out of this one.
func (r *Rules) changePassword(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	if err := r.checkUnsafe(ctx, fx, op); err != nil {
		return nil, err
	}
	v, err := r.visitor(ctx, fx, op)
	if err != nil {
		return nil, err
	}
	if v.user == nil {
		return nil, &gate.Denied{Reason: gate.ReasonNotAuthenticated, Detail: v.why.String()}
	}
	if weak := r.weakness(op.Password, attributes(v.user)); weak != nil {
		return weak, nil
	}
	if err := r.users.SetPassword(ctx, fx, v.user.ID(), op.Password); err != nil {
		return nil, err
	}
	return r.logOut(ctx, fx, v)
}
