package password

import "math/bits"

//go:generate go run blocks_gen.go

// sha256State is the chain of one block of a PBKDF2-HMAC-SHA-256 key. Words are
// in the host's order. Assembly knows the layout.
type sha256State struct {
	inner, outer [8]uint32 // SHA-256 behind the first blocks of HMAC's two hashes
	u, sum       [8]uint32 // the last link, and the sum of all
}

// sha1State is sha256State for SHA-1.
type sha1State struct{ inner, outer, u, sum [5]uint32 }

// iterateSHA256Plain is iterateSHA256 over blocks.go: n times, u becomes the
// HMAC of itself and is added to the sum. It is what every other kernel must
// equal.
func iterateSHA256Plain(s *sha256State, n int) {
	var t [8]uint32
	for range n {
		sha256Tail(&t, &s.inner, &s.u)
		sha256Tail(&s.u, &s.outer, &t)
		for i := range s.sum {
			s.sum[i] ^= s.u[i]
		}
	}
}

// iterateSHA1Plain is iterateSHA256Plain for SHA-1.
func iterateSHA1Plain(s *sha1State, n int) {
	var t [5]uint32
	for range n {
		sha1Tail(&t, &s.inner, &s.u)
		sha1Tail(&s.u, &s.outer, &t)
		for i := range s.sum {
			s.sum[i] ^= s.u[i]
		}
	}
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
