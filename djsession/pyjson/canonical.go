package pyjson

import (
	"bytes"
	"math"
	"strconv"
)

// maxCanonicalDepth is about where Python stops (its recursion limit).
const maxCanonicalDepth = 990

// Canonical is json.dumps(json.loads(raw), separators=(",", ":")): no space,
// ASCII, floats as repr writes them, equal keys merged. It errs where Python
// does, and for nesting beyond Python's recursion limit.
func Canonical(raw string) (string, error) {
	p := parser{s: raw}
	p.space()
	out, err := p.canonical(make([]byte, 0, len(raw)), maxCanonicalDepth)
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return "", err
	}
	return string(out), nil
}

func (p *parser) canonical(dst []byte, depth int) ([]byte, error) {
	c := p.peek()
	if (c == '{' || c == '[') && depth <= 0 {
		return dst, ErrDepth
	}
	switch {
	case c == '{':
		return p.canonicalObject(dst, depth)
	case c == '[':
		p.i++
		dst = append(dst, '[')
		ok, err := p.begin(']')
		for first := true; ok; ok, err = p.more(']') {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			if dst, err = p.canonical(dst, depth-1); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), err
	case c == '"':
		start := p.i
		if err := p.str(); err != nil {
			return dst, err
		}
		return appendCanonicalString(dst, p.s[start:p.i]), nil
	case c == '-' || c >= '0' && c <= '9':
		return p.canonicalNumber(dst)
	}
	start := p.i
	err := p.scalar()
	return append(dst, p.s[start:p.i]...), err
}

func (p *parser) canonicalObject(dst []byte, depth int) ([]byte, error) {
	p.i++
	start := len(dst)
	dst = append(dst, '{')
	var members []Member // Raw is the whole entry, and filled only once a key comes twice
	var ends []int       // where each entry ends in dst; its comma precedes it
	var seen index
	merged := false
	ok, err := p.begin('}')
	for ; ok; ok, err = p.more('}') {
		rawKey, err := p.key()
		if err != nil {
			return dst, err
		}
		key := unquote(rawKey)
		at := seen.find(members, key)
		if at >= 0 && !merged {
			merged = true
			from := start + 1
			for i, end := range ends {
				members[i].Raw = string(bytes.TrimPrefix(dst[from:end], []byte(",")))
				from = end
			}
		}
		if len(dst) > start+1 {
			dst = append(dst, ',')
		}
		entry := len(dst)
		dst = append(appendCanonicalString(dst, rawKey), ':')
		if dst, err = p.canonical(dst, depth-1); err != nil {
			return dst, err
		}
		if at < 0 {
			at = len(members)
			members = append(members, Member{Key: key})
		}
		if merged {
			members[at].Raw = string(dst[entry:])
		} else {
			ends = append(ends, len(dst))
		}
	}
	if merged {
		dst = dst[:start+1]
		for i, m := range members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, m.Raw...)
		}
	}
	return append(dst, '}'), err
}

// appendCanonicalString re-encodes a string that was accepted.
func appendCanonicalString(dst []byte, raw string) []byte {
	if s := raw[1 : len(raw)-1]; isPlain(s) {
		return append(dst, raw...)
	}
	return appendQuoted(dst, unquote(raw))
}

func (p *parser) canonicalNumber(dst []byte) ([]byte, error) {
	const minusInfinity = "-Infinity"
	start := p.i
	if len(p.s)-start >= len(minusInfinity) && p.s[start:start+len(minusInfinity)] == minusInfinity {
		p.i += len(minusInfinity)
		return append(dst, minusInfinity...), nil
	}
	float, err := p.number()
	if err != nil {
		return dst, err
	}
	text := p.s[start:p.i]
	switch {
	case float:
		f, _ := strconv.ParseFloat(text, 64) // out of range is ±Inf, as in Python
		return appendFloat(dst, f), nil
	case text == "-0":
		return append(dst, '0'), nil
	}
	return append(dst, text...), nil
}

// Float is f as Python's json writes it: repr(f), NaN, Infinity or -Infinity.
func Float(f float64) string { return string(appendFloat(nil, f)) }

func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	// repr: the shortest digits that read back as f, with an exponent when it
	// is below -4 or at least 16. Both write exponents with two digits or more.
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	exponent, _ := strconv.Atoi(string(dst[bytes.IndexByte(dst[start:], 'e')+start+1:]))
	if exponent < -4 || exponent >= 16 {
		return dst
	}
	dst = strconv.AppendFloat(dst[:start], f, 'f', -1, 64)
	if bytes.IndexByte(dst[start:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}
