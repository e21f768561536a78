package password

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
)

// fakeKDF derives a digest of what it is given, so that a test can count the
// work of costly hashes without doing it. What it makes, it verifies.
type fakeKDF struct{ done *[]Params }

func (k fakeKDF) DeriveKey(_ context.Context, p Params, password, salt []byte) ([]byte, error) {
	if k.done != nil {
		*k.done = append(*k.done, p)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v %x %x", p, password, salt))
	return bytes.Repeat(sum[:], int(p.KeyLen)/len(sum)+1)[:p.KeyLen], nil
}

func (k fakeKDF) Yield(context.Context) error { return nil }

// work is what the derivations cost, in units of their algorithm.
func work(done []Params) (units uint64) {
	for _, p := range done {
		switch p.Function {
		case PBKDF2SHA256, PBKDF2SHA1:
			units += uint64(p.Iterations)
		case Bcrypt:
			units += 1 << p.Iterations
		case Scrypt:
			units += uint64(p.N) * uint64(p.R) * uint64(p.Parallelism)
		default:
			units += uint64(p.Memory) * uint64(p.Iterations)
		}
	}
	return units
}

// inPlace declines, so that the rules hash themselves.
type inPlace struct {
	declined int
	yields   int
	stop     func(yields int) error
}

func (k *inPlace) DeriveKey(context.Context, Params, []byte, []byte) ([]byte, error) {
	k.declined++
	return nil, fmt.Errorf("in a test: %w", ErrDeclined)
}

func (k *inPlace) Yield(context.Context) error {
	k.yields++
	if k.stop == nil {
		return nil
	}
	return k.stop(k.yields)
}

// testRandom is a source of repeatable bytes.
func testRandom() func(context.Context, int) ([]byte, error) {
	source := rand.NewChaCha8([32]byte{1})
	return func(_ context.Context, n int) ([]byte, error) {
		b := make([]byte, n)
		_, err := source.Read(b)
		return b, err
	}
}
