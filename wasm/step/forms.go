package step

import (
	"context"
	"strings"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// checkUnsafe is the rule for unsafe requests. The secret of a form's token
// may be in the session, which is read then.
func (r *Rules) checkUnsafe(ctx context.Context, fx *watched, op *abi.Op) error {
	form := gate.CSRFRequest{Form: op.CSRFToken}
	if r.csrfInSession && gate.IsForm(op.Request) {
		v, err := r.session(ctx, fx, op)
		if err != nil {
			return err
		}
		form.Session = djuser.CSRFOf(v.session)
	}
	return r.gate.CheckUnsafe(op.Request, form)
}

// csrfToken makes a token for the forms of a page, new each time. A visitor
// without a secret gets one: in a cookie, or in the session, which begins then
// if there is none.
func (r *Rules) csrfToken(ctx context.Context, fx *watched, op *abi.Op) (*abi.Result, error) {
	session := djsession.NewSession("")
	if r.csrfInSession {
		v, err := r.session(ctx, fx, op)
		if err != nil {
			return nil, err
		}
		session = v.session
	}
	result := success()
	result.Decision.Vary = true
	secret, ok := r.gate.CSRF().Secret(op.Request, gate.CSRFRequest{Session: djuser.CSRFOf(session)})
	if !ok {
		var cookie string
		var err error
		if secret, cookie, err = r.users.NewCSRF(ctx, fx, session); err != nil {
			return nil, err
		}
		if r.csrfInSession {
			if cookie, err = r.keep(ctx, fx, session); err != nil {
				return nil, err
			}
		}
		result.Decision.Cookies = []string{cookie}
	}
	var err error
	result.Text, err = djuser.CSRFMask(ctx, fx, secret)
	return result, err
}

// keep stores a session that was changed, and is its cookie.
func (r *Rules) keep(ctx context.Context, fx *watched, session *djsession.Session) (cookie string, err error) {
	if session.Key() == "" {
		err = r.sessions.Create(ctx, fx, session)
	} else {
		err = r.sessions.Save(ctx, fx, session)
	}
	if err != nil {
		return "", errorf.Errorf("storing a session: %w", err)
	}
	return r.sessions.SetCookie(session, fx.Now())
}

// maxAttribute bounds what a password is compared with, in bytes: a name that
// is longer is refused anyway.
const maxAttribute = 1 << 10

// weakness is the denial of a password that AUTH_PASSWORD_VALIDATORS refuse,
// with their messages for the user and their codes for the log; nil when they
// do not. One that is empty or too long is left to those who set it.
func (r *Rules) weakness(password string, attribute func(name string) string) *abi.Result {
	if password == "" || len(password) > r.maxPassword {
		return nil
	}
	refusals := r.validators.Refusals(password, attribute)
	if len(refusals) == 0 {
		return nil
	}
	codes, messages := make([]string, len(refusals)), make([]string, len(refusals))
	for i, refusal := range refusals {
		codes[i], messages[i] = refusal.Code, refusal.Message
	}
	result := Failure(gate.ReasonPasswordWeak, strings.Join(codes, " "))
	result.Text = strings.Join(messages, "\n")
	return result
}

// newUser is the attributes of a user who is about to register.
func newUser(op *abi.Op) func(name string) string {
	return func(name string) string {
		switch {
		case name == "username" && len(op.Username) <= maxAttribute:
			return djuser.NormalizeUsername(op.Username)
		case name == "email" && len(op.Email) <= maxAttribute:
			return op.Email
		}
		return ""
	}
}

// attributes is those of a user who exists.
func attributes(user *djuser.User) func(name string) string {
	return func(name string) string {
		value, _ := user.Get(name)
		return value.Text()
	}
}
