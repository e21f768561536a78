package password

import "math/bits"

// argon2CompressGeneric is argon2Compress in plain Go, which every other kernel
// must equal.
func argon2CompressGeneric(out, x, y *argon2Block, combine bool) {
	var t argon2Block
	if combine {
		for i := range t {
			t[i] = x[i] ^ y[i]
			out[i] ^= t[i]
		}
	} else {
		for i := range t {
			t[i] = x[i] ^ y[i]
			out[i] = t[i]
		}
	}
	for i := 0; i < 128; i += 16 {
		argon2Permute(&t, i, 2)
	}
	for i := 0; i < 16; i += 2 {
		argon2Permute(&t, i, 16)
	}
	for i := range t {
		out[i] ^= t[i]
	}
}

// argon2Permute is P over the eight pairs of words that begin at i, step apart.
func argon2Permute(t *argon2Block, i, step int) {
	p0 := (*[2]uint64)(t[i:])
	p1 := (*[2]uint64)(t[i+step:])
	p2 := (*[2]uint64)(t[i+2*step:])
	p3 := (*[2]uint64)(t[i+3*step:])
	p4 := (*[2]uint64)(t[i+4*step:])
	p5 := (*[2]uint64)(t[i+5*step:])
	p6 := (*[2]uint64)(t[i+6*step:])
	p7 := (*[2]uint64)(t[i+7*step:])
	a0, a1, a2, a3 := p0[0], p0[1], p1[0], p1[1]
	b0, b1, b2, b3 := p2[0], p2[1], p3[0], p3[1]
	c0, c1, c2, c3 := p4[0], p4[1], p5[0], p5[1]
	d0, d1, d2, d3 := p6[0], p6[1], p7[0], p7[1]
	a0, d0 = blamka(a0, b0, d0, 32)
	c0, b0 = blamka(c0, d0, b0, 24)
	a0, d0 = blamka(a0, b0, d0, 16)
	c0, b0 = blamka(c0, d0, b0, 63)
	a1, d1 = blamka(a1, b1, d1, 32)
	c1, b1 = blamka(c1, d1, b1, 24)
	a1, d1 = blamka(a1, b1, d1, 16)
	c1, b1 = blamka(c1, d1, b1, 63)
	a2, d2 = blamka(a2, b2, d2, 32)
	c2, b2 = blamka(c2, d2, b2, 24)
	a2, d2 = blamka(a2, b2, d2, 16)
	c2, b2 = blamka(c2, d2, b2, 63)
	a3, d3 = blamka(a3, b3, d3, 32)
	c3, b3 = blamka(c3, d3, b3, 24)
	a3, d3 = blamka(a3, b3, d3, 16)
	c3, b3 = blamka(c3, d3, b3, 63)
	a0, d3 = blamka(a0, b1, d3, 32)
	c2, b1 = blamka(c2, d3, b1, 24)
	a0, d3 = blamka(a0, b1, d3, 16)
	c2, b1 = blamka(c2, d3, b1, 63)
	a1, d0 = blamka(a1, b2, d0, 32)
	c3, b2 = blamka(c3, d0, b2, 24)
	a1, d0 = blamka(a1, b2, d0, 16)
	c3, b2 = blamka(c3, d0, b2, 63)
	a2, d1 = blamka(a2, b3, d1, 32)
	c0, b3 = blamka(c0, d1, b3, 24)
	a2, d1 = blamka(a2, b3, d1, 16)
	c0, b3 = blamka(c0, d1, b3, 63)
	a3, d2 = blamka(a3, b0, d2, 32)
	c1, b0 = blamka(c1, d2, b0, 24)
	a3, d2 = blamka(a3, b0, d2, 16)
	c1, b0 = blamka(c1, d2, b0, 63)
	p0[0], p0[1], p1[0], p1[1] = a0, a1, a2, a3
	p2[0], p2[1], p3[0], p3[1] = b0, b1, b2, b3
	p4[0], p4[1], p5[0], p5[1] = c0, c1, c2, c3
	p6[0], p6[1], p7[0], p7[1] = d0, d1, d2, d3
}

// blamka is a quarter of BLAKE2b's mixing function, with a multiplication (RFC
// 9106, 3.6). It is a quarter because the compiler inlines no more.
func blamka(a, b, d uint64, right int) (uint64, uint64) {
	a += b + 2*uint64(uint32(a))*uint64(uint32(b))
	return a, bits.RotateLeft64(d^a, -right)
}
