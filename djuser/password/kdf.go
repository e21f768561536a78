package password

import (
	"context"
	"errors"
)

// Function is a key derivation function.
type Function uint8

const (
	PBKDF2SHA256 Function = iota + 1
	PBKDF2SHA1
	Argon2d
	Argon2i
	Argon2id
	Bcrypt
	Scrypt
)

// Params is the cost of one derivation, already within the limits.
type Params struct {
	Function    Function
	Iterations  uint32 // PBKDF2 rounds, argon2 t, bcrypt cost (log2)
	Memory      uint32 // argon2 m in KiB
	Parallelism uint32 // argon2 p, scrypt p
	N, R        uint32 // scrypt
	Version     uint32 // argon2: 0x10 or 0x13
	KeyLen      uint32 // bytes to derive
}

// ErrDeclined is a host's answer when the rules shall hash in place.
var ErrDeclined = errors.New("key derivation declined by the host")

// KDF is the seam for every expensive derivation.
type KDF interface {
	// DeriveKey derives or answers [ErrDeclined].
	DeriveKey(ctx context.Context, p Params, password, salt []byte) ([]byte, error)
	// Yield is called between slices while hashing in place; an error stops it.
	Yield(ctx context.Context) error
}
