// Package query is what the rules may ask of a database: named statements
// with arguments, answered by rows. It knows no driver; a host executes.
package query

import (
	"math"
	"time"
)

// Kind says what a [Value] holds. The numbers are part of the module's ABI.
type Kind uint8

const (
	KindNull Kind = iota
	KindBool
	KindInt
	KindFloat
	KindText
	KindBytes
	KindTime
)

// Value is one argument or one column of a row. The zero Value is null.
// It is a struct, not an interface, so that a check allocates nothing.
type Value struct {
	kind Kind
	num  int64  // bool, int, the bits of a float, or microseconds since 1970 UTC
	str  string // text or bytes
}

func Null() Value           { return Value{} }
func Int(i int64) Value     { return Value{kind: KindInt, num: i} }
func Float(f float64) Value { return Value{kind: KindFloat, num: int64(math.Float64bits(f))} }
func Text(s string) Value   { return Value{kind: KindText, str: s} }

// Bytes holds b, which must not be changed afterwards by way of another reference.
func Bytes(b string) Value { return Value{kind: KindBytes, str: b} }

// Time keeps microseconds, as Django's DateTimeField does, in UTC.
func Time(t time.Time) Value { return Value{kind: KindTime, num: t.UnixMicro()} }

func Bool(b bool) Value {
	if b {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

func (v Value) Kind() Kind   { return v.kind }
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
