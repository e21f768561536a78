package signing

import (
	"errors"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession/errorf"
)

var (
	// ErrBadSignature is Django's BadSignature: no key signed this.
	ErrBadSignature = errors.New("bad signature")
	// ErrExpired is Django's SignatureExpired: rightly signed, but too long ago.
	ErrExpired = errors.New("signature expired")
	// ErrCorrupt: rightly signed, but not what a signer of this kind writes.
	ErrCorrupt = errors.New("signed data is corrupt")
	// ErrTimestamp, ErrBase64 and ErrZlib are [ErrCorrupt], and say in what way.
	ErrTimestamp = errorf.Errorf("%w: timestamp", ErrCorrupt)
	ErrBase64    = errorf.Errorf("%w: base64", ErrCorrupt)
	ErrZlib      = errorf.Errorf("%w: zlib", ErrCorrupt)
	// ErrTooLarge: rightly signed, but larger than the reader allows.
	ErrTooLarge = errors.New("signed data is too large")
)

// Sign is Signer(salt).sign(value), where key was derived from salt+"signer":
// value, ":" and the signature. The zero Key signs nothing: the result is "".
func Sign(value string, key Key) string {
	if key.IsZero() {
		return ""
	}
	signed := append(append(make([]byte, 0, len(value)+1+86), value...), ':')
	return string(key.appendSignature(signed, value, base64Text))
}

// Unsign is Signer.unsign: the value before the last ":", when the text after
// it is the signature of one of the rings' keys, else [ErrBadSignature].
func Unsign(signed string, rings ...Ring) (value string, err error) {
	i := strings.LastIndexByte(signed, ':')
	if i < 0 {
		return "", ErrBadSignature
	}
	value, signature := signed[:i], signed[i+1:]
	for _, r := range rings {
		if r.signs(value, signature, base64Text) {
			return value, nil
		}
	}
	return "", ErrBadSignature
}

// SignTimestamp is TimestampSigner.sign at the second of now.
func SignTimestamp(value string, key Key, now time.Time) string {
	return Sign(value+":"+EncodeB62(now.Unix()), key)
}

// UnsignTimestamp is TimestampSigner.unsign. A negative maxAge means that the
// age is not checked; else a signature older than maxAge, by any fraction of a
// second, is [ErrExpired]; signedAt is known then too. Times in the future are
// accepted, as Django does, and without maxAge the timestamp may be any number
// (one beyond ±2^61 is taken as that).
func UnsignTimestamp(signed string, now time.Time, maxAge time.Duration, rings ...Ring) (value string, signedAt time.Time, err error) {
	value, err = Unsign(signed, rings...)
	if err != nil {
		return "", time.Time{}, err
	}
	i := strings.LastIndexByte(value, ':')
	if i < 0 {
		return "", time.Time{}, ErrTimestamp
	}
	seconds, _, ok := decodeB62(value[i+1:])
	if !ok {
		return "", time.Time{}, ErrTimestamp
	}
	signedAt = time.Unix(seconds, 0).UTC()
	if maxAge >= 0 && olderThan(seconds, now, maxAge) {
		return "", signedAt, ErrExpired
	}
	return value[:i], signedAt, nil
}

func olderThan(seconds int64, now time.Time, maxAge time.Duration) bool {
	const centuries = 1 << 33 // seconds; more than a time.Duration can hold, less than overflows below
	switch age := now.Unix() - seconds; {
	case age < 0:
		return false
	case age > centuries:
		return true
	}
	return now.Sub(time.Unix(seconds, 0)) > maxAge
}
