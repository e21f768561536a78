package password

//go:generate go run shani_gen.go

// iterateSHA256 runs n iterations with the fastest kernel there is: n times, u
// becomes the HMAC of itself and is added to the sum.
func iterateSHA256(s *sha256State, n int) {
	if hasSHA {
		iterateSHA256SHA(s, n)
		return
	}
	iterateSHA256Std(s, n)
}

// iterateSHA256Two is iterateSHA256 for two states, which must differ.
func iterateSHA256Two(a, b *sha256State, n int) {
	if hasSHA {
		iterateSHA256TwoSHA(a, b, n)
		return
	}
	iterateSHA256Std(a, n)
	iterateSHA256Std(b, n)
}

// iterateSHA1 is iterateSHA256 for SHA-1. The vectors of crypto/sha1 are for
// longer messages, so that plain Go comes second.
func iterateSHA1(s *sha1State, n int) {
	if hasSHA {
		iterateSHA1SHA(s, n)
		return
	}
	iterateSHA1Plain(s, n)
}

//go:noescape
func iterateSHA256SHA(s *sha256State, n int)

//go:noescape
func iterateSHA256TwoSHA(a, b *sha256State, n int)

//go:noescape
func iterateSHA1SHA(s *sha1State, n int)
