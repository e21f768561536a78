package signing

import "errors"

const b62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// maxB62 bounds what is decoded, so that no sum with a clock overflows.
const maxB62 = 1 << 61

var errB62 = errors.New("not a base 62 number")

// EncodeB62 is Django's b62_encode: digits, capitals, small letters, "-" for
// negative numbers.
func EncodeB62(n int64) string {
	if n == 0 {
		return "0"
	}
	var buf [12]byte
	i := len(buf)
	u := uint64(n)
	if n < 0 {
		u = -u
	}
	for ; u > 0; u /= 62 {
		i--
		buf[i] = b62[u%62]
	}
	if n < 0 {
		i--
		buf[i] = '-'
	}
	return string(buf[i:])
}

// DecodeB62 is Django's b62_decode. A number beyond 2^61, which Django would
// accept, is an error.
func DecodeB62(s string) (int64, error) {
	n, exact, ok := decodeB62(s)
	if !ok || !exact {
		return 0, errB62
	}
	return n, nil
}

// decodeB62 reads a number of any length, as Python does; what is beyond
// ±2^61 becomes that, and exact is false.
func decodeB62(s string) (n int64, exact, ok bool) {
	if s == "" {
		return 0, false, false
	}
	digits, negative := s, s[0] == '-'
	if negative {
		digits = s[1:] // "-" alone is 0 in Django too
	}
	exact = true
	for i := 0; i < len(digits); i++ {
		var d byte
		switch c := digits[i]; {
		case c >= '0' && c <= '9':
			d = c - '0'
		case c >= 'A' && c <= 'Z':
			d = c - 'A' + 10
		case c >= 'a' && c <= 'z':
			d = c - 'a' + 36
		default:
			return 0, false, false
		}
		if exact && n > (maxB62-int64(d))/62 {
			n, exact = maxB62, false
		}
		if exact {
			n = n*62 + int64(d)
		}
	}
	if negative {
		n = -n
	}
	return n, exact, true
}
