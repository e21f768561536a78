package pickle

import (
	"math"
	"strconv"
	"strings"

	"github.com/djedge/djedge/djsession/pyjson"
)

// transcoder writes s, which is valid JSON, as opcodes.
type transcoder struct {
	*pickler
	s string
}

// skip leaves behind space, and commas and colons, which are where they belong.
func (t *transcoder) skip() { t.s = strings.TrimLeft(t.s, " \t\n\r,:") }

func (t *transcoder) value() {
	t.skip()
	switch t.s[0] {
	case '{':
		t.items(opEmptyDict, opSetItems, '}')
	case '[':
		t.items(opEmptyList, opAppends, ']')
	case '"':
		t.quoted()
	case 'n':
		t.constant(opNone, "null")
	case 't':
		t.constant(opNewTrue, "true")
	case 'f':
		t.constant(opNewFalse, "false")
	default:
		t.number()
	}
}

// items writes values up to the closing bracket; those of an object are its
// keys and values.
func (t *transcoder) items(empty, fill, closing byte) {
	t.s = t.s[1:]
	t.op(empty)
	t.skip()
	if t.s[0] != closing {
		t.op(opMark)
		for t.s[0] != closing {
			t.value()
			t.skip()
		}
		t.op(fill)
	}
	t.s = t.s[1:]
}

func (t *transcoder) quoted() {
	n := 1
	for t.s[n] != '"' {
		if t.s[n] == '\\' {
			n++
		}
		n++
	}
	text, _ := pyjson.Unquote(t.s[:n+1])
	t.text(text)
	t.s = t.s[n+1:]
}

func (t *transcoder) constant(op byte, word string) {
	t.op(op)
	t.s = t.s[len(word):]
}

// number writes an int or, where there is a point, an exponent or a word, a float.
func (t *transcoder) number() {
	n := 0
	for n < len(t.s) && strings.IndexByte(" \t\n\r,]}", t.s[n]) < 0 {
		n++
	}
	text := t.s[:n]
	t.s = t.s[n:]
	switch {
	case text == "NaN":
		t.float(nan)
	case strings.ContainsAny(text, ".eEI"):
		f, _ := strconv.ParseFloat(text, 64) // beyond the range it is ±Inf, as in Python
		t.float(math.Float64bits(f))
	default:
		v := longFromDecimal(text)
		if v.kind == kindInt {
			t.integer(int64(v.bits))
			return
		}
		t.long(v.text)
	}
}
