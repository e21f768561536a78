package djuser

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
)

// maxTextKey is how many characters a primary key of text may have.
const maxTextKey = 255

// parseID is the primary key's to_python for text: an integer as Python's int()
// reads it (" 1 ", "+1", "01" and "1_0" are integers), a UUID in any form that
// [query.ParseUUID] reads or, for a key of another kind, the text itself. What
// no row can have is refused: PostgreSQL would fail.
func (u *Users) parseID(text string) (query.Value, bool) {
	switch u.columns.all[u.columns.pk].Kind {
	case query.KindInt:
		i, ok := pyInt(text)
		return query.Int(i), ok
	case query.KindUUID:
		id, ok := query.ParseUUID(text)
		return query.Text(id), ok
	case query.KindNull:
		if i, ok := pyInt(text); ok {
			return query.Int(i), true
		}
	}
	ok := text != "" && plausible(text, maxTextKey)
	return query.Text(text), ok
}

// parseHint is parseID of a key as it comes from a row.
func (u *Users) parseHint(hint query.Value) (query.Value, bool) {
	if hint.Kind() == query.KindInt && u.columns.all[u.columns.pk].Kind == query.KindInt {
		return hint, true // without a detour by its text
	}
	return u.parseID(idText(hint))
}

// stored is a primary key as the database keeps it, for an argument.
func (u *Users) stored(pk query.Value) query.Value {
	if u.columns.all[u.columns.pk].Kind == query.KindUUID {
		return u.settings.Dialect.UUID(pk.Text())
	}
	return pk
}

// plausible reports whether a text column of at most max characters can hold
// s: PostgreSQL refuses NUL and bytes that are not UTF-8 with an error.
func plausible(s string, max int) bool {
	return len(s) <= max*utf8.UTFMax && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 && utf8.RuneCountInString(s) <= max
}

// idText is str(pk), as the session keeps it; "" for what is neither a number nor text.
func idText(pk query.Value) string {
	switch pk.Kind() {
	case query.KindInt:
		return strconv.FormatInt(pk.Int(), 10)
	case query.KindText, query.KindBytes:
		return pk.Text()
	}
	return ""
}

// sessionID is the primary key that a session claims. Django stores it as
// text; an integer, as older tools wrote it, is taken too.
func (u *Users) sessionID(sess *djsession.Session) (pk query.Value, ok bool) {
	if text, isText := sess.Text(u.settings.SessionKeys.UserID); isText {
		return u.parseID(text)
	}
	raw, _ := sess.Get(u.settings.SessionKeys.UserID)
	if strings.Trim(raw, "-0123456789") != "" {
		return query.Value{}, false // null, true, 1.0, a list
	}
	return u.parseID(raw)
}

// pyInt is Python's int(str) within 64 bits: white space around, a sign, and
// decimal digits of any script with single underscores between them.
func pyInt(s string) (int64, bool) {
	s = strings.TrimSpace(s) // which leaves U+001C to U+001F, as int() does
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	if len(s) > 4300 { // sys.int_info.default_max_str_digits
		return 0, false
	}
	var n uint64
	digit := false // the last character was one
	for _, r := range s {
		d := digitValue(r)
		if r == '_' && digit {
			digit = false
			continue
		}
		if d < 0 || n > (math.MaxInt64-uint64(d))/10 {
			return 0, false
		}
		n, digit = n*10+uint64(d), true
	}
	if !digit {
		return 0, false
	}
	if negative {
		return -int64(n), true
	}
	return int64(n), true
}

// digitValue is the value of a decimal digit, or -1. Unicode keeps the ten
// digits of a script together, so their place in the range tells it.
func digitValue(r rune) int {
	if r < 0x80 {
		if r >= '0' && r <= '9' {
			return int(r - '0')
		}
		return -1
	}
	for _, rg := range unicode.Nd.R16 {
		if rune(rg.Lo) <= r && r <= rune(rg.Hi) && rg.Stride == 1 {
			return int(r-rune(rg.Lo)) % 10
		}
	}
	for _, rg := range unicode.Nd.R32 {
		if rune(rg.Lo) <= r && r <= rune(rg.Hi) && rg.Stride == 1 {
			return int(r-rune(rg.Lo)) % 10
		}
	}
	return -1
}
