package sha2

// blocks hashes n blocks of 64 bytes.
//
//go:noescape
func blocks(state *[8]uint32, p *byte, n int)

// Sum256 is the SHA-256 digest of b.
func Sum256(b []byte) (sum [32]byte) {
	SHA256.finish(sum[:0], SHA256.initial(), 0, b)
	return sum
}

// AppendSum appends the digest of b to dst.
func (h Hash) AppendSum(dst, b []byte) []byte { return h.finish(dst, h.initial(), 0, b) }

// HMAC is RFC 2104's under one key. It is safe for concurrent use, and its
// methods allocate nothing when there is room for what they append.
type HMAC struct{ *plainHMAC }

// NewHMAC prepares to authenticate messages. It keeps nothing of key itself.
func NewHMAC(h Hash, key []byte) *HMAC { return &HMAC{newPlainHMAC(h, key)} }

// Append appends the HMAC of msg to dst.
func (m *HMAC) Append(dst, msg []byte) []byte { return m.append(dst, msg) }
