package gate

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/djedge/djedge/djuser/internal/py"
)

// maxRedirect is Django's MAX_URL_LENGTH, in code points (CVE-2025-27556).
const maxRedirect = 2048

// SafeRedirect is Django's url_has_allowed_host_and_scheme: it reports whether
// a target that came with a request (next, rd) stays on one of hosts, or is a
// path. hosts are compared as they are written, with port and case; without
// any, only paths pass. The scheme may be http or https, with requireHTTPS
// only https.
//
// The algorithm is Django 5.2's for every version, on raw text as Python reads
// it, because a URL parser that repairs what it reads would decide about
// another URL than the browser follows. Stricter than Django, what is not
// UTF-8 is refused, and so are three slashes with a tab or a line end between
// them, which a browser does not see ("//\t/evil.test" in a link leads to
// evil.test; in a header that Django wrote it would be escaped). True does not
// mean that target can be a header: see [Location].
func SafeRedirect(target string, hosts []string, requireHTTPS bool) bool {
	if !utf8.ValidString(target) {
		return false
	}
	target = py.Strip(target)
	// Browsers take "\" for "/" in paths, but not in user names: both readings
	// must be safe.
	return target != "" && staysOn(target, hosts, requireHTTPS) &&
		staysOn(strings.ReplaceAll(target, `\`, "/"), hosts, requireHTTPS)
}

func staysOn(target string, hosts []string, requireHTTPS bool) bool {
	// To a browser any number of slashes begins a host, to urlsplit two do.
	// The length comes before anything that costs more than reading it.
	if strings.HasPrefix(withoutIgnored(target), "///") || len(target) > maxRedirect && utf8.RuneCountInString(target) > maxRedirect {
		return false
	}
	u, ok := urlsplit(target)
	if !ok || u.netloc == "" && u.scheme != "" { // http:///example.com, javascript:…
		return false
	}
	if first, _ := utf8.DecodeRuneInString(target); !printable(first) {
		return false // some browsers skip control characters
	}
	scheme := u.scheme
	if scheme == "" && u.netloc != "" {
		scheme = "http"
	}
	return (u.netloc == "" || slices.Contains(hosts, u.netloc)) &&
		(scheme == "" || scheme == "https" || scheme == "http" && !requireHTTPS)
}

// printable reports whether r's general category is not C…: no control, format
// or private character, and assigned at all.
func printable(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z)
}

// Location is a URL as Django writes it into a Location header (iri_to_uri):
// everything outside ASCII, spaces, control characters, quotes and
// backslashes percent-encoded, and escapes left as they are.
func Location(target string) string { return quote(target, "/#%[]=:;$&()+,!?*@'~") }

// quote is Python's urllib.parse.quote.
func quote(s, safe string) string {
	const hex = "0123456789ABCDEF"
	plain := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			strings.IndexByte("_.-~", c) >= 0 || strings.IndexByte(safe, c) >= 0
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; plain(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// percentDecode is unquote_to_bytes: percent-decoding that leaves alone what is no escape.
func percentDecode(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	digit := func(c byte) int { return strings.IndexByte("0123456789abcdef", c|0x20) }
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			b.WriteByte(byte(digit(s[i+1])<<4 | digit(s[i+2])))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
