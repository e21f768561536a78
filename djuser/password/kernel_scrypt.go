package password

import (
	"math"

	"golang.org/x/crypto/scrypt"

	"github.com/djedge/djedge/djsession/errorf"
)

// scryptKey runs golang.org/x/crypto/scrypt, which cannot be sliced: one run
// holds its thread from begin to end, 40 ms for each unit of p at Django's
// costs and four times as long in a guest. It yields once before.
func scryptKey(pause func() error, p Params, password, salt []byte) ([]byte, error) {
	if err := pause(); err != nil {
		return nil, err
	}
	key, err := scrypt.Key(password, salt, int(p.N), int(p.R), int(p.Parallelism), int(p.KeyLen))
	if err != nil {
		return nil, errorf.Errorf("%w: %w", errParams, err)
	}
	return key, nil
}

// scryptBytes is OpenSSL's measure of scrypt's memory: 128*r*(N+2) + 128*r*p,
// or the greatest number when that overflows.
func scryptBytes(n, r, p uint64) int64 {
	if n > math.MaxUint32 || r > math.MaxUint32/256 || p > math.MaxUint32/256 {
		return math.MaxInt64
	}
	if total := n + 2 + p; r == 0 || total <= math.MaxInt64/(128*r) {
		return int64(128 * r * total)
	}
	return math.MaxInt64
}
