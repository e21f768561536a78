package signing

import (
	"encoding/base64"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Dumps is django.core.signing.dumps of an object whose JSON is jsonText,
// which must be ASCII, as Python writes it (or of what another serializer than
// Django's own for JSON makes: any bytes). With compress it is deflated when
// that is shorter. The zero Key signs nothing: the result is "".
func Dumps(jsonText string, key Key, compress bool, now time.Time) string {
	data, dot := []byte(jsonText), ""
	if compress {
		if z := deflate(data); len(z) < len(data)-1 {
			data, dot = z, "."
		}
	}
	return SignTimestamp(dot+base64.RawURLEncoding.EncodeToString(data), key, now)
}

// Loads is django.core.signing.loads down to the JSON text, which is returned
// as UTF-8 (Django reads the bytes as latin-1). Age is checked as
// [UnsignTimestamp] does. Data of more than maxBytes, inflated, is
// [ErrTooLarge] and never held in memory; what Python could not have decoded is
// [ErrCorrupt]. Whether the text is JSON is not looked at. Nothing is decoded
// unless the signature is right.
func Loads(signed string, now time.Time, maxAge time.Duration, maxBytes int, rings ...Ring) (jsonText string, err error) {
	return loads(signed, now, maxAge, maxBytes, latin1, rings)
}

// LoadsBytes is [Loads] down to the bytes themselves, for another serializer
// than Django's own for JSON.
func LoadsBytes(signed string, now time.Time, maxAge time.Duration, maxBytes int, rings ...Ring) (data string, err error) {
	return loads(signed, now, maxAge, maxBytes, verbatim, rings)
}

func verbatim(b []byte) string { return string(b) }

func loads(signed string, now time.Time, maxAge time.Duration, maxBytes int, text func([]byte) string, rings []Ring) (string, error) {
	payload, _, err := UnsignTimestamp(signed, now, maxAge, rings...)
	if err != nil {
		return "", err
	}
	encoded, compressed := strings.CutPrefix(payload, ".")
	b := buffers.Get().(*buffer)
	defer b.release()
	raw, ok := decodeUnpadded(b.raw[:0], encoded)
	b.raw = raw
	switch {
	case !ok:
		return "", ErrBase64
	case compressed:
		if raw, err = b.inflate(maxBytes); err != nil {
			return "", err
		}
	case len(raw) > maxBytes:
		return "", ErrTooLarge
	}
	return text(raw), nil
}

// latin1 is the UTF-8 of latin-1 bytes.
func latin1(b []byte) string {
	high := 0
	for _, c := range b {
		high += int(c >> 7)
	}
	if high == 0 {
		return string(b)
	}
	out := make([]byte, 0, len(b)+high)
	for _, c := range b {
		out = utf8.AppendRune(out, rune(c))
	}
	return string(out)
}

// buffer is what inflating needs, kept from one call to the next.
type buffer struct {
	raw   []byte // decoded, still compressed
	zlib  inflater
	plain []byte
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// release keeps b for the next call, unless one large session made it large.
func (b *buffer) release() {
	const keep = 64 << 10
	if cap(b.raw) <= keep && cap(b.plain) <= keep {
		buffers.Put(b)
	}
}

// inflate is zlib.decompress of b.raw, valid until b is released. What follows
// the stream is ignored, as in Python.
func (b *buffer) inflate(maxBytes int) (plain []byte, err error) {
	b.plain, err = b.zlib.inflate(b.plain[:0], b.raw, maxBytes)
	return b.plain, err
}

// deflate is zlib.compress(data).
func deflate(data []byte) []byte {
	d := deflaters.Get().(*deflater)
	defer deflaters.Put(d)
	return d.deflate(make([]byte, 0, len(data)/2+64), data)
}

var deflaters = sync.Pool{New: func() any { return new(deflater) }} // 200 kB each
