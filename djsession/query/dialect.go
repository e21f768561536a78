package query

import (
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/djedge/djedge/djsession/errorf"
)

// Dialect is the SQL a database speaks.
type Dialect uint8

const (
	PostgreSQL Dialect = iota
	SQLite
	MySQL
)

var dialectNames = [...]string{"postgresql", "sqlite", "mysql"}

func (d Dialect) String() string {
	if int(d) < len(dialectNames) {
		return dialectNames[d]
	}
	return "dialect " + strconv.Itoa(int(d))
}

// ParseDialect reads "postgresql", "sqlite" or "mysql".
func ParseDialect(s string) (Dialect, error) {
	for i, name := range dialectNames {
		if s == name {
			return Dialect(i), nil
		}
	}
	return 0, errorf.Errorf("dialect %q is not postgresql, sqlite or mysql", s)
}

// Quote quotes an identifier that [CheckIdentifier] accepted. A dot separates a schema.
func (d Dialect) Quote(identifier string) string {
	q := `"`
	if d == MySQL {
		q = "`"
	}
	return q + strings.ReplaceAll(identifier, ".", q+"."+q) + q
}

// CheckIdentifier accepts table and column names of letters, digits, "_", "$"
// and blanks between them that do not begin with a digit, with at most one
// schema before a dot. Nothing else is ever put into SQL, and that only quoted.
func CheckIdentifier(s string) error {
	parts := strings.Split(s, ".")
	ok := len(s) <= 127 && len(parts) <= 2
	for _, part := range parts {
		ok = ok && part != ""
		for i, r := range part {
			letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f && r != 0xfffd
			digit := r >= '0' && r <= '9' || r == '$'
			blank := r == ' ' && i < len(part)-1
			ok = ok && (letter || (digit || blank) && i > 0)
		}
	}
	if !ok {
		return errorf.Errorf("%q is not a table or column name", s)
	}
	return nil
}

// Placeholder is the n-th parameter, counted from 1.
func (d Dialect) Placeholder(n int) string {
	if d == PostgreSQL {
		return "$" + strconv.Itoa(n)
	}
	return "?"
}

// Rebind replaces each "?" in sql by this dialect's parameter. The text must
// hold no other question mark.
func (d Dialect) Rebind(sql string) string {
	if d != PostgreSQL {
		return sql
	}
	var b strings.Builder
	n := 0
	for i := 0; i < len(sql); i++ {
		if sql[i] != '?' {
			b.WriteByte(sql[i])
			continue
		}
		n++
		b.WriteString(d.Placeholder(n))
	}
	return b.String()
}

// Django's text form of a datetime (SQLite; MySQL takes it too).
const (
	timeText      = "2006-01-02 15:04:05"
	timeTextMicro = "2006-01-02 15:04:05.000000"
)

// Time is t as Django stores it with USE_TZ: text in UTC for SQLite and MySQL
// (no fraction when it is zero), a timestamp for PostgreSQL.
func (d Dialect) Time(t time.Time) Value { return d.TimeIn(new(TimeText), t) }

// TimeText has room for a datetime as text.
type TimeText [len(timeTextMicro)]byte

// TimeIn is [Dialect.Time] with its text, if it is one, in room, which must then
// not be used again before the value is forgotten.
func (d Dialect) TimeIn(room *TimeText, t time.Time) Value {
	if d == PostgreSQL {
		return Time(t)
	}
	b := appendTime(room[:0], t.UTC())
	return Text(unsafe.String(unsafe.SliceData(b), len(b)))
}

// Bool is b as Django stores it: 0 or 1 for SQLite and MySQL.
func (d Dialect) Bool(b bool) Value {
	if d == PostgreSQL {
		return Bool(b)
	}
	if b {
		return Int(1)
	}
	return Int(0)
}

// Coerce gives v the kind that a column has, since drivers differ: numbers, the
// words of a bool and MySQL's BIT(1) become bools; text becomes a time, an
// integer or the dashed form of a UUID; an integer becomes a float. What cannot
// be converted stays as it is.
func Coerce(v Value, k Kind) Value {
	if v.kind == k || v.kind == KindNull {
		return v
	}
	textual := v.kind == KindText || v.kind == KindBytes
	switch {
	case k == KindBool && v.kind == KindInt:
		return Bool(v.num != 0)
	case k == KindBool && textual:
		switch v.str {
		case "1", "t", "true", "\x01":
			return Bool(true)
		case "0", "f", "false", "\x00":
			return Bool(false)
		}
	case k == KindTime && textual:
		if t, ok := parseTime(v.str); ok {
			return t
		}
		for _, layout := range []string{timeTextMicro, "2006-01-02 15:04:05.999999", "2006-01-02T15:04:05.999999Z07:00", "2006-01-02 15:04:05.999999Z07:00"} {
			if t, err := time.Parse(layout, v.str); err == nil {
				return Time(t)
			}
		}
	case k == KindInt && textual:
		if i, err := strconv.ParseInt(v.str, 10, 64); err == nil {
			return Int(i)
		}
	case k == KindInt && v.kind == KindBool:
		return Int(v.num)
	case k == KindFloat && v.kind == KindInt:
		return Float(float64(v.num))
	case k == KindUUID && textual:
		if v.kind == KindBytes && len(v.str) == 16 {
			return Text(FormatUUID([16]byte([]byte(v.str))))
		}
		if dashed, ok := ParseUUID(v.str); ok {
			return Text(dashed)
		}
		return Text(v.str)
	case k == KindText && v.kind == KindBytes:
		return Text(v.str)
	}
	return v
}
