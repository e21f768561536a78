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
	x := *a
	for i := range x {
		x[i] ^= b[i] ^ c[i]
	}
	*out = x
	x0, x1, x2, x3, x4, x5, x6, x7 := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
	x8, x9, x10, x11, x12, x13, x14, x15 := x[8], x[9], x[10], x[11], x[12], x[13], x[14], x[15]
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
	for i, v := range [16]uint32{x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15} {
		out[i] += v
	}
}
