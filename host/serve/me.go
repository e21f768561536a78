package serve

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/wasm/abi"
)

// rfc3339Micro is RFC 3339 with Django's resolution; times are in UTC.
const rfc3339Micro = "2006-01-02T15:04:05.000000Z07:00"

// appendMe appends {"user":{…},"session":{…}}. The user has every column but the
// password, in the order of Django's model.
func (s *server) appendMe(b []byte, visit *abi.Result) []byte {
	b = append(b, `{"user":{`...)
	empty := len(b)
	for i, value := range visit.User {
		// The rules send the password as null; it is not shown even so.
		if i < len(s.members) && s.members[i] != "" {
			if len(b) > empty {
				b = append(b, ',')
			}
			b = appendValue(append(b, s.members[i]...), value)
		}
	}
	b = append(b, `},"session":{`...)
	empty = len(b)
	for i := range visit.Session {
		item := &visit.Session[i]
		if slices.Contains(s.hidden, item.Key) {
			continue
		}
		if len(b) > empty {
			b = append(b, ',')
		}
		b = append(appendString(b, item.Key), ':')
		b = append(b, strictJSON(item.Raw)...)
	}
	return append(b, `}}`...)
}

// members is what comes before the value of each column, "" for the password.
func members(columns []query.Column) []string {
	all := make([]string, len(columns))
	for i, column := range columns {
		if column.Name != "password" {
			all[i] = string(appendString(nil, column.Name)) + ":"
		}
	}
	return all
}

// appendValue appends one column.
func appendValue(b []byte, v query.Value) []byte {
	switch v.Kind() {
	case query.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case query.KindInt:
		return strconv.AppendInt(b, v.Int(), 10)
	case query.KindFloat:
		if f := v.Float(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			text, _ := json.Marshal(f)
			return append(b, text...)
		}
	case query.KindText:
		return appendString(b, v.Text())
	case query.KindBytes:
		b = base64.StdEncoding.AppendEncode(append(b, '"'), []byte(v.Text()))
		return append(b, '"')
	case query.KindTime:
		return append(v.Time().AppendFormat(append(b, '"'), rfc3339Micro), '"')
	}
	return append(b, "null"...)
}

// appendString appends s as JSON, without escaping < and > as for HTML.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(b, escaped(s)...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func escaped(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // a string cannot fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// message is the body of a refusal.
func message(text string) []byte {
	return append(appendString([]byte(`{"message":`), text), '}')
}

// strictJSON is raw as it is, but for NaN and the infinities, which Python
// writes and no browser reads: they become null, as in JavaScript.
func strictJSON(raw string) string {
	if isPlain(raw) || json.Valid([]byte(raw)) {
		return raw
	}
	var b strings.Builder
	for i := 0; i < len(raw); {
		switch rest := raw[i:]; {
		case rest[0] == '"':
			n := 1
			for n < len(rest) && rest[n] != '"' {
				if rest[n] == '\\' {
					n++
				}
				n++
			}
			n = min(n+1, len(rest))
			b.WriteString(rest[:n])
			i += n
		case strings.HasPrefix(rest, "NaN"):
			b.WriteString("null")
			i += len("NaN")
		case strings.HasPrefix(rest, "Infinity"):
			b.WriteString("null")
			i += len("Infinity")
		case strings.HasPrefix(rest, "-Infinity"):
			b.WriteString("null")
			i += len("-Infinity")
		default:
			b.WriteByte(rest[0])
			i++
		}
	}
	if !json.Valid([]byte(b.String())) {
		return "null"
	}
	return b.String()
}

// isPlain reports a string of ASCII without escapes, which most values are.
func isPlain(raw string) bool {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return false
	}
	for i := 1; i < len(raw)-1; i++ {
		if c := raw[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
