package gate

import (
	"crypto/subtle"
	"errors"
	"strings"
)

const (
	csrfSecret   = 32             // CSRF_SECRET_LENGTH
	csrfToken    = 2 * csrfSecret // CSRF_TOKEN_LENGTH
	csrfAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	csrfUnbiased = 256 / 62 * 62 // random bytes from here on would favour some letters
)

// CSRFRandom is how many random bytes [NewCSRFSecret] is given so that it
// nearly never has too few (once in 10^10 times).
const CSRFRandom = 64

var errCSRFRandom = errors.New("too few random bytes for a csrf secret")

// NewCSRFSecret makes a secret of 32 letters and digits, each equally likely,
// from random bytes of which some are left out. The error says that there were
// too few; then the caller asks for others.
func NewCSRFSecret(random []byte) (string, error) {
	out := make([]byte, 0, csrfSecret)
	for _, b := range random {
		if b < csrfUnbiased && len(out) < csrfSecret {
			out = append(out, csrfAlphabet[int(b)%len(csrfAlphabet)])
		}
	}
	if len(out) < csrfSecret {
		return "", errCSRFRandom
	}
	return string(out), nil
}

// MaskCSRF hides a secret behind a mask, which is another secret, new for each
// page, so that compressed responses say nothing about it (BREACH). The token
// has 64 characters; it is "" when secret or mask is no secret.
func MaskCSRF(secret, mask string) string {
	if csrfFormat(secret) != nil || csrfFormat(mask) != nil || len(secret)+len(mask) != csrfToken || len(mask) != csrfSecret {
		return ""
	}
	return mask + shiftCSRF(secret, mask, 1)
}

// UnmaskCSRF is the secret in a token: a masked one of 64 characters, or the
// secret itself of 32. Anything else is not ok.
func UnmaskCSRF(token string) (secret string, ok bool) {
	if csrfFormat(token) != nil {
		return "", false
	}
	if len(token) == csrfToken {
		return shiftCSRF(token[csrfSecret:], token[:csrfSecret], -1), true
	}
	return token, true
}

// MatchCSRF reports whether a token, masked or not, is secret's, in a time
// that does not depend on where they differ.
func MatchCSRF(token, secret string) bool {
	got, ok := UnmaskCSRF(token)
	return ok && len(secret) == csrfSecret && subtle.ConstantTimeCompare([]byte(got), []byte(secret)) == 1
}

// shiftCSRF moves each letter forwards or backwards in the alphabet by its letter of mask.
func shiftCSRF(s, mask string, direction int) string {
	out := make([]byte, len(s))
	for i := range out {
		n := strings.IndexByte(csrfAlphabet, s[i]) + direction*strings.IndexByte(csrfAlphabet, mask[i])
		out[i] = csrfAlphabet[(n+len(csrfAlphabet))%len(csrfAlphabet)]
	}
	return string(out)
}

var (
	errCSRFLength     = errors.New("has incorrect length")
	errCSRFCharacters = errors.New("has invalid characters")
)

// csrfFormat is _check_token_format; the errors are Django's reasons.
func csrfFormat(token string) error {
	valid := true
	runes := 0
	for _, r := range token {
		valid = valid && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
		runes++
	}
	switch {
	case runes != csrfSecret && runes != csrfToken:
		return errCSRFLength
	case !valid:
		return errCSRFCharacters
	}
	return nil
}
