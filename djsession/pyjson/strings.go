package pyjson

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Quote is s as json.dumps(s) writes it: ASCII, with lower-case \u escapes and
// surrogate pairs. A lone surrogate in WTF-8 comes out as its escape; any other
// byte that is not UTF-8 as \ufffd.
func Quote(s string) string {
	if isPlain(s) {
		return `"` + s + `"`
	}
	return string(appendQuoted(make([]byte, 0, len(s)+len(s)/2+2), s))
}

// isPlain reports whether s stands for itself between quotes.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := decodeRune(s[i:])
			if n == 0 {
				r, n = utf8.RuneError, 1
			}
			dst = appendEscaped(dst, r)
			i += n
			continue
		}
		i++
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ' && c <= '~':
			dst = append(dst, c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c == '\f':
			dst = append(dst, `\f`...)
		case c == '\b':
			dst = append(dst, `\b`...)
		default:
			dst = appendEscaped(dst, rune(c))
		}
	}
	return append(dst, '"')
}

func appendEscaped(dst []byte, r rune) []byte {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return appendEscaped(appendEscaped(dst, high), low)
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12], hex[r>>8&0xf], hex[r>>4&0xf], hex[r&0xf])
}

// Unquote is the string that raw, a JSON string with its quotes, stands for.
// Surrogate pairs are joined, lone surrogates are kept as WTF-8. ok is false
// when raw is anything else than one valid string.
func Unquote(raw string) (s string, ok bool) {
	p := parser{s: raw}
	if p.str() != nil || p.i != len(raw) {
		return "", false
	}
	return unquote(raw), true
}

// unquote is Unquote of a string that was accepted.
func unquote(raw string) string {
	s := raw[1 : len(raw)-1]
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for ; i >= 0; i = strings.IndexByte(s, '\\') {
		out = append(out, s[:i]...)
		s = s[i:]
		n := 2
		switch c := s[1]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(s)
			n = 6
			if low, ok := hex4(s[6:]); ok && isHigh(r) && isLow(low) {
				r, n = utf16.DecodeRune(r, low), 12
			}
			out = appendRune(out, r)
		default: // quote, backslash, slash
			out = append(out, c)
		}
		s = s[n:]
	}
	return string(append(out, s...))
}

func isHigh(r rune) bool { return r >= 0xd800 && r < 0xdc00 }
func isLow(r rune) bool  { return r >= 0xdc00 && r < 0xe000 }

// appendRune is utf8.AppendRune that writes surrogates as WTF-8.
func appendRune(dst []byte, r rune) []byte {
	if isHigh(r) || isLow(r) {
		return append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0xbf, 0x80|byte(r)&0xbf)
	}
	return utf8.AppendRune(dst, r)
}

// decodeRune is utf8.DecodeRuneInString that reads surrogates from WTF-8; n is
// 0 when s begins with neither.
func decodeRune(s string) (r rune, n int) {
	r, n = utf8.DecodeRuneInString(s)
	if r != utf8.RuneError || n != 1 {
		return r, n
	}
	if len(s) >= 3 && s[0] == 0xed && s[1]&0xe0 == 0xa0 && s[2]&0xc0 == 0x80 {
		return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), 3
	}
	return utf8.RuneError, 0
}

// ASCII is valid JSON text with every character beyond ASCII escaped, and
// otherwise unchanged. Django reads what it signed as latin-1, so anything else
// would come back garbled.
func ASCII(text string) string {
	i := 0
	for i < len(text) && text[i] < utf8.RuneSelf {
		i++
	}
	if i == len(text) {
		return text
	}
	out := append(make([]byte, 0, 2*len(text)), text[:i]...)
	for i < len(text) {
		if c := text[i]; c < utf8.RuneSelf {
			out = append(out, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		out = appendEscaped(out, r)
		i += n
	}
	return string(out)
}
