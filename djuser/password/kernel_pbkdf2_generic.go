//go:build !amd64 && !wasm

package password

import "runtime"

// stdInstructions says where crypto/sha256 and crypto/sha1 reach instructions
// for these hashes, or vectors. Elsewhere plain Go made for PBKDF2 is faster
// than plain Go made for anything.
const stdInstructions = runtime.GOARCH == "arm64" || runtime.GOARCH == "s390x" || runtime.GOARCH == "ppc64le"

// iterateSHA256 runs n iterations with the fastest kernel there is: n times, u
// becomes the HMAC of itself and is added to the sum.
func iterateSHA256(s *sha256State, n int) {
	if stdInstructions {
		iterateSHA256Std(s, n)
		return
	}
	iterateSHA256Plain(s, n)
}

// iterateSHA256Two is iterateSHA256 for two states, which must differ.
func iterateSHA256Two(a, b *sha256State, n int) {
	iterateSHA256(a, n)
	iterateSHA256(b, n)
}

// iterateSHA1 is iterateSHA256 for SHA-1.
func iterateSHA1(s *sha1State, n int) {
	if stdInstructions {
		iterateSHA1Std(s, n)
		return
	}
	iterateSHA1Plain(s, n)
}
