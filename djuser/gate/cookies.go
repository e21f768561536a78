package gate

import (
	"strings"

	"github.com/djedge/djedge/djuser/internal/py"
)

// Pair is a cookie.
type Pair struct{ Name, Value string }

// ParseCookies reads the value of a Cookie header as Django's parse_cookie
// does, so that both see one session: pairs are separated by ";" alone, a
// chunk without "=" has the empty name, Python's whitespace is stripped, a
// value in double quotes is unquoted with its \" and \ooo escapes, nothing is
// percent-decoded, and of several cookies with one name the last wins (the
// pair stays where the name first appeared). Nothing is refused. Bytes that
// are not UTF-8 stay as they are.
func ParseCookies(header string) []Pair {
	var pairs []Pair
	var seen map[string]int
	for more := true; more; {
		var chunk string
		chunk, header, more = strings.Cut(header, ";")
		name, value := splitCookie(chunk)
		if name == "" && value == "" {
			continue
		}
		value = unquote(value)
		if i, ok := seen[name]; ok {
			pairs[i].Value = value
			continue
		}
		if seen == nil {
			seen = map[string]int{}
		}
		seen[name] = len(pairs)
		pairs = append(pairs, Pair{name, value})
	}
	return pairs
}

// SessionKey is the session cookie's value as Django reads it, from all Cookie
// headers as if joined by "; " (HTTP/2 may split them, RFC 9113 §8.2.3).
// Whether it can be a session key is djsession.ValidKey's to say.
func (g *Gate) SessionKey(req Request) (key string, present bool) {
	for i := range req.Headers {
		if !sameName(req.Headers[i].Name, "cookie") {
			continue
		}
		rest := req.Headers[i].Value
		for more := true; more; {
			var chunk string
			chunk, rest, more = strings.Cut(rest, ";")
			if name, value := splitCookie(chunk); name == g.cookie {
				key, present = value, true
			}
		}
	}
	return unquote(key), present
}

func splitCookie(chunk string) (name, value string) {
	name, value, found := strings.Cut(chunk, "=")
	if !found {
		name, value = "", name
	}
	return py.Strip(name), py.Strip(value)
}

// unquote is http.cookies._unquote. An octal escape is a code point up to
// U+00FF there, hence two bytes in UTF-8 from \200 on.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\' || i+1 == len(s) || s[i+1] == '\n': // Python's "." is no newline
			b.WriteByte(s[i])
		case i+3 < len(s) && s[i+1] >= '0' && s[i+1] <= '3' && isOctal(s[i+2]) && isOctal(s[i+3]):
			b.WriteRune(rune(s[i+1]-'0')<<6 | rune(s[i+2]-'0')<<3 | rune(s[i+3]-'0'))
			i += 3
		default:
			i++
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }
