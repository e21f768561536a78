//go:build !wasm

package abi

// load32 and load64 read numbers in little-endian order, which the caller knows
// to be there.
func load32(s string, at int) uint32 {
	_ = s[at+3]
	return uint32(s[at]) | uint32(s[at+1])<<8 | uint32(s[at+2])<<16 | uint32(s[at+3])<<24
}

func load64(s string, at int) uint64 {
	return uint64(load32(s, at)) | uint64(load32(s, at+4))<<32
}
