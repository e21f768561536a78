package step

import (
	"context"
	"errors"
	"time"

	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
)

// The functions behind Django's forms: CSRF, redirects, password validation
// and password reset.

func evalCSRFMask(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	return pyjson.Quote(gate.MaskCSRF(a.text("secret"), a.text("mask"))), a.err
}

func evalCSRFUnmask(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	secret, ok := gate.UnmaskCSRF(a.text("token"))
	if a.err == nil && !ok {
		return "", errors.New("not a csrf token")
	}
	return pyjson.Quote(secret), a.err
}

func evalCSRFMatch(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	return rawBool(gate.MatchCSRF(a.text("token"), a.text("secret"))), a.err
}

// evalCSRFRequest answers Django's reason, null when the request passes.
func evalCSRFRequest(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	django := a.object("settings") // by Django's names
	settings := gate.CSRFSettings{
		Version: a.version(), CookieName: "csrftoken", HeaderName: "X-CSRFToken", UseSessions: django.bool("CSRF_USE_SESSIONS"),
		CookieDomain: django.text("CSRF_COOKIE_DOMAIN"), TrustedOrigins: django.list("CSRF_TRUSTED_ORIGINS"), AllowedHosts: django.list("ALLOWED_HOSTS"),
	}
	if settings.UseSessions {
		settings.CookieDomain = django.text("SESSION_COOKIE_DOMAIN")
	}
	req := a.request()
	for _, h := range []struct{ argument, header, prefix string }{
		{"cookie", "cookie", settings.CookieName + "="}, {"header", settings.HeaderName, ""}, {"origin", "origin", ""}, {"referer", "referer", ""},
	} {
		if value := a.text(h.argument); !a.null(h.argument) {
			req.Headers = append(req.Headers, gate.Header{Name: h.header, Value: h.prefix + value})
		}
	}
	form := gate.CSRFRequest{Form: a.text("post"), Session: a.text("session"), Port: a.text("port")}
	if err := errors.Join(a.err, django.err); err != nil {
		return "", err
	}
	csrf, err := gate.NewCSRF(settings)
	if err != nil {
		return "", err
	}
	reason := "null"
	var denied *gate.Denied
	if errors.As(csrf.Check(req, form), &denied) {
		reason = pyjson.Quote(denied.Detail)
	}
	return object("ok", rawBool(denied == nil), "reason", reason), nil
}

// object is an argument that is an object itself; none is empty.
func (a *evalArgs) object(name string) *evalArgs {
	inner := &evalArgs{raw: map[string]string{}}
	if a.null(name) {
		return inner
	}
	members, err := pyjson.Object(a.raw[name], maxEvalDepth)
	if err != nil {
		a.fail(argumentErrorf("argument %s: %v", name, err))
	}
	for _, m := range members {
		inner.raw[m.Key] = m.Raw
	}
	return inner
}

// request is what the arguments method, host, full_path and secure describe.
func (a *evalArgs) request() gate.Request {
	req := gate.Request{Method: a.text("method"), Host: a.text("host"), URI: a.text("full_path"), Scheme: "http"}
	if a.bool("secure") {
		req.Scheme = "https"
	}
	return req
}

func evalRedirect(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	return object("ok", rawBool(gate.SafeRedirect(a.text("url"), a.list("allowed_hosts"), a.bool("require_https")))), a.err
}

func evalRedirectToLogin(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	location, err := gate.RedirectToLogin(a.text("next"), a.text("login_url"), a.text("field"))
	return pyjson.Quote(location), errors.Join(a.err, err)
}

func evalLoginRequired(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	location, err := gate.LoginRequired(a.request(), a.text("login_url"), "next")
	return pyjson.Quote(location), errors.Join(a.err, err)
}

// evalPasswordValidation answers the codes of startproject's four validators
// for a user, an object of attributes.
func evalPasswordValidation(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	validators, err := djuser.NewPasswordValidators(djuser.DefaultPasswordValidators()...)
	if err != nil {
		return "", err
	}
	var attribute func(string) string // none without a user
	user := a.object("user")
	if !a.null("user") {
		attribute = user.text
	}
	codes := validators.Validate(a.text("password"), attribute)
	return array(quoteAll(codes)), errors.Join(a.err, user.err)
}

func evalSameIdentifier(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	return rawBool(djuser.SameIdentifier(a.text("a"), a.text("b"))), a.err
}

// resetToken is what making and checking have in common. The user is an object
// of pk, password, email and last_login; times are naive, in the site's zone.
func (a *evalArgs) resetToken() (tokens *djuser.ResetTokens, user djuser.ResetUser, now time.Time) {
	secret := a.text("secret")
	tokens = &djuser.ResetTokens{
		Version:  a.version(),
		Timeout:  time.Duration(a.integer("timeout")) * time.Second,
		Keys:     signing.Ring{Current: signing.Derive(signing.SHA256, djuser.ResetTokenSalt, secret)},
		KeysSHA1: signing.Ring{Current: signing.Derive(signing.SHA1, djuser.ResetTokenSalt, secret)},
	}
	for _, old := range a.list("fallbacks") {
		tokens.Keys.Fallbacks = append(tokens.Keys.Fallbacks, signing.Derive(signing.SHA256, djuser.ResetTokenSalt, old))
	}
	fields := a.object("user")
	user = djuser.ResetUser{ID: fields.raw["pk"], Password: fields.text("password"), Email: fields.text("email"), LastLogin: fields.naive("last_login")}
	if text, ok := pyjson.Unquote(user.ID); ok { // a number is its own text
		user.ID = text
	}
	now = a.naive("now")
	if fields.err != nil {
		a.fail(fields.err)
	}
	return tokens, user, now
}

// naive is a time as Python's isoformat writes it, without its zone; zero when
// it is absent.
func (a *evalArgs) naive(name string) time.Time {
	s := a.text(name)
	if s == "" {
		return time.Time{}
	}
	const layout = "2006-01-02T15:04:05"
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		s = at.Format(layout)
	}
	at, err := time.Parse(layout, s) // a fraction is read too
	if err != nil {
		a.fail(argumentErrorf("argument %s is not a time", name))
	}
	return at
}

func evalResetTokenMake(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	tokens, user, now := a.resetToken()
	if a.err != nil {
		return "", a.err
	}
	token, err := tokens.Make(user, now)
	return object("token", pyjson.Quote(token), "uidb64", pyjson.Quote(djuser.EncodeUID(user.ID))), err
}

func evalResetTokenCheck(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	tokens, user, now := a.resetToken()
	token, uid := a.text("token"), a.text("uidb64")
	if a.err != nil {
		return "", a.err
	}
	if id, ok := djuser.DecodeUID(uid); !ok || id != user.ID {
		return "", errors.New("uidb64 is not the user's")
	}
	return rawBool(tokens.Check(user, token, now)), nil
}
