package djuser

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djuser/gate"
)

const (
	csrfSessionKey = "_csrftoken" // CSRF_SESSION_KEY
	csrfCookieAge  = 31449600     // CSRF_COOKIE_AGE, seconds: one year
	csrfAsks       = 3            // a source that still gives nothing usable is none
)

// CSRFCookie is the Set-Cookie value of a new CSRF secret, which goes with
// every login so that a token known before it is worth nothing. It is "" with
// CSRF_USE_SESSIONS.
func (u *Users) CSRFCookie(ctx context.Context, fx Effects) (setCookie string, err error) {
	if u.settings.CSRFUseSessions {
		return "", nil
	}
	token, err := u.csrfToken(ctx, fx)
	if err != nil {
		return "", err
	}
	return u.csrfCookie(token, fx.Now()), nil
}

// NewCSRF makes a CSRF secret for a visitor who has none, for the tokens of
// a page. Its Set-Cookie value is "" with CSRF_USE_SESSIONS: then it was put into
// sess, which its caller saves.
func (u *Users) NewCSRF(ctx context.Context, fx Effects, sess *djsession.Session) (secret, setCookie string, err error) {
	token, err := u.csrfToken(ctx, fx)
	if err != nil {
		return "", "", err
	}
	secret, _ = gate.UnmaskCSRF(token)
	if u.settings.CSRFUseSessions {
		sess.SetText(csrfSessionKey, token)
		return secret, "", nil
	}
	return secret, u.csrfCookie(token, fx.Now()), nil
}

// CSRFOf is the CSRF token that a session holds; "" without one.
func CSRFOf(sess *djsession.Session) string {
	token, _ := sess.Text(csrfSessionKey)
	return token
}

// CSRFMask hides a secret behind a new mask, for a page: [gate.MaskCSRF].
func CSRFMask(ctx context.Context, fx Effects, secret string) (token string, err error) {
	mask, err := csrfSecret(ctx, fx)
	if err != nil {
		return "", err
	}
	return gate.MaskCSRF(secret, mask), nil
}

func (u *Users) csrfCookie(token string, now time.Time) string {
	s := &u.settings
	// The order of http.cookies.Morsel, as Django sends it.
	var b strings.Builder
	b.WriteString(s.CSRFCookieName + "=" + token)
	if s.CSRFCookieDomain != "" {
		b.WriteString("; Domain=" + s.CSRFCookieDomain)
	}
	expires := now.Add(csrfCookieAge * time.Second).UTC()
	b.WriteString("; expires=" + expires.Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	b.WriteString("; Max-Age=" + strconv.Itoa(csrfCookieAge))
	b.WriteString("; Path=" + s.CSRFCookiePath)
	if s.CSRFCookieSameSite != "-" {
		b.WriteString("; SameSite=" + s.CSRFCookieSameSite)
	}
	if s.CSRFCookieSecure {
		b.WriteString("; Secure")
	}
	return b.String()
}

// csrfToken is a new secret as the version keeps it: plain since Django 4.1,
// before that and with CSRF_COOKIE_MASKED masked, which is a mask and the
// secret shifted by it.
func (u *Users) csrfToken(ctx context.Context, fx Effects) (string, error) {
	secret, err := csrfSecret(ctx, fx)
	masked := u.settings.CSRFCookieMasked && !u.settings.Version.AtLeast(5, 0)
	if err != nil || u.settings.Version.AtLeast(4, 1) && !masked {
		return secret, err
	}
	return CSRFMask(ctx, fx, secret)
}

// csrfSecret is Django's _get_new_csrf_string.
func csrfSecret(ctx context.Context, fx Effects) (string, error) {
	for range csrfAsks {
		random, err := fx.Random(ctx, gate.CSRFRandom)
		if err != nil {
			return "", errorf.Errorf("making a csrf token: %w", err)
		}
		if secret, err := gate.NewCSRFSecret(random); err == nil {
			return secret, nil
		}
	}
	return "", errorf.Errorf("making a csrf token: %w", djsession.ErrNoRandomness)
}
