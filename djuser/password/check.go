package password

import (
	"bytes"
	"context"
	"errors"

	"github.com/djedge/djedge/djsession/errorf"
)

// Check is Django's verify_password. It reports whether password matches
// encoded and, if so, whether Django would now hash it anew.
//
// A password that is wrong, and an encoded that is unusable, unknown, malformed
// or above the limits, are all a plain no after the work of one default hash
// (CVE-2024-39329). Where the hash is of the preferred algorithm and of a
// smaller cost, a wrong password is made up to that work (Django's
// harden_runtime), for PBKDF2 and bcrypt. [Hashers.Readable] tells the cases
// apart for a log.
//
// A password that is too long or not UTF-8 is a no without work: that depends
// on the request alone and tells nothing about the user. An error is a failure
// of ctx or of the seam, never the password's or the hash's.
func (h *Hashers) Check(ctx context.Context, kdf KDF, password, encoded string) (ok, mustUpdate bool, err error) {
	if h.acceptable(password) != nil {
		return false, false, nil
	}
	if !Usable(encoded) {
		return false, false, h.Waste(ctx, kdf, password)
	}
	s, p, err := h.read(encoded)
	if err != nil {
		return false, false, h.Waste(ctx, kdf, password)
	}
	secret, err := p.secret(password)
	if err != nil {
		return false, false, h.Waste(ctx, kdf, password)
	}
	ok, err = h.matches(ctx, kdf, p, secret, encoded)
	if err != nil {
		return false, false, err
	}
	if ok {
		return true, h.MustUpdate(encoded), nil
	}
	if s == h.schemes[0] {
		for _, missing := range s.missing(p.params) {
			if _, err := h.derive(ctx, kdf, missing, secret, p.salt); err != nil {
				return false, false, err
			}
		}
	}
	return false, false, nil
}

// MustUpdate reports whether Django would hash a matching password anew: the
// algorithm is not the preferred one, or the version's must_update says so. It
// is true of a malformed hash, which no password matches.
func (h *Hashers) MustUpdate(encoded string) bool {
	preferred := h.schemes[0]
	return Identify(encoded) != preferred.algorithm() || preferred.mustUpdate(encoded)
}

// Waste does the work of one new hash and forgets it, for a user who does not
// exist. An unacceptable password costs nothing, as in [Hashers.Check].
func (h *Hashers) Waste(ctx context.Context, kdf KDF, password string) error {
	if h.acceptable(password) != nil {
		return nil
	}
	preferred := h.schemes[0]
	p := preferred.fresh(dummySalt(preferred))
	secret, err := p.secret(password)
	if err != nil {
		// The site's bcrypt library refuses this password for every user; the
		// time may not tell who has a bcrypt hash.
		secret = make([]byte, 40)
	}
	_, err = h.encode(ctx, kdf, p, secret)
	return err
}

// dummySalt has the length of a new salt.
func dummySalt(s scheme) []byte {
	n, _ := s.saltSize()
	return bytes.Repeat([]byte("x"), n)
}

// Make hashes password as Django's make_password does: with a fresh salt and
// the default costs, by the named algorithm, which must be configured; "" is the
// preferred one. Its errors are [ErrPassword], [ErrUnknownAlgorithm], and those
// of random and the seam.
func (h *Hashers) Make(ctx context.Context, kdf KDF, random func(context.Context, int) ([]byte, error), password, hasher string) (string, error) {
	if err := h.acceptable(password); err != nil {
		return "", err
	}
	s := h.schemes[0]
	if hasher != "" {
		if s = h.scheme(hasher); s == nil {
			return "", errorf.Errorf("%w: %q is not among the site's hashers", ErrUnknownAlgorithm, hasher)
		}
	}
	n, text := s.saltSize()
	var salt []byte
	var err error
	if text {
		salt, err = randomText(ctx, random, n)
	} else {
		salt, err = randomBytes(ctx, random, n)
	}
	if err != nil {
		return "", errorf.Errorf("making a salt: %w", err)
	}
	p := s.fresh(salt)
	if err := s.check(h.limits, p.params); err != nil {
		return "", errorf.Errorf("%s: %w", s.algorithm(), err)
	}
	secret, err := p.secret(password)
	if err != nil {
		return "", errorf.Errorf("%s: %w", s.algorithm(), err)
	}
	return h.encode(ctx, kdf, p, secret)
}

// MakeUnusable returns a string that no password matches, as Django's
// set_unusable_password does: it is random, so that two of them differ and a
// session's auth hash cannot be guessed.
func (h *Hashers) MakeUnusable(ctx context.Context, random func(context.Context, int) ([]byte, error)) (string, error) {
	text, err := randomText(ctx, random, 40)
	if err != nil {
		return "", errorf.Errorf("making an unusable password: %w", err)
	}
	return "!" + string(text), nil
}

const saltAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

var errRandom = errors.New("the source of randomness is broken")

func randomBytes(ctx context.Context, random func(context.Context, int) ([]byte, error), n int) ([]byte, error) {
	b, err := random(ctx, n)
	if err == nil && len(b) != n {
		err = errRandom
	}
	return b, err
}

// randomText is Django's get_random_string: n of 62 characters, each as likely
// as the others.
func randomText(ctx context.Context, random func(context.Context, int) ([]byte, error), n int) ([]byte, error) {
	text := make([]byte, 0, n)
	for range 64 { // 2 of 64 values are thrown away, so one or two rounds do
		b, err := randomBytes(ctx, random, n+n/8+4)
		if err != nil {
			return nil, err
		}
		for _, c := range b {
			if c &= 63; int(c) < len(saltAlphabet) && len(text) < n {
				text = append(text, saltAlphabet[c])
			}
		}
		if len(text) == n {
			return text, nil
		}
	}
	return nil, errRandom
}
