//go:build !wasm

package password

// pbkdf2Slice is how many iterations one step runs: under 1 ms.
const pbkdf2Slice = 2048

func iterateSHA256(s *sha256State, n int) { iterateSHA256Plain(s, n) }

func iterateSHA1(s *sha1State, n int) { iterateSHA1Plain(s, n) }

func iterateSHA256Two(a, b *sha256State, n int) {
	iterateSHA256(a, n)
	iterateSHA256(b, n)
}
