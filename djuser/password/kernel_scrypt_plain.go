package password

import (
	"math/bits"
	"unsafe"
)

// scryptMixGeneric computes pairs of blocks of scryptBlockMix: each is Salsa20/8
// of the block before it xor the next one of in xor the next one of with. The
// first of a pair goes to even, the second to odd, each behind the last one
// there; last is the block before all. It is what every other kernel must equal.
func scryptMixGeneric(even, odd, last, in, with *uint32, pairs int) {
	block := func(p *uint32, i int) *[16]uint32 {
		return (*[16]uint32)(unsafe.Slice(p, 16*(i+1))[16*i:])
	}
	before := block(last, 0)
	for i := range pairs {
		salsaXOR(block(even, i), before, block(in, 2*i), block(with, 2*i))
		salsaXOR(block(odd, i), block(even, i), block(in, 2*i+1), block(with, 2*i+1))
		before = block(odd, i)
	}
}

// salsaXOR is Salsa20/8 (RFC 7914, section 3) of a xor b xor c.
func salsaXOR(out, a, b, c *[16]uint32) {
	w0 := a[0] ^ b[0] ^ c[0]
	w1 := a[1] ^ b[1] ^ c[1]
	w2 := a[2] ^ b[2] ^ c[2]
	w3 := a[3] ^ b[3] ^ c[3]
	w4 := a[4] ^ b[4] ^ c[4]
	w5 := a[5] ^ b[5] ^ c[5]
	w6 := a[6] ^ b[6] ^ c[6]
	w7 := a[7] ^ b[7] ^ c[7]
	w8 := a[8] ^ b[8] ^ c[8]
	w9 := a[9] ^ b[9] ^ c[9]
	w10 := a[10] ^ b[10] ^ c[10]
	w11 := a[11] ^ b[11] ^ c[11]
	w12 := a[12] ^ b[12] ^ c[12]
	w13 := a[13] ^ b[13] ^ c[13]
	w14 := a[14] ^ b[14] ^ c[14]
	w15 := a[15] ^ b[15] ^ c[15]
	x0, x1, x2, x3, x4, x5, x6, x7 := w0, w1, w2, w3, w4, w5, w6, w7
	x8, x9, x10, x11, x12, x13, x14, x15 := w8, w9, w10, w11, w12, w13, w14, w15
	for range 4 {
		x4 ^= bits.RotateLeft32(x0+x12, 7)
		x8 ^= bits.RotateLeft32(x4+x0, 9)
		x12 ^= bits.RotateLeft32(x8+x4, 13)
		x0 ^= bits.RotateLeft32(x12+x8, 18)
		x9 ^= bits.RotateLeft32(x5+x1, 7)
		x13 ^= bits.RotateLeft32(x9+x5, 9)
		x1 ^= bits.RotateLeft32(x13+x9, 13)
		x5 ^= bits.RotateLeft32(x1+x13, 18)
		x14 ^= bits.RotateLeft32(x10+x6, 7)
		x2 ^= bits.RotateLeft32(x14+x10, 9)
		x6 ^= bits.RotateLeft32(x2+x14, 13)
		x10 ^= bits.RotateLeft32(x6+x2, 18)
		x3 ^= bits.RotateLeft32(x15+x11, 7)
		x7 ^= bits.RotateLeft32(x3+x15, 9)
		x11 ^= bits.RotateLeft32(x7+x3, 13)
		x15 ^= bits.RotateLeft32(x11+x7, 18)
		x1 ^= bits.RotateLeft32(x0+x3, 7)
		x2 ^= bits.RotateLeft32(x1+x0, 9)
		x3 ^= bits.RotateLeft32(x2+x1, 13)
		x0 ^= bits.RotateLeft32(x3+x2, 18)
		x6 ^= bits.RotateLeft32(x5+x4, 7)
		x7 ^= bits.RotateLeft32(x6+x5, 9)
		x4 ^= bits.RotateLeft32(x7+x6, 13)
		x5 ^= bits.RotateLeft32(x4+x7, 18)
		x11 ^= bits.RotateLeft32(x10+x9, 7)
		x8 ^= bits.RotateLeft32(x11+x10, 9)
		x9 ^= bits.RotateLeft32(x8+x11, 13)
		x10 ^= bits.RotateLeft32(x9+x8, 18)
		x12 ^= bits.RotateLeft32(x15+x14, 7)
		x13 ^= bits.RotateLeft32(x12+x15, 9)
		x14 ^= bits.RotateLeft32(x13+x12, 13)
		x15 ^= bits.RotateLeft32(x14+x13, 18)
	}
	out[0] = w0 + x0
	out[1] = w1 + x1
	out[2] = w2 + x2
	out[3] = w3 + x3
	out[4] = w4 + x4
	out[5] = w5 + x5
	out[6] = w6 + x6
	out[7] = w7 + x7
	out[8] = w8 + x8
	out[9] = w9 + x9
	out[10] = w10 + x10
	out[11] = w11 + x11
	out[12] = w12 + x12
	out[13] = w13 + x13
	out[14] = w14 + x14
	out[15] = w15 + x15
}
