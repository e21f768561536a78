package pyjson

import (
	"errors"
	"strings"
	"unicode/utf8"
)

var (
	// ErrSyntax: Python's json would refuse this text.
	ErrSyntax = errors.New("not JSON as Python reads it")
	// ErrDepth: the text is nested more deeply than the caller allows.
	ErrDepth = errors.New("JSON is nested too deeply")
)

// maxDigits is how long an integer Python converts: sys.get_int_max_str_digits().
const maxDigits = 4300

// Valid reports why text is not one JSON value, or nil. Objects and arrays may
// be nested maxDepth deep; 0 allows neither.
func Valid(text string, maxDepth int) error {
	p := parser{s: text}
	p.space()
	if err := p.value(maxDepth); err != nil {
		return err
	}
	return p.end()
}

// parser walks over s. Its methods leave i behind what they accepted.
type parser struct {
	s string
	i int
}

func (p *parser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0 // which begins nothing and is refused within strings
}

func (p *parser) accept(c byte) bool {
	if p.peek() == c && c != 0 {
		p.i++
		return true
	}
	return false
}

func (p *parser) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

// end accepts trailing white space and nothing else.
func (p *parser) end() error {
	p.space()
	if p.i != len(p.s) {
		return ErrSyntax
	}
	return nil
}

// begin is called behind an opening bracket: it reports whether a first
// element follows. The error is always nil, as in the loop that more goes on.
func (p *parser) begin(closing byte) (bool, error) {
	p.space()
	return !p.accept(closing), nil
}

// more is called behind an element: it reports whether another one follows.
func (p *parser) more(closing byte) (bool, error) {
	p.space()
	switch {
	case p.accept(','):
		p.space()
		return true, nil
	case p.accept(closing):
		return false, nil
	}
	return false, ErrSyntax
}

// key accepts a string, a colon and the space around it. The result is the
// string as it is written, with its quotes.
func (p *parser) key() (raw string, err error) {
	start := p.i
	if err := p.str(); err != nil {
		return "", err
	}
	raw = p.s[start:p.i]
	p.space()
	if !p.accept(':') {
		return "", ErrSyntax
	}
	p.space()
	return raw, nil
}

// value accepts any value that nests at most depth deep.
func (p *parser) value(depth int) error {
	switch c := p.peek(); c {
	case '"':
		return p.str()
	case '{', '[':
		if depth <= 0 {
			return ErrDepth
		}
		p.i++
		closing := c + 2 // '}' and ']'
		ok, err := p.begin(closing)
		for ; ok; ok, err = p.more(closing) {
			if c == '{' {
				if _, err := p.key(); err != nil {
					return err
				}
			}
			if err := p.value(depth - 1); err != nil {
				return err
			}
		}
		return err
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		_, err := p.number()
		return err
	default:
		return p.scalar()
	}
}

// scalar accepts a number or one of Python's constants.
func (p *parser) scalar() error {
	rest := p.s[p.i:]
	for _, word := range [...]string{"true", "false", "null", "NaN", "Infinity", "-Infinity"} {
		if strings.HasPrefix(rest, word) {
			p.i += len(word)
			return nil
		}
	}
	_, err := p.number()
	return err
}

func (p *parser) number() (float bool, err error) {
	p.accept('-')
	digits := p.i
	if !p.accept('0') && p.digits() == 0 {
		return false, ErrSyntax
	}
	digits = p.i - digits
	if p.accept('.') {
		float = true
		if p.digits() == 0 {
			return false, ErrSyntax
		}
	}
	if p.accept('e') || p.accept('E') {
		float = true
		if !p.accept('+') {
			p.accept('-')
		}
		if p.digits() == 0 {
			return false, ErrSyntax
		}
	}
	if !float && digits > maxDigits {
		return false, ErrSyntax
	}
	return float, nil
}

func (p *parser) digits() (n int) {
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.i++
		n++
	}
	return n
}

// str accepts a string with its quotes.
func (p *parser) str() error {
	if !p.accept('"') {
		return ErrSyntax
	}
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return nil
		case c == '\\':
			n := escapeLen(p.s[p.i:])
			if n == 0 {
				return ErrSyntax
			}
			p.i += n
		case c < 0x20:
			return ErrSyntax
		case c < utf8.RuneSelf:
			p.i++
		default:
			r, n := utf8.DecodeRuneInString(p.s[p.i:])
			if r == utf8.RuneError && n == 1 {
				return ErrSyntax
			}
			p.i += n
		}
	}
	return ErrSyntax
}

// escapeLen is the length of the escape that s begins with, 0 when Python
// knows no such escape.
func escapeLen(s string) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(s); ok {
			return 6
		}
	}
	return 0
}

// hex4 reads the four digits of the \uXXXX that s begins with.
func hex4(s string) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for i := 2; i < 6; i++ {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
