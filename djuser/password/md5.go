package password

import (
	"encoding/binary"
	"math/bits"
)

// md5Sum is RFC 1321's digest, for hashers that protect nothing. It is our own
// because crypto/md5 brings the standard library's FIPS module into the guest.
func md5Sum(msg []byte) (sum [16]byte) {
	state := [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}
	padded := append(append(make([]byte, 0, len(msg)+72), msg...), 0x80)
	for len(padded)%64 != 56 {
		padded = append(padded, 0)
	}
	padded = binary.LittleEndian.AppendUint64(padded, uint64(len(msg))<<3)
	for ; len(padded) > 0; padded = padded[64:] {
		md5Block(&state, padded)
	}
	for i, w := range state {
		binary.LittleEndian.PutUint32(sum[4*i:], w)
	}
	return sum
}

func md5Block(state *[4]uint32, p []byte) {
	a, b, c, d := state[0], state[1], state[2], state[3]
	for i, k := range md5Constants {
		var f uint32
		var word int
		switch i / 16 {
		case 0:
			f, word = b&c|^b&d, i
		case 1:
			f, word = d&b|^d&c, 5*i+1
		case 2:
			f, word = b^c^d, 3*i+5
		case 3:
			f, word = c^(b|^d), 7*i
		}
		f += a + k + binary.LittleEndian.Uint32(p[4*(word%16):])
		a, b, c, d = d, b+bits.RotateLeft32(f, md5Rotations[i/16][i%4]), b, c
	}
	state[0], state[1], state[2], state[3] = state[0]+a, state[1]+b, state[2]+c, state[3]+d
}

var md5Rotations = [4][4]int{{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}

// md5Constants are the first 32 bits of the sines of 1 to 64 (RFC 1321, 3.4).
var md5Constants = [64]uint32{
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
}
