package djuser

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// SameIdentifier is Django's _unicode_ci_compare: whether two addresses or
// names are one to a person, after NFKC and without case. A password reset
// compares the address that was typed with the stored one so, and then writes
// to the stored one, never to the typed (CVE-2019-19844). The caller bounds
// their lengths.
func SameIdentifier(a, b string) bool {
	return caseless(norm.NFKC.String(a)) == caseless(norm.NFKC.String(b))
}

// caseless maps two texts under NFKC to one exactly when str.casefold() does.
// It stands in for x/text/cases, which would add its language tables to the
// module; it does not give casefold's own text, since of letters that fold
// together it takes the least and not the small one.
func caseless(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < utf8.RuneSelf {
			b.WriteRune(least(r))
			continue
		}
		full := fullFold(r)
		if full == "" {
			b.WriteRune(least(r))
		}
		for _, r := range full {
			b.WriteRune(least(r))
		}
	}
	return b.String()
}

// least is the smallest of the letters that differ from r in case only.
func least(r rune) rune {
	small := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		small = min(small, next)
	}
	return small
}

// fullFold is what a letter becomes that folds into several (status F in
// Unicode's CaseFolding.txt), without those that NFKC takes apart; "" for all others.
func fullFold(r rune) string {
	if r >= 0x1f80 && r <= 0x1faf { // ᾀ to ᾯ: a vowel with its accents, and an iota
		base := [...]rune{0x1f00, 0x1f20, 0x1f60}[(r-0x1f80)>>4] + r&7
		return string(base) + "ι"
	}
	switch r {
	case 'ß', 'ẞ':
		return "ss"
	case 'İ':
		return "i\u0307"
	case 'ǰ':
		return "j\u030c"
	case 'ẖ':
		return "h\u0331"
	case 'ẗ':
		return "t\u0308"
	case 'ẘ':
		return "w\u030a"
	case 'ẙ':
		return "y\u030a"
	case '\u0390':
		return "ι\u0308\u0301"
	case '\u03b0':
		return "υ\u0308\u0301"
	case '\u1f50':
		return "υ\u0313"
	case '\u1f52':
		return "υ\u0313\u0300"
	case '\u1f54':
		return "υ\u0313\u0301"
	case '\u1f56':
		return "υ\u0313\u0342"
	case '\u1fb2':
		return "\u1f70ι"
	case '\u1fb3', '\u1fbc':
		return "αι"
	case '\u1fb4':
		return "\u03acι"
	case '\u1fb6':
		return "α\u0342"
	case '\u1fb7':
		return "α\u0342ι"
	case '\u1fc2':
		return "\u1f74ι"
	case '\u1fc3', '\u1fcc':
		return "ηι"
	case '\u1fc4':
		return "\u03aeι"
	case '\u1fc6':
		return "η\u0342"
	case '\u1fc7':
		return "η\u0342ι"
	case '\u1fd2':
		return "ι\u0308\u0300"
	case '\u1fd6':
		return "ι\u0342"
	case '\u1fd7':
		return "ι\u0308\u0342"
	case '\u1fe2':
		return "υ\u0308\u0300"
	case '\u1fe4':
		return "ρ\u0313"
	case '\u1fe6':
		return "υ\u0342"
	case '\u1fe7':
		return "υ\u0308\u0342"
	case '\u1ff2':
		return "\u1f7cι"
	case '\u1ff3', '\u1ffc':
		return "ωι"
	case '\u1ff4':
		return "\u03ceι"
	case '\u1ff6':
		return "ω\u0342"
	case '\u1ff7':
		return "ω\u0342ι"
	}
	return ""
}
