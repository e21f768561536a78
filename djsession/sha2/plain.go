package sha2

import (
	"encoding/binary"
	"math/bits"
)

// state is a hash between two blocks. SHA-1 uses five words.
type state struct {
	words [8]uint32
	long  [8]uint64 // SHA-512's
}

func (h Hash) initial() state {
	switch h {
	case SHA1:
		return state{words: [8]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}}
	case SHA512:
		return state{long: [8]uint64{
			0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
			0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
		}}
	}
	return state{words: [8]uint32{
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	}}
}

// update hashes the whole blocks at the head of p and returns the rest.
func (h Hash) update(s *state, p []byte) (rest []byte) {
	size := h.BlockSize()
	n := len(p) / size
	if n > 0 && h == SHA256 {
		blocks(&s.words, &p[0], n)
	}
	for i := range n {
		switch h {
		case SHA1:
			block1(&s.words, p[i*size:])
		case SHA512:
			block512(&s.long, p[i*size:])
		}
	}
	return p[n*size:]
}

// finish appends the digest of what led to s, which was before bytes, and p.
func (h Hash) finish(dst []byte, s state, before int, p []byte) []byte {
	rest := h.update(&s, p)
	var tail [256]byte
	size := h.BlockSize()
	n := size
	if len(rest)+1+size/8 > size { // the padding and the length
		n = 2 * size
	}
	copy(tail[:], rest)
	tail[len(rest)] = 0x80
	binary.BigEndian.PutUint64(tail[n-8:], uint64(before+len(p))<<3)
	h.update(&s, tail[:n])
	if h == SHA512 {
		for _, w := range s.long {
			dst = binary.BigEndian.AppendUint64(dst, w)
		}
		return dst
	}
	for _, w := range s.words[:h.Size()/4] {
		dst = binary.BigEndian.AppendUint32(dst, w)
	}
	return dst
}

// plainHMAC is HMAC with both hashes behind their first block already.
type plainHMAC struct {
	hash         Hash
	inner, outer state
}

func newPlainHMAC(h Hash, key []byte) *plainHMAC {
	inner, outer := hmacPads(h, key)
	m := &plainHMAC{hash: h, inner: h.initial(), outer: h.initial()}
	h.update(&m.inner, inner[:h.BlockSize()])
	h.update(&m.outer, outer[:h.BlockSize()])
	return m
}

func (m *plainHMAC) append(dst, msg []byte) []byte {
	var buf [64]byte
	sum := m.hash.finish(buf[:0], m.inner, m.hash.BlockSize(), msg)
	return m.hash.finish(dst, m.outer, m.hash.BlockSize(), sum)
}

// block1 is SHA-1's (FIPS 180-4, 6.1.2). Nothing new is signed with it, so it
// is written to be short.
func block1(s *[8]uint32, p []byte) {
	var w [16]uint32
	for i := range w {
		w[i] = binary.BigEndian.Uint32(p[4*i:])
	}
	a, b, c, d, e := s[0], s[1], s[2], s[3], s[4]
	for i := range 80 {
		if i >= 16 {
			w[i%16] = bits.RotateLeft32(w[(i+13)%16]^w[(i+8)%16]^w[(i+2)%16]^w[i%16], 1)
		}
		t := bits.RotateLeft32(a, 5) + e + w[i%16]
		switch i / 20 {
		case 0:
			t += 0x5a827999 + (b&c | ^b&d)
		case 1:
			t += 0x6ed9eba1 + (b ^ c ^ d)
		case 2:
			t += 0x8f1bbcdc + (b&c | b&d | c&d)
		case 3:
			t += 0xca62c1d6 + (b ^ c ^ d)
		}
		a, b, c, d, e = t, a, bits.RotateLeft32(b, 30), c, d
	}
	s[0], s[1], s[2], s[3], s[4] = s[0]+a, s[1]+b, s[2]+c, s[3]+d, s[4]+e
}

// block512 is SHA-512's (FIPS 180-4, 6.4.2), and as short.
func block512(s *[8]uint64, p []byte) {
	var w [16]uint64
	for i := range w {
		w[i] = binary.BigEndian.Uint64(p[8*i:])
	}
	v := *s
	for i, k := range constants512 {
		if i >= 16 {
			x, y := w[(i+1)%16], w[(i+14)%16]
			w[i%16] += w[(i+9)%16] +
				(bits.RotateLeft64(x, -1) ^ bits.RotateLeft64(x, -8) ^ x>>7) +
				(bits.RotateLeft64(y, -19) ^ bits.RotateLeft64(y, -61) ^ y>>6)
		}
		a, b, c, e, f, g := v[0], v[1], v[2], v[4], v[5], v[6]
		t := v[7] + k + w[i%16] + (e&f ^ ^e&g) +
			(bits.RotateLeft64(e, -14) ^ bits.RotateLeft64(e, -18) ^ bits.RotateLeft64(e, -41))
		u := (bits.RotateLeft64(a, -28) ^ bits.RotateLeft64(a, -34) ^ bits.RotateLeft64(a, -39)) + (a&b ^ a&c ^ b&c)
		v = [8]uint64{t + u, a, b, c, v[3] + t, e, f, g}
	}
	for i := range s {
		s[i] += v[i]
	}
}
