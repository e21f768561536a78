package pickle

import (
	"strconv"
	"strings"
)

// callable is what Python calls to make a value of a kind.
type callable struct {
	kind         kind
	module, name string
}

// callables are all that may be called. pytz._UTC() is django.utils.timezone.utc
// before Django 4.0.
var callables = [...]callable{
	{kindDateTime, "datetime", "datetime"},
	{kindTimeZone, "datetime", "timezone"},
	{kindTimeDelta, "datetime", "timedelta"},
	{kindPytzUTC, "pytz", "_UTC"},
}

// global is the operand of GLOBAL.
func (c *callable) global() string { return c.module + "\n" + c.name + "\n" }

// callable is what makes values of this kind, or nil.
func (k kind) callable() *callable {
	for i := range callables {
		if callables[i].kind == k {
			return &callables[i]
		}
	}
	return nil
}

func (m *machine) global() Reason {
	rest := m.data[m.pos:]
	for i := range callables {
		if line := callables[i].global(); strings.HasPrefix(rest, line) {
			m.pos += len(line)
			return m.push(value{kind: kindGlobal, bits: uint64(callables[i].kind)})
		}
	}
	return ReasonGlobal
}

func (m *machine) stackGlobal() Reason {
	name, ok := m.pop()
	module, ok2 := m.pop()
	if !ok || !ok2 {
		return ReasonStack
	}
	if name.kind != kindText || module.kind != kindText {
		return ReasonGlobal
	}
	for i := range callables {
		if c := &callables[i]; module.text == c.module && name.text == c.name {
			return m.push(value{kind: kindGlobal, bits: uint64(c.kind)})
		}
	}
	return ReasonGlobal
}

// reduce is a call in Python. Here it makes a value of a few known kinds.
func (m *machine) reduce() Reason {
	args, ok := m.pop()
	callee, ok2 := m.pop()
	if !ok || !ok2 {
		return ReasonStack
	}
	if callee.kind != kindGlobal || args.kind != kindTuple || !wellFormed(kind(callee.bits), args.box.items) {
		return ReasonCall
	}
	return m.push(frozen(kind(callee.bits), args.box.items))
}

const secondsPerDay = 24 * 60 * 60

// wellFormed reports whether Python's pickler writes args for the class. Then
// the call has one known result, and cannot fail.
func wellFormed(k kind, args []value) bool {
	switch k {
	case kindDateTime: // ten bytes, and perhaps a timezone
		return (len(args) == 1 || len(args) == 2 && (args[1].kind == kindTimeZone || args[1].kind == kindPytzUTC)) &&
			args[0].kind == kindBytes && validDate(args[0].text)
	case kindTimeZone: // a timedelta of less than a day, and perhaps a name
		if len(args) != 1 && (len(args) != 2 || args[1].kind != kindText) || args[0].kind != kindTimeDelta {
			return false
		}
		seconds, micros := args[0].delta()
		return seconds < secondsPerDay && (seconds > -secondsPerDay || seconds == -secondsPerDay && micros > 0)
	case kindTimeDelta: // days, seconds, microseconds
		return len(args) == 3 && between(args[0], -999999999, 999999999) &&
			between(args[1], 0, secondsPerDay-1) && between(args[2], 0, 999999)
	case kindPytzUTC:
		return len(args) == 0
	}
	return false
}

func between(v value, low, high int64) bool {
	return v.kind == kindInt && int64(v.bits) >= low && int64(v.bits) <= high
}

// validDate: year (2 bytes, big endian), month (its highest bit is the fold),
// day, hour, minute, second, microsecond (3 bytes).
func validDate(s string) bool {
	if len(s) != 10 {
		return false
	}
	year, month := int(s[0])<<8|int(s[1]), int(s[2]&0x7f)
	if year < 1 || year > 9999 || month < 1 || month > 12 {
		return false
	}
	days := 31
	switch month {
	case 4, 6, 9, 11:
		days = 30
	case 2:
		days = 28
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			days = 29
		}
	}
	return s[3] >= 1 && int(s[3]) <= days && s[4] < 24 && s[5] < 60 && s[6] < 60 && microsOf(s) < 1_000_000
}

func microsOf(s string) int64 { return int64(s[7])<<16 | int64(s[8])<<8 | int64(s[9]) }

// delta is a timedelta in seconds, rounded down, and microseconds.
func (v value) delta() (seconds, micros int64) {
	args := v.box.items
	return int64(args[0].bits)*secondsPerDay + int64(args[1].bits), int64(args[2].bits)
}

// appendView writes the text that JSON shows for a value that a call
// makes, save for a timezone's own name.
func appendView(dst []byte, v value) []byte {
	args := v.box.items
	switch v.kind {
	case kindDateTime:
		s := args[0].text
		dst = appendPadded(dst, int64(s[0])<<8|int64(s[1]), 4)
		dst = appendPadded(append(dst, '-'), int64(s[2]&0x7f), 2)
		dst = appendPadded(append(dst, '-'), int64(s[3]), 2)
		dst = appendPadded(append(dst, 'T'), int64(s[4]), 2)
		dst = appendPadded(append(dst, ':'), int64(s[5]), 2)
		dst = appendPadded(append(dst, ':'), int64(s[6]), 2)
		dst = appendMicros(dst, microsOf(s))
		switch {
		case len(args) == 2 && args[1].kind == kindPytzUTC:
			dst = append(dst, "+00:00"...)
		case len(args) == 2:
			dst = appendOffset(dst, args[1].box.items[0])
		}
	case kindPytzUTC:
		dst = append(dst, "UTC"...)
	case kindTimeZone:
		dst = append(dst, "UTC"...)
		if seconds, micros := args[0].delta(); seconds != 0 || micros != 0 {
			dst = appendOffset(dst, args[0])
		}
	case kindTimeDelta:
		negative, seconds, micros := magnitude(v)
		if negative {
			dst = append(dst, '-')
		}
		dst = strconv.AppendInt(append(dst, 'P'), seconds/secondsPerDay, 10)
		dst = appendPadded(append(dst, "DT"...), seconds%secondsPerDay/3600, 2)
		dst = appendPadded(append(dst, 'H'), seconds%3600/60, 2)
		dst = appendPadded(append(dst, 'M'), seconds%60, 2)
		dst = append(appendMicros(dst, micros), 'S')
	}
	return dst
}

func magnitude(delta value) (negative bool, seconds, micros int64) {
	seconds, micros = delta.delta()
	if seconds >= 0 {
		return false, seconds, micros
	}
	if micros > 0 {
		return true, -seconds - 1, 1_000_000 - micros
	}
	return true, -seconds, 0
}

// appendOffset writes +HH:MM, with seconds and microseconds where there are any.
func appendOffset(dst []byte, delta value) []byte {
	negative, seconds, micros := magnitude(delta)
	if negative {
		dst = append(dst, '-')
	} else {
		dst = append(dst, '+')
	}
	dst = appendPadded(dst, seconds/3600, 2)
	dst = appendPadded(append(dst, ':'), seconds%3600/60, 2)
	if seconds%60 != 0 || micros != 0 {
		dst = appendMicros(appendPadded(append(dst, ':'), seconds%60, 2), micros)
	}
	return dst
}

func appendMicros(dst []byte, micros int64) []byte {
	if micros == 0 {
		return dst
	}
	return appendPadded(append(dst, '.'), micros, 6)
}

// appendPadded writes n, which is not negative, with at least so many digits.
func appendPadded(dst []byte, n int64, digits int) []byte {
	for limit := int64(10); digits > 1; digits-- {
		if n < limit {
			dst = append(dst, '0')
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, n, 10)
}
