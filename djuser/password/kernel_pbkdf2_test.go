package password

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"hash"
	"math/rand/v2"
	"testing"
)

// The kernels of this processor by name; what an architecture adds is in its
// own test file.
var (
	sha256Kernels    = map[string]func(*sha256State, int){"plain": iterateSHA256Plain, "chosen": iterateSHA256}
	sha1Kernels      = map[string]func(*sha1State, int){"plain": iterateSHA1Plain, "chosen": iterateSHA1}
	sha256TwoKernels = map[string]func(a, b *sha256State, n int){"chosen": iterateSHA256Two}
)

// withoutInstructions runs a test with the kernels of an older processor, where
// there is a choice.
var withoutInstructions = func(*testing.T, func(*testing.T)) {}

// onEveryPath runs a test with each choice of kernels.
func onEveryPath(t *testing.T, f func(t *testing.T)) {
	t.Run("chosen", f)
	withoutInstructions(t, f)
}

// hmacPBKDF2 is the definition (RFC 8018, 5.2) over crypto/hmac: the other
// implementation for costs that no published answer has.
func hmacPBKDF2(p Params, password, salt []byte) []byte {
	sha := func() hash.Hash { return sha256.New() }
	if p.Function == PBKDF2SHA1 {
		sha = sha1.New
	}
	prf := hmac.New(sha, password)
	var key []byte
	for block := uint32(1); len(key) < int(p.KeyLen); block++ {
		prf.Reset()
		prf.Write(salt)
		prf.Write(binary.BigEndian.AppendUint32(nil, block))
		u := prf.Sum(nil)
		sum := bytes.Clone(u)
		for range p.Iterations - 1 {
			prf.Reset()
			prf.Write(u)
			u = prf.Sum(u[:0])
			subtle.XORBytes(sum, sum, u)
		}
		key = append(key, sum...)
	}
	return key[:p.KeyLen]
}

func randomWords(source *rand.ChaCha8, fields ...[]uint32) {
	for _, words := range fields {
		for i := range words {
			words[i] = uint32(source.Uint64())
		}
	}
}

func randomStates(source *rand.ChaCha8) (a, b sha256State, c sha1State) {
	for _, s := range []*sha256State{&a, &b} {
		randomWords(source, s.inner[:], s.outer[:], s.u[:], s.sum[:])
	}
	randomWords(source, c.inner[:], c.outer[:], c.u[:], c.sum[:])
	return a, b, c
}

// compareKernels runs n iterations of every kernel from the same states.
func compareKernels(t *testing.T, a, b sha256State, c sha1State, n int) {
	t.Helper()
	wantA, wantB, wantC := a, b, c
	iterateSHA256Plain(&wantA, n)
	iterateSHA256Plain(&wantB, n)
	iterateSHA1Plain(&wantC, n)
	for name, kernel := range sha256Kernels {
		got := a
		if kernel(&got, n); got != wantA {
			t.Errorf("SHA-256, %s, %d iterations: %x, want %x", name, n, got, wantA)
		}
	}
	for name, kernel := range sha256TwoKernels {
		gotA, gotB := a, b
		if kernel(&gotA, &gotB, n); gotA != wantA || gotB != wantB {
			t.Errorf("SHA-256 twice, %s, %d iterations: %x and %x, want %x and %x", name, n, gotA, gotB, wantA, wantB)
		}
	}
	for name, kernel := range sha1Kernels {
		got := c
		if kernel(&got, n); got != wantC {
			t.Errorf("SHA-1, %s, %d iterations: %x, want %x", name, n, got, wantC)
		}
	}
}

// TestKernels holds all kernels against plain Go, from states that no password
// leads to as well.
func TestKernels(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		source := rand.NewChaCha8([32]byte{2})
		for i := range 200 {
			a, b, c := randomStates(source)
			compareKernels(t, a, b, c, i%7)
		}
		ones := ^uint32(0)
		a, b, c := randomStates(source)
		for _, words := range [][]uint32{a.inner[:], a.outer[:], a.u[:], c.inner[:], c.outer[:], c.u[:]} {
			for i := range words {
				words[i] = ones
			}
		}
		compareKernels(t, a, b, c, 3)
		compareKernels(t, sha256State{}, a, sha1State{}, 3)
		compareKernels(t, b, sha256State{}, c, 1000)
		compareKernels(t, a, b, c, 0)
	})
}

// FuzzKernels is TestKernels for any states.
func FuzzKernels(f *testing.F) {
	f.Fuzz(func(t *testing.T, seed uint64, words []byte, n uint8) {
		var key [32]byte
		binary.LittleEndian.PutUint64(key[:], seed)
		a, b, c := randomStates(rand.NewChaCha8(key))
		for _, field := range [][]uint32{a.inner[:], a.outer[:], a.u[:], b.inner[:], b.outer[:], b.u[:], c.inner[:], c.outer[:], c.u[:]} {
			for i := range field {
				if len(words) < 4 {
					break
				}
				field[i], words = binary.LittleEndian.Uint32(words), words[4:]
			}
		}
		compareKernels(t, a, b, c, int(n%16))
	})
}

// TestPBKDF2Definition compares with the definition: lengths of passwords
// around SHA's block, keys of several blocks, and counts around a slice's end.
func TestPBKDF2Definition(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		random := testRandom()
		for i := range 201 { // each length of password
			function := PBKDF2SHA256 + Function(i%2)
			iterations := []uint32{1, 2, 3, 100, pbkdf2Slice - 1, pbkdf2Slice, pbkdf2Slice + 1, pbkdf2Slice + 2, 2*pbkdf2Slice + 1}[i%9]
			if i > 130 {
				iterations = uint32(i)
			}
			password, _ := random(t.Context(), i)
			salt, _ := random(t.Context(), i*7%70)
			p := Params{Function: function, Iterations: iterations, KeyLen: uint32(1 + i%80)}
			got, err := Derive(t.Context(), nil, p, password, salt)
			if want := hmacPBKDF2(p, password, salt); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%+v, %d bytes: %x, %v; want %x", p, i, got, err, want)
			}
		}
	})
}

// TestStepBoth runs pairs that end at different steps, of different functions,
// and one alone.
func TestStepBoth(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		random := testRandom()
		counts := []uint32{1, 2, pbkdf2Slice, pbkdf2Slice + 1, 5000}
		for i := range 2 * len(counts) * len(counts) {
			pa := Params{Function: PBKDF2SHA256, Iterations: counts[i%5], KeyLen: 32}
			pb := Params{Function: PBKDF2SHA256, Iterations: counts[i/5%5], KeyLen: 32}
			if i >= 25 {
				pa.KeyLen = 40
				pb.Function = PBKDF2SHA256 + Function(i%2)
			}
			password, _ := random(t.Context(), 2*i)
			salt, _ := random(t.Context(), 20)
			a, err1 := NewPBKDF2(pa, password[:i], salt)
			b, err2 := NewPBKDF2(pb, password[i:], salt)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			steps, doneA, doneB := 0, false, false
			for !doneA || !doneB {
				if doneA != (a.Key() != nil) || doneB != (b.Key() != nil) {
					t.Fatal("a key before it is done, or none after")
				}
				doneA, doneB = StepBoth(a, b)
				if steps++; steps > 100 {
					t.Fatal("no end")
				}
			}
			if want := hmacPBKDF2(pa, password[:i], salt); !bytes.Equal(a.Key(), want) {
				t.Errorf("%+v beside %+v: %x, want %x", pa, pb, a.Key(), want)
			}
			if want := hmacPBKDF2(pb, password[i:], salt); !bytes.Equal(b.Key(), want) {
				t.Errorf("%+v beside %+v: %x, want %x", pb, pa, b.Key(), want)
			}
			if !a.Step() || !bytes.Equal(a.Key(), hmacPBKDF2(pa, password[:i], salt)) {
				t.Error("a step after the last changes the key")
			}
			if a.sha256 != (sha256State{}) || a.sha1 != (sha1State{}) {
				t.Error("the states are still there")
			}
		}
	})
}

// TestPBKDF2Steps counts: a caller that stops between two steps has had no more
// than the iterations of the steps it ran.
func TestPBKDF2Steps(t *testing.T) {
	for _, function := range []Function{PBKDF2SHA256, PBKDF2SHA1} {
		d, err := NewPBKDF2(Params{Function: function, Iterations: 3*pbkdf2Slice + 2, KeyLen: 20}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for step := uint32(1); step <= 3; step++ {
			if d.Step() || d.left != (3-step)*pbkdf2Slice+1 {
				t.Fatalf("after %d steps %d iterations are left", step, d.left)
			}
		}
		if !d.Step() {
			t.Error("not done after the last")
		}
	}
	if _, err := NewPBKDF2(Params{Function: Scrypt, N: 2, R: 1, Parallelism: 1, KeyLen: 1}, nil, nil); err == nil {
		t.Error("PBKDF2 with scrypt")
	}
	if _, err := NewPBKDF2(Params{Function: PBKDF2SHA1, KeyLen: 1}, nil, nil); err == nil {
		t.Error("PBKDF2 without iterations")
	}
}
