// Package password reads and writes the password strings of Django's hashers.
package password

import (
	"context"
	"errors"

	"github.com/djedge/djedge/djsession/version"
)

// Config chooses the rules of one Django site. The zero value is a site of
// [version.Default] with Django's default hashers and a current bcrypt library.
type Config struct {
	// Version is the site's Django release. It decides the default hashers and
	// their costs, and which argon2 types are accepted. Zero is [version.Default].
	Version version.Version
	// Hashers is Django's PASSWORD_HASHERS, preferred first: dotted paths,
	// class names or algorithm names. Nil is the version's default list.
	Hashers []string
	// Bcrypt is the major version of the site's bcrypt library (3, 4 or 5),
	// which decides about passwords over 72 bytes, NUL bytes and odd salts.
	// Zero is 5.
	Bcrypt int
	// Limits bounds the work that a stored hash may ask for.
	Limits Limits
	// PBKDF2Iterations overrides the version's default count. Zero keeps it.
	PBKDF2Iterations uint32
}

// Limits bounds the cost of one derivation. A zero field is its default.
type Limits struct {
	PBKDF2Iterations  uint32 // default 4,500,000
	Argon2Memory      uint32 // KiB, default 262,144 (256 MiB)
	Argon2Time        uint32 // passes, default 10
	Argon2Parallelism uint32 // lanes, default 16
	ScryptMemory      int64  // bytes of 128*N*r, default 256 MiB
	ScryptParallelism uint32 // default 16
	BcryptCost        uint32 // log2 of rounds, default 15
	PasswordBytes     int    // default 4096
}

// Errors of [Hashers.Verify]; each comes wrapped with the hash's algorithm.
var (
	ErrMalformed        = errors.New("malformed password hash")
	ErrUnknownAlgorithm = errors.New("unknown password hash algorithm")
	ErrCost             = errors.New("password hash asks for more work than allowed")
	ErrPassword         = errors.New("password is not acceptable to this hasher")
)

// Random returns n random bytes fit for secrets.
type Random = func(ctx context.Context, n int) ([]byte, error)

// Hashers is an immutable set of hashers, safe for concurrent use.
type Hashers struct{}

// New checks the configuration and returns its hashers.
func New(c Config) (*Hashers, error) { return nil, errors.ErrUnsupported }

// Preferred is the algorithm of new hashes.
func (h *Hashers) Preferred() string { return "" }

// Algorithms lists the readable algorithms, preferred first.
func (h *Hashers) Algorithms() []string { return nil }

// Verify reports whether password matches encoded.
func (h *Hashers) Verify(ctx context.Context, kdf KDF, password, encoded string) (ok bool, err error) {
	return false, errors.ErrUnsupported
}

// MustUpdate reports whether Django would re-hash a matching password.
func (h *Hashers) MustUpdate(encoded string) bool { return false }

// Check is Django's verify_password, with equal work for every failure.
func (h *Hashers) Check(ctx context.Context, kdf KDF, password, encoded string) (ok, mustUpdate bool, err error) {
	return false, false, errors.ErrUnsupported
}

// Waste does the work of the preferred hasher, for a user who does not exist.
func (h *Hashers) Waste(ctx context.Context, kdf KDF, password string) error {
	return errors.ErrUnsupported
}

// Make hashes password with the named hasher; "" is the preferred one.
func (h *Hashers) Make(ctx context.Context, kdf KDF, random func(context.Context, int) ([]byte, error), password, hasher string) (string, error) {
	return "", errors.ErrUnsupported
}

// MakeUnusable returns a string that no password matches.
func (h *Hashers) MakeUnusable(ctx context.Context, random func(context.Context, int) ([]byte, error)) (string, error) {
	return "", errors.ErrUnsupported
}

// Usable reports whether encoded may match a password at all.
func Usable(encoded string) bool { return encoded == "" || encoded[0] != '!' }

// Identify returns the algorithm name that encoded claims.
func Identify(encoded string) string { return "" }

// Derive runs one derivation in place, calling yield between slices.
func Derive(ctx context.Context, yield func(context.Context) error, p Params, password, salt []byte) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

// MemoryBytes is the working memory of the derivation in bytes.
func (p Params) MemoryBytes() int64 { return 0 }
