package password

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// tight is a site that reads every hasher and allows hardly any work.
func tight(t testing.TB) *Hashers {
	return newHashers(t, Config{
		Hashers: []string{"pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt",
			"md5", "sha1", "unsalted_md5", "unsalted_sha1", "crypt"},
		PBKDF2Iterations: 2,
		Limits: Limits{
			PBKDF2Iterations: 100, Argon2Memory: 64, Argon2Time: 2, Argon2Parallelism: 4,
			ScryptMemory: 128 * 64 * 8, ScryptParallelism: 2, BcryptCost: 4, PasswordBytes: 256,
		},
	})
}

// FuzzParseHash: any text is refused or understood within the limits, and what
// is understood is written again with the same meaning.
func FuzzParseHash(f *testing.F) {
	h := tight(f)
	f.Fuzz(func(t *testing.T, encoded string) {
		h.MustUpdate(encoded)
		s, p, err := h.read(encoded)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrUnknownAlgorithm) && !errors.Is(err, ErrCost) {
				t.Fatalf("%v", err)
			}
			return
		}
		if s.algorithm() != Identify(encoded) {
			t.Fatalf("%q is read as %s", encoded, s.algorithm())
		}
		if p.params.Function != 0 && (p.params.check() != nil || s.check(h.limits, p.params) != nil || p.params.MemoryBytes() > 1<<20) {
			t.Fatalf("%q asks for %+v", encoded, p.params)
		}
		again := p.encode(nil, make([]byte, p.params.KeyLen))
		_, q, err := h.read(again)
		if err != nil || q.params != p.params || string(q.salt) != string(p.salt) {
			t.Fatalf("%q is written as %q, which reads as %+v, %v", encoded, again, q.params, err)
		}
		if q.encode(nil, make([]byte, p.params.KeyLen)) != again {
			t.Fatalf("%q is not stable", again)
		}
	})
}

// FuzzVerify: no pair of texts panics or works long; what matches matches by
// every door; and every acceptable password can be stored and found again.
func FuzzVerify(f *testing.F) {
	h := tight(f)
	f.Fuzz(func(t *testing.T, password, encoded string) {
		ctx := context.Background()
		ok, err := h.Verify(ctx, nil, password, encoded)
		if ok && (err != nil || !Usable(encoded) || h.Readable(encoded) != nil) {
			t.Fatalf("%q matches %q, %v", password, encoded, err)
		}
		checked, _, err := h.Check(ctx, nil, password, encoded)
		if checked != ok || err != nil {
			t.Fatalf("Verify says %v, Check %v, %v", ok, checked, err)
		}
		algorithm := Identify(encoded)
		if algorithm == "argon2" || strings.HasPrefix(algorithm, "bcrypt") || algorithm == "scrypt" || h.scheme(algorithm) == nil {
			return // new ones cost too much for a fuzz target
		}
		stored, err := h.Make(ctx, nil, testRandom(), password, algorithm)
		if err != nil {
			if len(password) <= 256 && utf8.ValidString(password) && (algorithm != "crypt" || !strings.Contains(password, "\x00")) {
				t.Fatalf("%q cannot be stored by %s: %v", password, algorithm, err)
			}
			return
		}
		if ok, err := h.Verify(ctx, nil, password, stored); !ok || err != nil {
			t.Fatalf("%q does not match its own %q: %v", password, stored, err)
		}
		if ok, _ := h.Verify(ctx, nil, password+"x", stored); ok && algorithm != "crypt" {
			t.Fatalf("%q matches the hash of a shorter password", password+"x")
		}
	})
}
