// Package errorf formats errors without package fmt, whose reflection would
// add 370 kB to the module. It knows the verbs and kinds that the rules use.
package errorf

import (
	"strconv"
	"strings"
)

// Errorf is [fmt.Errorf] for the verbs %s, %q, %d, %v, %w and %% without
// flags, of strings, integers, floats, bools, errors and Stringers. What it cannot print it
// prints as "%!" and the verb, as fmt does for a verb that does not fit.
func Errorf(format string, args ...any) error {
	e := &formatted{text: Sprintf(format, args...)}
	for i, n := 0, 0; i+1 < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		i++
		if format[i] == 'w' && n < len(args) {
			if err, ok := args[n].(error); ok {
				e.wrapped = append(e.wrapped, err)
			}
		}
		if format[i] != '%' {
			n++
		}
	}
	return e
}

// formatted is an error with a text and what it wraps.
type formatted struct {
	text    string
	wrapped []error
}

func (e *formatted) Error() string { return e.text }

// Unwrap serves [errors.Is] and [errors.As].
func (e *formatted) Unwrap() []error { return e.wrapped }

// Sprintf is [fmt.Sprintf] within the limits of [Errorf].
func Sprintf(format string, args ...any) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(format, "%")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if rest == "" {
			b.WriteString("%!(NOVERB)")
			return b.String()
		}
		verb := rest[0]
		format = rest[1:]
		if verb == '%' {
			b.WriteByte('%')
			continue
		}
		if len(args) == 0 {
			b.WriteString("%!" + string(verb) + "(MISSING)")
			continue
		}
		text, ok := printed(args[0])
		args = args[1:]
		switch {
		case ok && verb == 'q':
			b.WriteString(strconv.Quote(text))
		case ok && strings.IndexByte("sdvw", verb) >= 0:
			b.WriteString(text)
		default:
			b.WriteString("%!" + string(verb))
		}
	}
}

func printed(arg any) (text string, ok bool) {
	switch v := arg.(type) {
	case string:
		return v, true
	case error:
		return v.Error(), true
	case interface{ String() string }:
		return v.String(), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case uint32:
		return strconv.FormatUint(uint64(v), 10), true
	case uint64:
		return strconv.FormatUint(v, 10), true
	case uint8:
		return strconv.FormatUint(uint64(v), 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	case []byte:
		return string(v), true
	}
	return "", false
}
