package password

import (
	"context"
	"crypto/subtle"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/djedge/djedge/djsession/errorf"
)

// Errors of [Hashers.Verify] and [Hashers.Readable]; a hasher's own come
// wrapped with the name of its algorithm, and never with the hash.
var (
	// ErrMalformed is a hash of a known algorithm that no password can match.
	ErrMalformed = errors.New("malformed password hash")
	// ErrUnknownAlgorithm is a hash of none of the configured hashers.
	ErrUnknownAlgorithm = errors.New("unknown password hash algorithm")
	// ErrCost is a hash above [Limits].
	ErrCost = errors.New("password hash asks for more work than allowed")
	// ErrPassword is a password that the hasher refuses: over
	// [Limits.PasswordBytes], not UTF-8 (a lone surrogate, in Python), or
	// against the rules of the site's bcrypt library or of crypt(3).
	ErrPassword = errors.New("password is not acceptable to this hasher")
)

// maxEncoded bounds the text of a hash in bytes.
const maxEncoded = 1024

// Hashers is the hashers of one site. It never changes and is safe for
// concurrent use.
type Hashers struct {
	schemes []scheme // preferred first, at least one
	limits  Limits
	arena   Arena
}

// Preferred is the algorithm of new hashes.
func (h *Hashers) Preferred() string { return h.schemes[0].algorithm() }

// Algorithms lists the readable algorithms, preferred first.
func (h *Hashers) Algorithms() []string {
	names := make([]string, len(h.schemes))
	for i, s := range h.schemes {
		names[i] = s.algorithm()
	}
	return names
}

func (h *Hashers) scheme(algorithm string) scheme {
	for _, s := range h.schemes {
		if s.algorithm() == algorithm {
			return s
		}
	}
	return nil
}

// Usable reports whether encoded is a password at all, in Django's
// is_password_usable: it says no to what set_unusable_password leaves.
func Usable(encoded string) bool { return !strings.HasPrefix(encoded, "!") }

// Identify names the algorithm of encoded by Django's rules. It says nothing
// about whether that is known: for text that is no hash the name is the text
// itself, up to a dollar sign, so it does not belong in a log.
func Identify(encoded string) string {
	switch n := utf8.RuneCountInString(encoded); {
	case n == 32 && !strings.Contains(encoded, "$"), n == 37 && strings.HasPrefix(encoded, "md5$$"):
		return "unsalted_md5"
	case n == 46 && strings.HasPrefix(encoded, "sha1$$"):
		return "unsalted_sha1"
	}
	algorithm, _, _ := strings.Cut(encoded, "$")
	return algorithm
}

// read finds the scheme of a stored hash and plans its verification, without
// work.
func (h *Hashers) read(encoded string) (scheme, plan, error) {
	s := h.scheme(Identify(encoded))
	if s == nil {
		return nil, plan{}, ErrUnknownAlgorithm
	}
	if len(encoded) > maxEncoded {
		return nil, plan{}, errorf.Errorf("%s: %w", s.algorithm(), ErrMalformed)
	}
	p, err := s.read(encoded)
	if err == nil {
		err = s.check(h.limits, p.params)
	}
	if err != nil {
		return nil, plan{}, errorf.Errorf("%s: %w", s.algorithm(), err)
	}
	return s, p, nil
}

// Readable says why no password will ever match a stored hash:
// [ErrUnknownAlgorithm], [ErrMalformed], [ErrCost], or nil when one may. It
// does no work. An unusable password is readable: nobody broke it.
func (h *Hashers) Readable(encoded string) error {
	if !Usable(encoded) {
		return nil
	}
	_, _, err := h.read(encoded)
	return err
}

// acceptable refuses a password by itself, whoever's it may be.
func (h *Hashers) acceptable(password string) error {
	if len(password) > h.limits.PasswordBytes {
		return errorf.Errorf("%w: longer than %d bytes", ErrPassword, h.limits.PasswordBytes)
	}
	if !utf8.ValidString(password) {
		return errorf.Errorf("%w: not UTF-8", ErrPassword)
	}
	return nil
}

// Verify reports whether password matches encoded, and nothing else: see
// [Hashers.Check] for a login. An unusable hash matches nothing. Any error
// means no: [ErrMalformed], [ErrUnknownAlgorithm], [ErrCost] and [ErrPassword]
// come before any work, others are the seam's. A nil kdf hashes in place.
func (h *Hashers) Verify(ctx context.Context, kdf KDF, password, encoded string) (ok bool, err error) {
	if err := h.acceptable(password); err != nil {
		return false, err
	}
	if !Usable(encoded) {
		return false, nil
	}
	s, p, err := h.read(encoded)
	if err != nil {
		return false, err
	}
	secret, err := p.secret(password)
	if err != nil {
		return false, errorf.Errorf("%s: %w", s.algorithm(), err)
	}
	return h.matches(ctx, kdf, p, secret, encoded)
}

func (h *Hashers) matches(ctx context.Context, kdf KDF, p plan, secret []byte, encoded string) (bool, error) {
	again, err := h.encode(ctx, kdf, p, secret)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare([]byte(again), []byte(encoded)) == 1, nil
}

// encode does the work of a plan and writes its string.
func (h *Hashers) encode(ctx context.Context, kdf KDF, p plan, secret []byte) (string, error) {
	key, err := h.derive(ctx, kdf, p.params, secret, p.salt)
	if err != nil {
		return "", err
	}
	return p.encode(secret, key), nil
}

// derive is the one way to every expensive derivation.
func (h *Hashers) derive(ctx context.Context, kdf KDF, p Params, secret, salt []byte) ([]byte, error) {
	if p.Function == 0 { // a plain digest, which costs nothing
		return nil, nil
	}
	if kdf == nil {
		return h.arena.Derive(ctx, nil, p, secret, salt)
	}
	key, err := kdf.DeriveKey(ctx, p, secret, salt)
	if errors.Is(err, ErrDeclined) {
		key, err = h.arena.Derive(ctx, kdf.Yield, p, secret, salt)
	}
	if err == nil && len(key) != int(p.KeyLen) {
		err = errorf.Errorf("a key of %d bytes was derived instead of %d", len(key), p.KeyLen)
	}
	return key, err
}
