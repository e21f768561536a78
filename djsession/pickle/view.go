package pickle

import (
	"math"
	"strconv"

	"github.com/djedge/djedge/djsession/pyjson"
)

// nan is how JSON's NaN is written; other bit patterns need a fragment.
const nan = 0x7ff8000000000000

// writer writes JSON text, and notes whether it says everything.
type writer struct {
	limits  Limits
	values  int // written, of limits.Values
	spent   int // of limits.Expanded, without json
	json    []byte
	inexact bool
}

func (w *writer) spend(n int) Reason {
	if w.spent += n; w.spent+len(w.json) > w.limits.Expanded {
		return ReasonExpanded
	}
	return none
}

// member fills Raw and Pickled with v.
func (w *writer) member(m *Member, v value) Reason {
	w.json, w.inexact = w.json[:0], false
	if reason := w.value(v, w.limits.Depth); reason != none {
		return reason
	}
	m.Raw = string(w.json)
	if w.inexact {
		p := pickler{protocol: fragmentProtocol}
		if reason := p.value(v, w.limits.Depth); reason != none {
			return reason
		}
		m.Pickled = string(p.out)
	}
	w.json = w.json[:0]
	return w.spend(len(m.Raw) + len(m.Pickled))
}

func (w *writer) value(v value, depth int) Reason {
	if w.values++; w.values > w.limits.Values {
		return ReasonExpanded
	}
	if reason := w.spend(0); reason != none {
		return reason
	}
	switch v.kind {
	case kindNone:
		w.json = append(w.json, "null"...)
	case kindBool:
		w.json = strconv.AppendBool(w.json, v.bits != 0)
	case kindInt:
		w.json = strconv.AppendInt(w.json, int64(v.bits), 10)
	case kindLong:
		return w.long(v.text)
	case kindFloat:
		w.json = append(w.json, pyjson.Float(math.Float64frombits(v.bits))...)
		w.inexact = w.inexact || v.bits != nan && math.IsNaN(math.Float64frombits(v.bits))
	case kindText:
		w.text(v.text)
	case kindBytes, kindByteArray:
		w.inexact = true
		runes := make([]rune, len(v.text))
		for i := range runes {
			runes[i] = rune(v.text[i])
		}
		w.json = append(w.json, pyjson.Quote(string(runes))...)
	case kindDateTime, kindTimeZone, kindTimeDelta, kindPytzUTC:
		w.inexact = true
		if args := v.box.items; v.kind == kindTimeZone && len(args) == 2 {
			w.text(args[1].text)
			break
		}
		w.json = append(w.json, '"')
		w.json = append(appendView(w.json, v), '"')
	case kindGlobal:
		return ReasonGlobal
	default:
		return w.container(v, depth)
	}
	return none
}

func (w *writer) text(s string) {
	w.inexact = w.inexact || splitPair(s)
	w.json = append(w.json, pyjson.Quote(s)...)
}

// long spends the square of the length, as converting it takes.
func (w *writer) long(s string) Reason {
	if reason := w.spend(len(s) * len(s) / 16); reason != none {
		return reason
	}
	var ok bool
	if w.json, ok = appendDecimal(w.json, s); !ok {
		return ReasonInteger
	}
	return none
}

func (w *writer) container(v value, depth int) Reason {
	switch {
	case v.box.busy:
		return ReasonCycle
	case depth <= 0:
		return ReasonDepth
	}
	v.box.busy = true
	defer func() { v.box.busy = false }()
	if v.kind == kindDict {
		return w.dict(v.box.items, depth-1)
	}
	w.inexact = w.inexact || v.kind != kindList
	w.json = append(w.json, '[')
	for i, item := range v.box.items {
		if i > 0 {
			w.json = append(w.json, ',')
		}
		if reason := w.value(item, depth-1); reason != none {
			return reason
		}
	}
	w.json = append(w.json, ']')
	return none
}

func (w *writer) dict(items []value, depth int) Reason {
	w.json = append(w.json, '{')
	for i := 0; i < len(items); i += 2 {
		if i > 0 {
			w.json = append(w.json, ',')
		}
		if reason := w.key(items[i]); reason != none {
			return reason
		}
		w.json = append(w.json, ':')
		if reason := w.value(items[i+1], depth); reason != none {
			return reason
		}
	}
	w.json = append(w.json, '}')
	return none
}

// key writes a key as json.dumps does: always as a string.
func (w *writer) key(key value) Reason {
	if key.kind == kindText {
		w.text(key.text)
		return none
	}
	w.inexact = true
	w.json = append(w.json, '"')
	if reason := w.value(key, 0); reason != none {
		return reason
	}
	w.json = append(w.json, '"')
	return none
}
