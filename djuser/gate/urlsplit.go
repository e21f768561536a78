package gate

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// splitURL is what Python's urlsplit makes of a URL: slices of raw text,
// nothing decoded. It is not net/url, which refuses or repairs what Python lets
// through; two readings of one URL are how open redirects are made.
type splitURL struct{ scheme, netloc, path, query, fragment string }

// urlsplit is urllib.parse.urlsplit of Python 3.11.4 and later. It is false
// where Python raises: a broken IPv6 literal, or a host that NFKC turns into
// another URL.
func urlsplit(s string) (u splitURL, ok bool) {
	s = withoutIgnored(s)
	if colon := strings.IndexByte(s, ':'); colon > 0 && isScheme(s[:colon]) {
		u.scheme, s = strings.ToLower(s[:colon]), s[colon+1:]
	}
	if strings.HasPrefix(s, "//") {
		s = s[2:]
		end := strings.IndexAny(s, "/?#")
		if end < 0 {
			end = len(s)
		}
		u.netloc, s = s[:end], s[end:]
		if !validBrackets(u.netloc) || !normalHost(u.netloc) {
			return splitURL{}, false
		}
	}
	s, u.fragment, _ = strings.Cut(s, "#")
	u.path, u.query, _ = strings.Cut(s, "?")
	return u, true
}

// withoutIgnored takes out what urlsplit and browsers do not see: control
// characters and spaces in front, tabs and line ends anywhere.
func withoutIgnored(s string) string {
	return without(strings.TrimLeftFunc(s, func(r rune) bool { return r <= ' ' }), "\t\r\n")
}

// without takes some ASCII characters out of s and leaves every other byte,
// UTF-8 or not.
func without(s, chars string) string {
	if !strings.ContainsAny(s, chars) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(chars, s[i]) < 0 {
			out = append(out, s[i])
		}
	}
	return string(out)
}

// String is urllib.parse.urlunsplit for the schemes that a browser follows.
func (u splitURL) String() string {
	s := u.path
	if u.netloc != "" || webScheme(u.scheme) && !strings.HasPrefix(s, "//") {
		if s != "" && s[0] != '/' {
			s = "/" + s
		}
		s = "//" + u.netloc + s
	}
	if u.scheme != "" {
		s = u.scheme + ":" + s
	}
	if u.query != "" {
		s += "?" + u.query
	}
	if u.fragment != "" {
		s += "#" + u.fragment
	}
	return s
}

// webScheme are the schemes that Django redirects to
// (HttpResponseRedirectBase.allowed_schemes).
func webScheme(s string) bool { return s == "http" || s == "https" || s == "ftp" }

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || (s[i] < '0' || s[i] > '9') && s[i] != '+' && s[i] != '-' && s[i] != '.') {
			return false
		}
	}
	return true
}

// validBrackets: what is in the first pair of brackets is an IPv6 address or
// an address of the future (RFC 3986 §3.2.2).
func validBrackets(netloc string) bool {
	open, shut := strings.IndexByte(netloc, '['), strings.IndexByte(netloc, ']')
	if open < 0 && shut < 0 {
		return true
	}
	if open < 0 || shut < 0 {
		return false
	}
	host, _, _ := strings.Cut(netloc[open+1:], "]")
	if !strings.HasPrefix(host, "v") {
		return isIPv6(host)
	}
	version, rest, _ := strings.Cut(host[1:], ".")
	return version != "" && strings.Trim(version, "0123456789abcdefABCDEF") == "" && rest != ""
}

// isIPv6 accepts what Python's ipaddress reads as an IPv6 address, with a zone or without.
func isIPv6(s string) bool {
	s, zone, zoned := strings.Cut(s, "%")
	if zoned && (zone == "" || strings.Contains(zone, "%")) {
		return false
	}
	head, tail, gap := strings.Cut(s, "::")
	groups, ok := countGroups(head, !gap)
	if !gap {
		return ok && groups == 8
	}
	more, ok2 := countGroups(tail, true)
	return ok && ok2 && groups+more <= 7
}

// countGroups counts the 16-bit groups of a part of an IPv6 address. An IPv4
// address may end it when the part is the last.
func countGroups(s string, last bool) (n int, ok bool) {
	for more := s != ""; more; {
		var group string
		group, s, more = strings.Cut(s, ":")
		if !more && last && strings.Contains(group, ".") {
			return n + 2, isIPv4(group)
		}
		if group == "" || len(group) > 4 || strings.Trim(group, "0123456789abcdefABCDEF") != "" {
			return 0, false
		}
		n++
	}
	return n, true
}

func isIPv4(s string) bool {
	parts := 0
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || len(part) > 3 || strings.Trim(part, "0123456789") != "" ||
			len(part) > 1 && part[0] == '0' || len(part) == 3 && part > "255" {
			return false
		}
		parts++
	}
	return parts == 4
}

// normalHost is urllib.parse._checknetloc: a host must not hold characters
// that become part of a URL's syntax under NFKC, as U+2100 becomes "a/c".
func normalHost(netloc string) bool {
	i := 0
	for i < len(netloc) && netloc[i] < utf8.RuneSelf {
		i++
	}
	if i == len(netloc) {
		return true
	}
	n := without(netloc, "@:#?")
	after := norm.NFKC.String(n)
	return n == after || !strings.ContainsAny(after, "/?#@:")
}
