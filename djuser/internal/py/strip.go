// Package py is what of Python's strings the rules need, where Go differs.
package py

import (
	"strings"
	"unicode"
)

// Strip is str.strip(): Unicode's white space and U+001C to U+001F.
func Strip(s string) string {
	if s == "" || s[0] > ' ' && s[0] < 0x7f && s[len(s)-1] > ' ' && s[len(s)-1] < 0x7f {
		return s
	}
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f })
}
