package djuser

import (
	"strings"
	"unicode/utf8"
)

// ValidEmail is Django's EmailValidator of 5.x: a dot-atom or quoted string,
// "@", and a domain of at least two labels (letters beyond ASCII allowed),
// "localhost", or an address in brackets; 320 characters at most.
func ValidEmail(email string) bool {
	at := strings.LastIndexByte(email, '@')
	if at < 0 || !utf8.ValidString(email) || utf8.RuneCountInString(email) > 320 {
		return false
	}
	user, domain := email[:at], email[at+1:]
	return (isDotAtom(user) || isQuoted(user)) && (domain == "localhost" || isDomain(domain) || isLiteral(domain))
}

// fold undoes what re.IGNORECASE adds to A-Z in Python: four letters beyond
// ASCII whose other case is within it.
func fold(r rune) rune {
	switch r {
	case 'İ', 'ı':
		return 'i'
	case 'ſ':
		return 's'
	case '\u212a': // the Kelvin sign
		return 'k'
	}
	return r
}

func isLetter(r rune) bool {
	r = fold(r)
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isDotAtom(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		for _, r := range label {
			if !isLetter(r) && !isDigit(r) && !strings.ContainsRune("-!#$%&'*+/=?^_`{}|~", r) {
				return false
			}
		}
		if label == "" {
			return false
		}
	}
	return true
}

// isQuoted accepts "…" of control characters, text and escapes; blanks only
// when escaped.
func isQuoted(s string) bool {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return false
	}
	escaped := false
	for _, r := range s[1 : len(s)-1] {
		r = fold(r)
		control := r >= 1 && r <= 8 || r == 11 || r == 12 || r >= 14 && r <= 31
		switch {
		case escaped:
			if !control && r != '\t' && (r < ' ' || r > 0x7f) {
				return false
			}
			escaped = false
		case r == '\\':
			escaped = true
		case !control && r != '!' && (r < '#' || r > 0x7f):
			return false
		}
	}
	return !escaped
}

// isDomain is DomainNameValidator without the trailing dot.
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	last := len(labels) - 1
	if last < 1 {
		return false
	}
	for i, label := range labels {
		length, digits := 0, false
		for _, r := range label {
			if !isLetter(r) && !isDigit(r) && r != '-' && (r < 0xa1 || r > 0xffff) {
				return false
			}
			digits = digits || isDigit(r)
			length++
		}
		if length < 1 || length > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if i == last && (length < 2 || digits && !isPunycode(label)) {
			return false
		}
	}
	return true
}

// isPunycode: only as "xn--…" may the last label hold digits.
func isPunycode(label string) bool {
	if len(label) < 5 || !strings.EqualFold(label[:4], "xn--") {
		return false
	}
	for _, r := range label[4:] {
		if !isLetter(r) && !isDigit(r) {
			return false
		}
	}
	return true
}

// isLiteral accepts an IPv4 or IPv6 address in brackets, as Python's ipaddress
// reads them. (Not net/netip: its import starts more than it is worth here.)
func isLiteral(s string) bool {
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return false
	}
	s = s[1 : len(s)-1]
	return isIPv4(s) || isIPv6(s)
}

func isIPv4(s string) bool {
	parts := 0
	for part := range strings.SplitSeq(s, ".") {
		n := 0
		for i := 0; i < len(part); i++ {
			if !isDigit(rune(part[i])) {
				return false
			}
			n = n*10 + int(part[i]-'0')
		}
		if part == "" || len(part) > 3 || n > 255 || len(part) > 1 && part[0] == '0' {
			return false
		}
		parts++
	}
	return parts == 4
}

// isIPv6 follows ipaddress.IPv6Address._ip_int_from_string.
func isIPv6(s string) bool {
	if len(s) > 39 { // Django's MAX_IPV6_ADDRESS_LENGTH
		return false
	}
	parts := strings.Split(s, ":")
	if last := parts[len(parts)-1]; strings.Contains(last, ".") {
		if !isIPv4(last) {
			return false
		}
		parts = append(parts[:len(parts)-1], "0", "0")
	}
	n := len(parts)
	if n < 3 || n > 9 {
		return false
	}
	gap := -1 // the empty part of "::"
	for i := 1; i < n-1; i++ {
		if parts[i] == "" {
			if gap >= 0 {
				return false
			}
			gap = i
		}
	}
	high, low := n, 0
	if gap >= 0 {
		high, low = gap, n-gap-1
		if parts[0] == "" {
			high--
		}
		if parts[n-1] == "" {
			low--
		}
		if parts[0] == "" && high > 0 || parts[n-1] == "" && low > 0 || high+low > 7 {
			return false
		}
	} else if n != 8 || parts[0] == "" || parts[n-1] == "" {
		return false
	}
	for _, part := range parts {
		if len(part) > 4 || strings.Trim(part, "0123456789abcdefABCDEF") != "" {
			return false
		}
	}
	return true
}
