//go:build !wasm

package sha2

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"sync"
)

// Sum256 is the SHA-256 digest of b.
func Sum256(b []byte) [32]byte { return sha256.Sum256(b) }

// AppendSum appends the digest of b to dst.
func (h Hash) AppendSum(dst, b []byte) []byte {
	switch h {
	case SHA1:
		sum := sha1.Sum(b)
		return append(dst, sum[:]...)
	case SHA512:
		sum := sha512.Sum512(b)
		return append(dst, sum[:]...)
	}
	sum := sha256.Sum256(b)
	return append(dst, sum[:]...)
}

// HMAC is RFC 2104's under one key. It is safe for concurrent use, and its
// methods allocate nothing when there is room for what they append.
type HMAC struct {
	hash Hash
	key  []byte
	idle sync.Pool // of *running
}

// running is an HMAC with room for its digest. crypto/hmac keeps the states
// behind the first blocks from the first Reset on, so that one used again is as
// fast as hashing from states of our own, and does not allocate.
type running struct {
	hash.Hash
	sum [64]byte
}

// NewHMAC prepares to authenticate messages. It copies the key.
func NewHMAC(h Hash, key []byte) *HMAC {
	return &HMAC{hash: h, key: append([]byte(nil), key...)}
}

// Append appends the HMAC of msg to dst.
func (m *HMAC) Append(dst, msg []byte) []byte {
	r, ok := m.idle.Get().(*running)
	if !ok {
		new := [...]func() hash.Hash{SHA256: sha256.New, SHA1: sha1.New, SHA512: sha512.New}[m.hash]
		r = &running{Hash: hmac.New(new, m.key)}
	}
	r.Reset()
	r.Write(msg)
	dst = append(dst, r.Sum(r.sum[:0])...)
	m.idle.Put(r)
	return dst
}
