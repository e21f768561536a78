// Package query is what the rules may ask of a database: named statements
// with arguments, answered by rows. It knows no driver; a host executes.
package query

import (
	"math"
	"time"
)

// Kind says what a [Value] holds. The numbers are part of the module's ABI.
type Kind uint8

// The kinds of values.
const (
	KindNull  Kind = iota // nothing; of a column: as it comes
	KindBool              // true or false
	KindInt               // 64 bits with a sign
	KindFloat             // IEEE 754, 64 bits
	KindText              // UTF-8, unchecked
	KindBytes             // any bytes
	KindTime              // microseconds since 1970 UTC
	// KindUUID is of columns alone: their values are text, dashed and in lower
	// case, whatever the database keeps ([Dialect.UUID]).
	KindUUID
)

// Value is one argument or one column of a row. The zero Value is null.
// It is a struct, not an interface, so that a check allocates nothing.
type Value struct {
	kind Kind
	num  int64  // bool, int, the bits of a float, or microseconds since 1970 UTC
	str  string // text or bytes
}

// Null is the zero Value, SQL's NULL.
func Null() Value { return Value{} }

// Int holds an integer.
func Int(i int64) Value { return Value{kind: KindInt, num: i} }

// Float holds a floating-point number, bit by bit.
func Float(f float64) Value { return Value{kind: KindFloat, num: int64(math.Float64bits(f))} }

// Text holds s as text.
func Text(s string) Value { return Value{kind: KindText, str: s} }

// Bytes holds the bytes of b as a binary value.
func Bytes(b string) Value { return Value{kind: KindBytes, str: b} }

// Time keeps microseconds, as Django's DateTimeField does, in UTC.
func Time(t time.Time) Value { return Value{kind: KindTime, num: t.UnixMicro()} }

// Bool holds a bool.
func Bool(b bool) Value {
	if b {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

// Kind says what v holds.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Bool is the held bool; false for every other kind (see [Coerce]).
func (v Value) Bool() bool { return v.kind == KindBool && v.num != 0 }

// Int is the held integer, or 0.
func (v Value) Int() int64 {
	if v.kind == KindInt {
		return v.num
	}
	return 0
}

// Float is the held float, or 0.
func (v Value) Float() float64 {
	if v.kind == KindFloat {
		return math.Float64frombits(uint64(v.num))
	}
	return 0
}

// Text is the held text or bytes, or "".
func (v Value) Text() string { return v.str }

// Time is the held time in UTC, or the zero time.
func (v Value) Time() time.Time {
	if v.kind == KindTime {
		return time.UnixMicro(v.num).UTC()
	}
	return time.Time{}
}

// Bits is the number behind a bool, int, float or time, as it travels in the ABI.
func (v Value) Bits() int64 { return v.num }

// FromBits is the inverse of [Value.Bits] for the numeric kinds.
func FromBits(k Kind, bits int64) Value { return Value{kind: k, num: bits} }
