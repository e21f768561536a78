package pickle

import (
	"math"
	"strings"
	"unicode/utf8"
)

type kind uint8

const (
	kindNone kind = iota
	kindBool
	kindInt  // bits: an int64
	kindLong // text: two's complement, little endian, as short as possible, above 8 bytes
	kindFloat
	kindText
	kindBytes
	kindByteArray
	kindList
	kindTuple
	kindDict // items: key, value, key, value, …
	kindSet
	kindFrozenSet
	kindDateTime // items: the arguments, as of the next three
	kindTimeZone
	kindTimeDelta
	kindPytzUTC
	kindGlobal // bits: one of the four kinds above, which a call makes
)

// value is a Python object. Scalars need no allocation; copies of a container
// share its box, as Python's references do.
type value struct {
	kind kind
	bits uint64
	text string
	box  *box
}

type box struct {
	items      []value
	index      map[keyID]int // of dicts with many keys
	unhashable bool          // a tuple or call with such an item
	busy       bool          // being written: meeting it again is a cycle
}

func boolean(b bool) value {
	if b {
		return value{kind: kindBool, bits: 1}
	}
	return value{kind: kindBool}
}

func integer(n int64) value { return value{kind: kindInt, bits: uint64(n)} }

func container(k kind, items ...value) value { return value{kind: k, box: &box{items: items}} }

// frozen is a tuple, or a call's result, of a copy of items.
func frozen(k kind, items []value) value {
	v := container(k, append([]value(nil), items...)...)
	for _, item := range items {
		if !item.hashable() {
			v.box.unhashable = true
		}
	}
	return v
}

func (v value) hashable() bool {
	switch v.kind {
	case kindList, kindDict, kindSet, kindByteArray, kindGlobal:
		return false
	case kindTuple:
		return !v.box.unhashable
	}
	return true
}

// keyID is equal for keys that are equal in Python, where 1, 1.0 and True are.
type keyID struct {
	kind kind
	bits uint64
	text string
}

func (v value) keyID() (id keyID, ok bool) {
	switch v.kind {
	case kindText, kindLong, kindInt, kindNone:
		return keyID{v.kind, v.bits, v.text}, true
	case kindBool:
		return keyID{kind: kindInt, bits: v.bits}, true
	case kindFloat:
		f := math.Float64frombits(v.bits)
		switch {
		case f != f:
			return keyID{}, false // equal to nothing but to the same object
		case math.IsInf(f, 0) || f != math.Trunc(f):
			return keyID{kind: kindFloat, bits: v.bits}, true
		}
		return longFromFloat(f).keyID()
	}
	return keyID{}, false
}

// set is Python's d[key] = v: the first of equal keys stays, the last value.
func (b *box) set(key, v value) Reason {
	id, ok := key.keyID()
	if !ok {
		return ReasonKey
	}
	if at := b.find(id); at >= 0 {
		b.items[at+1] = v
		return none
	}
	b.items = append(b.items, key, v)
	return none
}

// find looks at each key while they are few and cheap to compare, as in sessions,
// and else uses an index, in which it enters the key if it is new.
func (b *box) find(id keyID) int {
	const few = 2 * 16
	if b.index == nil && len(b.items) < few && id.kind != kindLong {
		for i := 0; i < len(b.items); i += 2 {
			if other := &b.items[i]; other.kind == kindText && id.kind == kindText {
				if other.text == id.text {
					return i
				}
			} else if otherID, _ := other.keyID(); otherID == id {
				return i
			}
		}
		return -1
	}
	if b.index == nil {
		b.index = make(map[keyID]int, len(b.items))
		for i := 0; i < len(b.items); i += 2 {
			otherID, _ := b.items[i].keyID()
			b.index[otherID] = i
		}
	}
	if i, ok := b.index[id]; ok {
		return i
	}
	b.index[id] = len(b.items)
	return -1
}

// validText reports whether s is what Python decodes with surrogatepass.
func validText(s string) bool {
	if utf8.ValidString(s) {
		return true
	}
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			if !surrogate(s, 0xa0) && !surrogate(s, 0xb0) {
				return false
			}
			n = 3
		}
		s = s[n:]
	}
	return true
}

// surrogate reports whether s begins with a high (second is 0xa0) or low (0xb0)
// surrogate, alone.
func surrogate(s string, second byte) bool {
	return len(s) >= 3 && s[0] == 0xed && s[1]&0xf0 == second && s[2]&0xc0 == 0x80
}

// splitPair reports whether s has a high and a low surrogate side by side that
// are two characters. JSON would join them to one.
func splitPair(s string) bool {
	for {
		i := strings.IndexByte(s, 0xed)
		if i < 0 {
			return false
		}
		if s = s[i:]; surrogate(s, 0xa0) && surrogate(s[3:], 0xb0) {
			return true
		}
		s = s[1:]
	}
}
