package password

import (
	"math/rand/v2"
	"testing"
)

// TestArgon2Compress holds the kernel of this processor against plain Go, with
// each argument that may be the same as another.
func TestArgon2Compress(t *testing.T) {
	source := rand.NewChaCha8([32]byte{3})
	for i := range 200 {
		var blocks [3]argon2Block
		for j := range blocks {
			for k := range blocks[j] {
				if blocks[j][k] = source.Uint64(); i == 0 {
					blocks[j][k] = ^uint64(0)
				}
			}
		}
		for _, args := range [][3]int{{0, 1, 2}, {0, 0, 1}, {0, 1, 0}, {0, 1, 1}, {0, 0, 0}} {
			got, want := blocks, blocks
			combine := i%2 == 0
			argon2Compress(&got[args[0]], &got[args[1]], &got[args[2]], combine)
			argon2CompressGeneric(&want[args[0]], &want[args[1]], &want[args[2]], combine)
			if got != want {
				t.Fatalf("arguments %v, combine %v: not as in plain Go", args, combine)
			}
		}
	}
}

func BenchmarkArgon2Compress(b *testing.B) {
	var blocks [3]argon2Block
	for name, f := range map[string]func(out, x, y *argon2Block, combine bool){"chosen": argon2Compress, "plain": argon2CompressGeneric} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f(&blocks[0], &blocks[1], &blocks[2], true)
			}
		})
	}
}
