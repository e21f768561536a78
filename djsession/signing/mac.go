package signing

import (
	"crypto/subtle"
	"encoding/base64"
	"unsafe"
)

// encoding is how a signature is written as text.
type encoding uint8

const (
	base64Text encoding = iota
	hexText
)

// appendSignature appends the signature of s as text.
func (k Key) appendSignature(dst []byte, s string, as encoding) []byte {
	var digest [64]byte
	sum := k.secret.hmac.AppendString(digest[:0], s)
	if as == hexText {
		return appendHex(dst, sum)
	}
	return base64.RawURLEncoding.AppendEncode(dst, sum)
}

// appendHex is hex.AppendEncode without encoding/hex, which would bring fmt
// into the module.
func appendHex(dst, b []byte) []byte {
	const digits = "0123456789abcdef"
	for _, x := range b {
		dst = append(dst, digits[x>>4], digits[x&15])
	}
	return dst
}

// signs reports, in a time that does not depend on where they differ, whether
// signature is key's for value. The texts are compared, as Django does, so
// padding, capital hex digits or another alphabet never verify.
func (k Key) signs(value, signature string, as encoding) bool {
	if k.IsZero() {
		return false
	}
	var text [128]byte
	want := k.appendSignature(text[:0], value, as)
	given := unsafe.Slice(unsafe.StringData(signature), len(signature)) // only read
	return subtle.ConstantTimeCompare(want, given) == 1
}

// signs tries the current key, then the fallbacks in order.
func (r Ring) signs(value, signature string, as encoding) bool {
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
