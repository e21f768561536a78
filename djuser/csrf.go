package djuser

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession"
)

const (
	csrfSessionKey = "_csrftoken" // CSRF_SESSION_KEY
	csrfCookieAge  = 31449600     // CSRF_COOKIE_AGE, seconds: one year
	csrfLength     = 32           // CSRF_SECRET_LENGTH
	csrfAlphabet   = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	csrfUnbiased   = 256 / 62 * 62   // random bytes from here on would favour some letters
	csrfAsk        = csrfLength + 16 // so that the rest nearly always suffices
	csrfAsks       = 10              // a source that still gives nothing usable is none
)

// CSRFCookie is the Set-Cookie value of a new CSRF secret, which goes with
// every login so that a token known before it is worth nothing. It is "" with
// CSRF_USE_SESSIONS.
func (u *Users) CSRFCookie(ctx context.Context, fx Effects) (setCookie string, err error) {
	s := &u.settings
	if s.CSRFUseSessions {
		return "", nil
	}
	token, err := u.csrfToken(ctx, fx)
	if err != nil {
		return "", err
	}
	// The order of http.cookies.Morsel, as Django sends it.
	var b strings.Builder
	b.WriteString(s.CSRFCookieName + "=" + token)
	if s.CSRFCookieDomain != "" {
		b.WriteString("; Domain=" + s.CSRFCookieDomain)
	}
	expires := fx.Now().Add(csrfCookieAge * time.Second).UTC()
	b.WriteString("; expires=" + expires.Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	b.WriteString("; Max-Age=" + strconv.Itoa(csrfCookieAge))
	b.WriteString("; Path=" + s.CSRFCookiePath)
	if s.CSRFCookieSameSite != "-" {
		b.WriteString("; SameSite=" + s.CSRFCookieSameSite)
	}
	if s.CSRFCookieSecure {
		b.WriteString("; Secure")
	}
	return b.String(), nil
}

// csrfToken is a new secret as the version keeps it: plain since Django 4.1,
// before that masked, which is a mask and the secret shifted by it.
func (u *Users) csrfToken(ctx context.Context, fx Effects) (string, error) {
	secret, err := randomLetters(ctx, fx)
	if err != nil || u.settings.Version.AtLeast(4, 1) {
		return secret, err
	}
	mask, err := randomLetters(ctx, fx)
	if err != nil {
		return "", err
	}
	return mask + shift(secret, mask), nil
}

func shift(secret, mask string) string {
	out := make([]byte, len(secret))
	for i := range out {
		n := strings.IndexByte(csrfAlphabet, secret[i]) + strings.IndexByte(csrfAlphabet, mask[i])
		out[i] = csrfAlphabet[n%len(csrfAlphabet)]
	}
	return string(out)
}

// randomLetters is Django's _get_new_csrf_string.
func randomLetters(ctx context.Context, fx Effects) (string, error) {
	out := make([]byte, 0, csrfLength)
	for range csrfAsks {
		random, err := fx.Random(ctx, csrfAsk)
		if err != nil {
			return "", fmt.Errorf("making a csrf token: %w", err)
		}
		for _, b := range random {
			if b < csrfUnbiased && len(out) < csrfLength {
				out = append(out, csrfAlphabet[int(b)%len(csrfAlphabet)])
			}
		}
		if len(out) == csrfLength {
			return string(out), nil
		}
	}
	return "", fmt.Errorf("making a csrf token: %w", djsession.ErrNoRandomness)
}
