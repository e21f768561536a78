package djsession

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/djedge/djedge/djsession/errorf"
)

const (
	keyLength   = 32
	keyAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789" // Django's VALID_KEY_CHARS

	minKeyLength = 8    // characters; Django's _validate_session_key
	maxKeyBytes  = 4096 // no cookie is longer; stored keys have 40 characters
)

// DjangoKey is Django's own rule for a key from a cookie: eight characters or
// more of any kind. [ValidKey] is stricter.
func DjangoKey(key string) bool { return utf8.RuneCountInString(key) >= minKeyLength }

// ValidKey reports whether a key from a cookie is worth a query: Django's rule,
// and no NUL or broken UTF-8, for which PostgreSQL would fail (Django answers
// 500), and no more than 4096 bytes. An invalid key is no key.
func ValidKey(key string) bool {
	for i := range min(len(key), maxKeyBytes) {
		if key[i]-1 >= utf8.RuneSelf-1 { // neither NUL nor more than one byte of UTF-8
			return validText(key)
		}
	}
	return len(key) >= minKeyLength && len(key) <= maxKeyBytes
}

func validText(key string) bool {
	return len(key) <= maxKeyBytes && DjangoKey(key) && utf8.ValidString(key) && strings.IndexByte(key, 0) < 0
}

// NewKey makes a session key: 32 characters of [a-z0-9], each equally likely.
func NewKey(ctx context.Context, fx Effects) (string, error) {
	const n = len(keyAlphabet)
	const unbiased = 256 / n * n // bytes from here on would favour the first letters
	var key [keyLength]byte
	filled := 0
	for range 8 { // one is enough but for one time in eight; more than three means a broken source
		random, err := fx.Random(ctx, keyLength+8)
		if err != nil {
			return "", errorf.Errorf("make a session key: %w", err)
		}
		for _, b := range random {
			if filled < keyLength && int(b) < unbiased {
				key[filled] = keyAlphabet[int(b)%n]
				filled++
			}
		}
		if filled == keyLength {
			return string(key[:]), nil
		}
	}
	return "", errorf.Errorf("make a session key: %w", ErrNoRandomness)
}
