package password

//go:generate go run kernels_wasm_gen.go

// pbkdf2Slice is how many iterations one step runs: about 1.5 ms in a fast
// engine. A slice also ends a call from the host, which costs it microseconds.
const pbkdf2Slice = 4096

//go:noescape
func iterateSHA256(s *sha256State, n int)

//go:noescape
func iterateSHA1(s *sha1State, n int)

func iterateSHA256Two(a, b *sha256State, n int) {
	iterateSHA256(a, n)
	iterateSHA256(b, n)
}
