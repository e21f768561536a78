package signing

import (
	"crypto/hmac"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
)

// mac is a reusable HMAC with the buffers that keep a check from allocating.
type mac struct {
	h    hash.Hash
	buf  [512]byte
	sum  [64]byte
	text [128]byte
}

func (k Key) getMAC() *mac {
	if m, ok := k.secret.macs.Get().(*mac); ok {
		m.h.Reset()
		return m
	}
	return &mac{h: hmac.New(k.secret.alg.new, k.secret.sum)}
}

// digest is the HMAC of s, valid until the next use of m.
func (m *mac) digest(s string) []byte {
	for len(s) > 0 {
		n := copy(m.buf[:], s)
		m.h.Write(m.buf[:n])
		s = s[n:]
	}
	return m.h.Sum(m.sum[:0])
}

// encode is how a signature is written as text.
type encode func(dst, digest []byte) []byte

func base64Text(dst, digest []byte) []byte { return base64.RawURLEncoding.AppendEncode(dst, digest) }
func hexText(dst, digest []byte) []byte    { return hex.AppendEncode(dst, digest) }

// signature is the digest of s as text, valid until the next use of m.
func (m *mac) signature(s string, as encode) []byte { return as(m.text[:0], m.digest(s)) }

// signs reports, in a time that does not depend on where they differ, whether
// signature is key's for value. The texts are compared, as Django does, so
// padding, capital hex digits or another alphabet never verify.
func (k Key) signs(value, signature string, as encode) bool {
	if k.IsZero() {
		return false
	}
	m := k.getMAC()
	defer k.secret.macs.Put(m)
	want := m.signature(value, as)
	if len(signature) != len(want) {
		return false
	}
	n := copy(m.buf[:], signature)
	return subtle.ConstantTimeCompare(want, m.buf[:n]) == 1
}

// signs tries the current key, then the fallbacks in order.
func (r Ring) signs(value, signature string, as encode) bool {
	if r.Current.signs(value, signature, as) {
		return true
	}
	for _, k := range r.Fallbacks {
		if k.signs(value, signature, as) {
			return true
		}
	}
	return false
}
