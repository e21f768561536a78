package djsession

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

var (
	errNoKey       = errors.New("session cookie: the session is not stored, so it has no key")
	errCookieValue = errors.New("session cookie: the key has characters that a cookie cannot hold")
)

// SetCookie is the value of a Set-Cookie header for sess, as Django writes it.
// A session that expires at browser close has neither expires nor Max-Age. The
// response must also vary by Cookie (CVE-2026-35192).
func (s *Store) SetCookie(sess *Session, now time.Time) (string, error) {
	if sess.key == "" {
		return "", errNoKey
	}
	value, err := cookieValue(sess.key)
	if err != nil {
		return "", err
	}
	c := cookie{set: &s.set, value: value, httpOnly: !s.set.CookieNotHTTPOnly, secure: s.set.CookieSecure}
	if !s.ExpiresAtBrowserClose(sess) {
		age, err := s.ExpirySeconds(sess, now)
		if err != nil {
			return "", err
		}
		expires, err := addSeconds(now, age)
		if err != nil {
			return "", err
		}
		c.expires = expires.UTC().Format(httpDate)
		c.maxAge = strconv.FormatInt(int64(age), 10)
	}
	return c.String(), nil
}

// DeleteCookie is the value of a Set-Cookie header that removes the session
// cookie, as Django writes it.
func (s *Store) DeleteCookie() string {
	c := cookie{set: &s.set, value: `""`, expires: "Thu, 01 Jan 1970 00:00:00 GMT", maxAge: "0"}
	name := s.set.CookieName
	c.secure = strings.HasPrefix(name, "__Secure-") || strings.HasPrefix(name, "__Host-") ||
		strings.EqualFold(s.set.CookieSameSite, "none")
	return c.String()
}

type cookie struct {
	set                    *Settings
	value, expires, maxAge string
	httpOnly, secure       bool
}

// String has Python's order of attributes, which is alphabetical.
func (c *cookie) String() string {
	var b strings.Builder
	b.WriteString(c.set.CookieName + "=" + c.value)
	attribute := func(name, value string) {
		if value != "" {
			b.WriteString("; " + name + "=" + value)
		}
	}
	attribute("Domain", c.set.CookieDomain)
	attribute("expires", c.expires)
	if c.httpOnly {
		b.WriteString("; HttpOnly")
	}
	attribute("Max-Age", c.maxAge)
	attribute("Path", c.set.CookiePath)
	if c.set.CookieSameSite != "-" {
		attribute("SameSite", c.set.CookieSameSite)
	}
	if c.secure {
		b.WriteString("; Secure")
	}
	return b.String()
}

// cookieValue is Python's http.cookies._quote: a value of other than plain
// characters is put in quotes, and what would end it becomes octal. Characters
// beyond latin-1 cannot be sent.
func cookieValue(s string) (string, error) {
	if isLegal(s) {
		return s, nil
	}
	b := []byte{'"'}
	for i, r := range s {
		if r > 0xff || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			return "", errCookieValue
		}
		switch c := byte(r); {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case isLegalByte(c) || strings.IndexByte(" ()/<=>?@[]{}", c) >= 0:
			b = append(b, c)
		default:
			b = append(b, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		}
	}
	return string(append(b, '"')), nil
}

// isLegal: Python's _LegalChars, in a value that needs no quotes.
func isLegal(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isLegalByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isLegalByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~:", c) >= 0
}

// IsToken reports whether s is a token of RFC 9110, as the names of cookies
// (RFC 6265 section 4.1.1) and of headers are.
func IsToken(s string) bool { return isLegal(s) && strings.IndexByte(s, ':') < 0 }

// isAttribute: nothing that would end an attribute or the header.
func isAttribute(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == ';' || c == ',' {
			return false
		}
	}
	return true
}
