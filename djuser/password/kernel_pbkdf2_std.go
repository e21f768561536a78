//go:build !wasm

package password

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"hash"
)

// pbkdf2Slice is how many iterations one step runs. On the processors at hand
// that is 0.15 ms with SHA instructions and 0.8 ms without; assembly cannot be
// preempted, so a machine six times as slow shall still stay near 1 ms. What
// surrounds a slice costs less than a thousandth of it.
const pbkdf2Slice = 2048

// The kernels of this file have crypto/sha256 and crypto/sha1 do the work, for
// processors that they have instructions for and we do not. crypto/hmac would
// be as fast, but cannot continue from a state; the hashes can, by the encoding
// of their MarshalBinary.

// stdHash is a hash of the standard library that is set to a state.
type stdHash struct {
	hash.Hash
	state []byte // the encoding: magic, words, message so far, length
	size  int
}

// stdMagic is the length of the encodings' identification.
const stdMagic = 4

// newStdHash prepares to hash messages of len(words) words behind the one block
// that led to words. It reports whether the encoding is as this file knows it.
func newStdHash(h hash.Hash, words []uint32) (s stdHash, ok bool) {
	h.Write(make([]byte, h.BlockSize()))
	h.Write(make([]byte, 4*len(words))) // where the message will be
	state, err := h.(encoding.BinaryAppender).AppendBinary(nil)
	if err != nil || len(state) != stdMagic+4*len(words)+h.BlockSize()+8 {
		return stdHash{}, false
	}
	for i, w := range words {
		binary.BigEndian.PutUint32(state[stdMagic+4*i:], w)
	}
	return stdHash{h, state, 4 * len(words)}, true
}

// sum hashes message, of as many bytes as the digest, in its place.
func (s *stdHash) sum(message []byte) bool {
	copy(s.state[stdMagic+s.size:], message)
	if err := s.Hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(s.state); err != nil {
		return false
	}
	s.Sum(message[:0])
	return true
}

// iterateStd runs n iterations of any hash, or reports false without any.
func iterateStd(h hash.Hash, inner, outer, u, sum []uint32, n int) bool {
	in, ok1 := newStdHash(h, inner)
	h.Reset()
	out, ok2 := newStdHash(h, outer)
	if !ok1 || !ok2 {
		return false
	}
	var buffer [sha256.Size]byte
	link := buffer[:in.size]
	for i, w := range u {
		binary.BigEndian.PutUint32(link[4*i:], w)
	}
	for i := range n {
		if !in.sum(link) || !out.sum(link) {
			return i > 0 // an encoding that worked once always works
		}
		for j := range u {
			sum[j] ^= binary.BigEndian.Uint32(link[4*j:])
		}
	}
	for i := range u {
		u[i] = binary.BigEndian.Uint32(link[4*i:])
	}
	return true
}

// iterateSHA256Std is iterateSHA256 over crypto/sha256.
func iterateSHA256Std(s *sha256State, n int) {
	if !iterateStd(sha256.New(), s.inner[:], s.outer[:], s.u[:], s.sum[:], n) {
		iterateSHA256Plain(s, n)
	}
}

// iterateSHA1Std is iterateSHA1 over crypto/sha1.
func iterateSHA1Std(s *sha1State, n int) {
	if !iterateStd(sha1.New(), s.inner[:], s.outer[:], s.u[:], s.sum[:], n) {
		iterateSHA1Plain(s, n)
	}
}
