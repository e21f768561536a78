package signing

import (
	"encoding/base64"
	"strings"
)

// DumpsLegacy is session_data as Django wrote it before 3.1: the base64 of the
// hexadecimal HMAC, ":" and the JSON, which must be ASCII. The zero Key signs
// nothing: the result is "".
func DumpsLegacy(jsonText string, key Key) string {
	if key.IsZero() {
		return ""
	}
	out := key.appendSignature(make([]byte, 0, 64+len(jsonText)), jsonText, hexText)
	out = append(append(out, ':'), jsonText...)
	return base64.StdEncoding.EncodeToString(out)
}

// LoadsLegacy reads what [DumpsLegacy] and Django before 3.1 wrote, down to
// the JSON text, as UTF-8. The signature is inside the base64, which is
// therefore decoded first: data of more than maxBytes is [ErrTooLarge] before
// that. Anything else that is wrong is [ErrBadSignature].
func LoadsLegacy(data string, maxBytes int, rings ...Ring) (jsonText string, err error) {
	return loadsLegacy(data, maxBytes, latin1, rings)
}

// LoadsLegacyBytes is [LoadsLegacy] down to the bytes themselves, for another
// serializer than Django's own for JSON.
func LoadsLegacyBytes(data string, maxBytes int, rings ...Ring) (string, error) {
	return loadsLegacy(data, maxBytes, verbatim, rings)
}

func loadsLegacy(data string, maxBytes int, plain func([]byte) string, rings []Ring) (string, error) {
	for i := 0; i < len(data); i++ {
		if data[i] >= 0x80 {
			return "", ErrBadSignature // Django raises
		}
	}
	if len(data)/2 > maxBytes+64 {
		return "", ErrTooLarge
	}
	b := buffers.Get().(*buffer)
	defer b.release()
	raw, ok := decodeBase64(b.raw[:0], data, &standardValues)
	b.raw = raw
	signature, text, found := strings.Cut(string(raw), ":")
	if !ok || !found {
		return "", ErrBadSignature
	}
	for _, r := range rings {
		if r.signs(text, signature, hexText) {
			if len(text) > maxBytes {
				return "", ErrTooLarge
			}
			return plain([]byte(text)), nil
		}
	}
	return "", ErrBadSignature
}
