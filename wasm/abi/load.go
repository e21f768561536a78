//go:build !wasm

package abi

import "encoding/binary"

// load32 and load64 read numbers in little-endian order, which the caller knows
// to be there.
func load32(s string, at int) uint32 {
	_ = s[at+3]
	return uint32(s[at]) | uint32(s[at+1])<<8 | uint32(s[at+2])<<16 | uint32(s[at+3])<<24
}

func load64(s string, at int) uint64 {
	return uint64(load32(s, at)) | uint64(load32(s, at+4))<<32
}

// store32 and store64 write them, where there is room.
func store32(b []byte, at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }
func store64(b []byte, at int, v uint64) { binary.LittleEndian.PutUint64(b[at:], v) }
