package pickle

import (
	"encoding/binary"
	"math"
	"strconv"
)

// maxDigits is how many digits Python writes and reads as text:
// sys.get_int_max_str_digits(). maxLong is the length of such a number.
const (
	maxDigits = 4300
	maxLong   = 1786
)

// long is the integer of which s is the two's complement, little endian.
func long(s string) value {
	for n := len(s); n > 0; n-- {
		sign := byte(0)
		if n > 1 && s[n-2] >= 0x80 {
			sign = 0xff
		}
		if s[n-1] != sign {
			break
		}
		s = s[:n-1]
	}
	if len(s) > 8 {
		return value{kind: kindLong, text: s}
	}
	var bits uint64
	for i := range len(s) {
		bits |= uint64(s[i]) << (8 * i)
	}
	unused := 64 - 8*len(s)
	return integer(int64(bits<<unused) >> unused)
}

// appendLong writes n with as few bytes as can be, none for 0.
func appendLong(dst []byte, n int64) []byte {
	start := len(dst)
	for i := range 8 {
		dst = append(dst, byte(n>>(8*i)))
	}
	for end := len(dst); end > start; end-- {
		sign := byte(0)
		if end > start+1 && dst[end-2] >= 0x80 {
			sign = 0xff
		}
		if dst[end-1] != sign {
			break
		}
		dst = dst[:end-1]
	}
	return dst
}

// billion: numbers are converted in steps of nine digits, over 32 bits each.
const billion = 1_000_000_000

// appendDecimal writes the digits of a long, at most maxLong bytes, in time
// that grows with the square of its length. It reports false for more digits
// than Python would write.
func appendDecimal(dst []byte, s string) ([]byte, bool) {
	limbs := make([]uint32, (len(s)+3)/4)
	negative := s[len(s)-1] >= 0x80
	carry := uint64(0)
	if negative {
		carry = 1
	}
	for i := range limbs {
		var limb uint32
		for j := 4*i + 3; j >= 4*i; j-- {
			limb <<= 8
			if j < len(s) {
				limb |= uint32(s[j])
			} else if negative {
				limb |= 0xff
			}
		}
		if negative {
			carry += uint64(^limb)
			limb = uint32(carry)
			carry >>= 32
		}
		limbs[i] = limb
	}
	var groups []uint32 // of nine digits, the last ones first
	for len(limbs) > 0 {
		var rest uint64
		for i := len(limbs) - 1; i >= 0; i-- {
			rest = rest<<32 | uint64(limbs[i])
			limbs[i] = uint32(rest / billion)
			rest %= billion
		}
		groups = append(groups, uint32(rest))
		for len(limbs) > 0 && limbs[len(limbs)-1] == 0 {
			limbs = limbs[:len(limbs)-1]
		}
	}
	if negative {
		dst = append(dst, '-')
	}
	start := len(dst)
	for i := len(groups) - 1; i >= 0; i-- {
		if i == len(groups)-1 {
			dst = strconv.AppendUint(dst, uint64(groups[i]), 10)
			continue
		}
		digits := strconv.AppendUint(dst, uint64(groups[i])+billion, 10) // a 1 and nine digits
		copy(digits[len(dst):], digits[len(dst)+1:])
		dst = digits[:len(digits)-1]
	}
	return dst, len(dst)-start <= maxDigits
}

// longFromDecimal is the integer that text writes: perhaps a sign, and digits.
func longFromDecimal(text string) value {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return integer(n)
	}
	negative := text[0] == '-'
	if negative {
		text = text[1:]
	}
	limbs := make([]uint32, 0, len(text)/9+1)
	for len(text) > 0 {
		n := (len(text)-1)%9 + 1
		group, _ := strconv.ParseUint(text[:n], 10, 32)
		text = text[n:]
		carry := group
		for i, limb := range limbs {
			carry += uint64(limb) * billion
			limbs[i] = uint32(carry)
			carry >>= 32
		}
		if carry > 0 {
			limbs = append(limbs, uint32(carry))
		}
	}
	out := make([]byte, 0, 4*len(limbs)+1)
	carry := uint64(1)
	for _, limb := range limbs {
		if negative {
			carry += uint64(^limb)
			limb = uint32(carry)
			carry >>= 32
		}
		out = append(out, byte(limb), byte(limb>>8), byte(limb>>16), byte(limb>>24))
	}
	if negative {
		return long(string(append(out, 0xff)))
	}
	return long(string(append(out, 0)))
}

// longFromFloat is the integer that f, which has no fraction, is. Pickles may
// have a hundred thousand keys of this kind, so it takes no way through digits.
func longFromFloat(f float64) value {
	fraction, exponent := math.Frexp(f)
	if exponent < 64 {
		return integer(int64(f))
	}
	const mantissa = 53
	n, shift := int64(math.Ldexp(fraction, mantissa)), exponent-mantissa
	out := make([]byte, shift/8, shift/8+8)
	return long(string(binary.LittleEndian.AppendUint64(out, uint64(n)<<(shift%8))))
}
