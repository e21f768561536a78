package password

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"hash"
	"math/bits"
	"runtime"
)

//go:generate go run blocks_gen.go

// pbkdf2Slice is how many iterations run between two yields: about 0.7 ms with
// SHA instructions, 2 to 4 ms in a guest.
const pbkdf2Slice = 4096

// ownBlocks chooses the loop over blocks.go. In WebAssembly it is more than
// three times as fast as crypto/hmac; natively crypto/hmac reaches the
// processor's SHA instructions and plain Go does not.
const ownBlocks = runtime.GOARCH == "wasm"

// pbkdf2 is RFC 8018's PBKDF2 with HMAC, in slices. own chooses the loop.
func pbkdf2(pause func() error, own bool, p Params, password, salt []byte) ([]byte, error) {
	sha := sha256.New
	if p.Function == PBKDF2SHA1 {
		sha = sha1.New
	}
	prf := hmac.New(sha, password)
	var key []byte
	for block := uint32(1); len(key) < int(p.KeyLen); block++ {
		prf.Reset()
		prf.Write(salt)
		prf.Write(binary.BigEndian.AppendUint32(nil, block))
		first := prf.Sum(nil)
		var sum []byte
		var err error
		switch {
		case !own:
			sum, err = iterate(pause, p.Iterations, prf, first)
		case p.Function == PBKDF2SHA1:
			sum, err = iterateSHA1(pause, p.Iterations, password, first)
		default:
			sum, err = iterateSHA256(pause, p.Iterations, password, first)
		}
		if err != nil {
			return nil, err
		}
		key = append(key, sum...)
	}
	return key[:p.KeyLen], nil
}

// iterate sums the PRF's chain that begins with u, which it overwrites.
func iterate(pause func() error, iterations uint32, prf hash.Hash, u []byte) ([]byte, error) {
	sum := append([]byte(nil), u...)
	for n := uint32(1); n < iterations; n++ {
		if n%pbkdf2Slice == 0 {
			if err := pause(); err != nil {
				return nil, err
			}
		}
		prf.Reset()
		prf.Write(u)
		u = prf.Sum(u[:0])
		subtle.XORBytes(sum, sum, u)
	}
	return sum, nil
}

// iterateSHA256 is iterate for HMAC-SHA-256 over blocks.go.
func iterateSHA256(pause func() error, iterations uint32, password, first []byte) ([]byte, error) {
	var inner, outer, u, sum, t [8]uint32
	key := hmacKey(sha256.New, password)
	sha256Head(&inner, pad(key, 0x36))
	sha256Head(&outer, pad(key, 0x5c))
	for i := range u {
		u[i] = binary.BigEndian.Uint32(first[4*i:])
	}
	sum = u
	for n := uint32(1); n < iterations; n++ {
		if n%pbkdf2Slice == 0 {
			if err := pause(); err != nil {
				return nil, err
			}
		}
		sha256Tail(&t, &inner, &u)
		sha256Tail(&u, &outer, &t)
		for i := range sum {
			sum[i] ^= u[i]
		}
	}
	return appendWords(nil, sum[:]), nil
}

// iterateSHA1 is iterate for HMAC-SHA-1 over blocks.go.
func iterateSHA1(pause func() error, iterations uint32, password, first []byte) ([]byte, error) {
	var inner, outer, u, sum, t [5]uint32
	key := hmacKey(sha1.New, password)
	sha1Head(&inner, pad(key, 0x36))
	sha1Head(&outer, pad(key, 0x5c))
	for i := range u {
		u[i] = binary.BigEndian.Uint32(first[4*i:])
	}
	sum = u
	for n := uint32(1); n < iterations; n++ {
		if n%pbkdf2Slice == 0 {
			if err := pause(); err != nil {
				return nil, err
			}
		}
		sha1Tail(&t, &inner, &u)
		sha1Tail(&u, &outer, &t)
		for i := range sum {
			sum[i] ^= u[i]
		}
	}
	return appendWords(nil, sum[:]), nil
}

// hmacKey is the key of RFC 2104: hashed when it is longer than a block.
func hmacKey(sha func() hash.Hash, password []byte) []byte {
	h := sha()
	if len(password) <= h.BlockSize() {
		return password
	}
	h.Write(password)
	return h.Sum(nil)
}

// pad is the first block of the inner (0x36) or outer (0x5c) hash of HMAC.
func pad(key []byte, with byte) *[16]uint32 {
	var block [64]byte
	copy(block[:], key)
	var w [16]uint32
	for i := range block {
		block[i] ^= with
	}
	for i := range w {
		w[i] = binary.BigEndian.Uint32(block[4*i:])
	}
	return &w
}

func appendWords(b []byte, words []uint32) []byte {
	for _, w := range words {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

// sha256Head hashes the first block of a message (FIPS 180-4, 6.2.2). It runs
// twice per derivation, so it is written to be short.
func sha256Head(state *[8]uint32, block *[16]uint32) {
	initial := [8]uint32{
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	}
	w, v := *block, initial
	for i, k := range sha256Constants {
		if i >= 16 {
			x, y := w[(i+1)%16], w[(i+14)%16]
			w[i%16] += w[(i+9)%16] +
				(bits.RotateLeft32(x, -7) ^ bits.RotateLeft32(x, -18) ^ x>>3) +
				(bits.RotateLeft32(y, -17) ^ bits.RotateLeft32(y, -19) ^ y>>10)
		}
		a, b, c, e, f, g := v[0], v[1], v[2], v[4], v[5], v[6]
		t := v[7] + k + w[i%16] + (e&f ^ ^e&g) +
			(bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25))
		v[3] += t
		t += (bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22)) + (a&b ^ a&c ^ b&c)
		v = [8]uint32{t, v[0], v[1], v[2], v[3], v[4], v[5], v[6]}
	}
	for i := range state {
		state[i] = initial[i] + v[i]
	}
}

// sha1Head is sha256Head for SHA-1 (FIPS 180-4, 6.1.2).
func sha1Head(state *[5]uint32, block *[16]uint32) {
	initial := [5]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}
	w, v := *block, initial
	for i := range 80 {
		if i >= 16 {
			w[i%16] = bits.RotateLeft32(w[(i+13)%16]^w[(i+8)%16]^w[(i+2)%16]^w[i%16], 1)
		}
		b, c, d := v[1], v[2], v[3]
		var t uint32
		switch i / 20 {
		case 0:
			t = 0x5a827999 + (b&c | ^b&d)
		case 1:
			t = 0x6ed9eba1 + (b ^ c ^ d)
		case 2:
			t = 0x8f1bbcdc + (b&c | b&d | c&d)
		case 3:
			t = 0xca62c1d6 + (b ^ c ^ d)
		}
		t += bits.RotateLeft32(v[0], 5) + v[4] + w[i%16]
		v = [5]uint32{t, v[0], bits.RotateLeft32(b, 30), c, d}
	}
	for i := range state {
		state[i] = initial[i] + v[i]
	}
}
