// Package sha2 is SHA-256 and its HMAC, with SHA-512 and, for what old
// versions of Django have signed, SHA-1.
//
// In WebAssembly it is all our own, because crypto/sha256 and its like bring the
// standard library's FIPS module, which weighs half a megabyte there and whose
// block is five times as slow as the one in block_wasm.s. Everywhere else it is
// the standard library, which has the processor's instructions.
package sha2

import "unsafe"

// Hash is one of the hash functions. The zero value is SHA256.
type Hash uint8

const (
	SHA256 Hash = iota
	SHA1
	SHA512
)

// Size is the length of a digest in bytes: 32, 20 or 64.
func (h Hash) Size() int { return [...]int{SHA256: 32, SHA1: 20, SHA512: 64}[h] }

// BlockSize is the length of a block in bytes: 64, and 128 for SHA512.
func (h Hash) BlockSize() int { return [...]int{SHA256: 64, SHA1: 64, SHA512: 128}[h] }

// AppendString is [HMAC.Append] of a string.
func (m *HMAC) AppendString(dst []byte, msg string) []byte {
	// Reading is all that hashing does to it.
	return m.Append(dst, unsafe.Slice(unsafe.StringData(msg), len(msg)))
}

// hmacPads are the first blocks of the two hashes of RFC 2104, of
// h.BlockSize() bytes.
func hmacPads(h Hash, key []byte) (inner, outer [128]byte) {
	if len(key) > h.BlockSize() {
		key = h.AppendSum(nil, key)
	}
	copy(inner[:], key)
	outer = inner
	for i := range inner {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	return inner, outer
}
