//go:build !wasm

package sha2

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// blocks is block_wasm.s in plain Go, so that what surrounds it is tested
// everywhere.
func blocks(state *[8]uint32, p *byte, n int) {
	for msg := unsafe.Slice(p, 64*n); len(msg) > 0; msg = msg[64:] {
		var w [16]uint32
		for i := range w {
			w[i] = binary.BigEndian.Uint32(msg[4*i:])
		}
		v := *state
		for i := range 64 {
			if i >= 16 {
				x, y := w[(i+1)%16], w[(i+14)%16]
				w[i%16] += w[(i+9)%16] +
					(bits.RotateLeft32(x, -7) ^ bits.RotateLeft32(x, -18) ^ x>>3) +
					(bits.RotateLeft32(y, -17) ^ bits.RotateLeft32(y, -19) ^ y>>10)
			}
			a, b, c, e, f, g := v[0], v[1], v[2], v[4], v[5], v[6]
			// SHA-256's constants are the upper halves of SHA-512's first 64.
			t := v[7] + uint32(constants512[i]>>32) + w[i%16] + (e&f ^ ^e&g) +
				(bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25))
			u := (bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22)) + (a&b ^ a&c ^ b&c)
			v = [8]uint32{t + u, a, b, c, v[3] + t, e, f, g}
		}
		for i := range state {
			state[i] += v[i]
		}
	}
}
