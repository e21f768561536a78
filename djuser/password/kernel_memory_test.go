package password

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/crypto/scrypt"
)

// TestMemoryKernels holds the kernels of argon2 and scrypt against plain Go.
func TestMemoryKernels(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		source := rand.NewChaCha8([32]byte{3})
		for i := range 100 {
			var blocks [3]argon2Block // out, x and y
			for j := range blocks {
				for k := range blocks[j] {
					blocks[j][k] = source.Uint64()
				}
			}
			x, y := 1, 2
			switch i % 4 {
			case 1:
				x = 0
			case 2:
				y = 0
			case 3:
				y = x
			}
			want := blocks
			argon2CompressGeneric(&want[0], &want[x], &want[y], i&4 > 0)
			argon2Compress(&blocks[0], &blocks[x], &blocks[y], i&4 > 0)
			if blocks != want {
				t.Fatalf("argon2, case %d: %x, want %x", i%8, blocks[0], want[0])
			}
		}
		for pairs := range 6 {
			words := make([]uint32, 1000)
			randomWords(source, words)
			mix := func(f func(even, odd, last, in, with *uint32, pairs int)) []uint32 {
				w := slices.Clone(words)
				f(&w[0], &w[100], &w[200], &w[300], &w[500], pairs)
				return w
			}
			got, want := mix(scryptMix), mix(scryptMixGeneric)
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("scrypt, %d pairs: word %d is %x, want %x", pairs, i, got[i], want[i])
				}
			}
		}
	})
}

// TestScryptSlices compares with golang.org/x/crypto/scrypt, in an arena that other
// derivations have left their content in, and stops in the middle.
func TestScryptSlices(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		var arena Arena
		random := testRandom()
		for _, c := range []struct{ n, r, p, length uint32 }{
			{2, 1, 1, 1}, {4, 3, 2, 100}, {512, 8, 2, 64}, {64, 5, 7, 32}, {2, 10_000, 1, 64}, {16, 1, 40, 33},
		} {
			password, _ := random(t.Context(), int(c.n%90))
			salt, _ := random(t.Context(), int(c.r%70))
			pauses := 0
			count := func(context.Context) error { pauses++; return nil }
			p := Params{Function: Scrypt, N: c.n, R: c.r, Parallelism: c.p, KeyLen: c.length}
			got, err := arena.Derive(t.Context(), count, p, password, salt)
			want, wantErr := scrypt.Key(password, salt, int(c.n), int(c.r), int(c.p), int(c.length))
			if err != nil || wantErr != nil || !bytes.Equal(got, want) {
				t.Fatalf("%+v: %x, %v; want %x, %v", c, got, err, want, wantErr)
			}
			work := int(4 * c.n * c.r * c.p) // Salsa20/8 blocks
			if pauses < work/scryptSlice-1 { // none after the last
				t.Errorf("%+v: %d pauses in %d blocks", c, pauses, work)
			}
			if _, err := arena.Derive(t.Context(), nil, Params{Function: Argon2id, Version: 0x13, Iterations: 1, Memory: 64, Parallelism: 1, KeyLen: 32}, password, salt); err != nil {
				t.Fatal(err)
			}
		}
		enough := errors.New("enough")
		pauses := 0
		stop := func(context.Context) error {
			if pauses++; pauses == 3 {
				return enough
			}
			return nil
		}
		p := Params{Function: Scrypt, N: 1 << 14, R: 8, Parallelism: 5, KeyLen: 64}
		if _, err := arena.Derive(t.Context(), stop, p, nil, nil); !errors.Is(err, enough) || pauses != 3 {
			t.Errorf("stopped with %v after %d pauses", err, pauses)
		}
	})
}
