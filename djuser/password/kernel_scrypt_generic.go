//go:build !wasm

package password

func scryptMix(even, odd, last, in, with *uint32, pairs int) {
	scryptMixGeneric(even, odd, last, in, with, pairs)
}
