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

// encodeMe writes {"user":{…},"session":{…}}; session may be nil. The user has
// every column but the password, in the order of Django's model.
func (s *server) encodeMe(who, session *abi.Result) []byte {
	var b bytes.Buffer
	b.WriteString(`{"user":{`)
	first := true
	member := func(key string) {
		if !first {
			b.WriteByte(',')
		}
		first = false
		b.Write(jsonString(key))
		b.WriteByte(':')
	}
	for i, value := range who.User {
		// The rules send the password as null; it is not shown even so.
		if i < len(s.columns) && s.columns[i].Name != "password" {
			member(s.columns[i].Name)
			writeValue(&b, value)
		}
	}
	b.WriteString(`},"session":{`)
	first = true
	if session != nil {
		for _, item := range session.Session {
			if !slices.Contains(s.hidden, item.Key) {
				member(item.Key)
				b.WriteString(strictJSON(item.Raw))
			}
		}
	}
	b.WriteString(`}}`)
	return b.Bytes()
}

// writeValue writes one column.
func writeValue(b *bytes.Buffer, v query.Value) {
	switch v.Kind() {
	case query.KindBool:
		b.WriteString(strconv.FormatBool(v.Bool()))
	case query.KindInt:
		b.WriteString(strconv.FormatInt(v.Int(), 10))
	case query.KindFloat:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			b.WriteString("null")
		} else {
			text, _ := json.Marshal(f)
			b.Write(text)
		}
	case query.KindText:
		b.Write(jsonString(v.Text()))
	case query.KindBytes:
		b.Write(jsonString(base64.StdEncoding.EncodeToString([]byte(v.Text()))))
	case query.KindTime:
		b.Write(jsonString(v.Time().Format(rfc3339Micro)))
	default:
		b.WriteString("null")
	}
}

// jsonString is s as JSON, without escaping < and > as for HTML.
func jsonString(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // a string cannot fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// message is the body of a refusal.
func message(text string) []byte {
	return append(append([]byte(`{"message":`), jsonString(text)...), '}')
}

// strictJSON is raw as it is, but for NaN and the infinities, which Python
// writes and no browser reads: they become null, as in JavaScript.
func strictJSON(raw string) string {
	if json.Valid([]byte(raw)) {
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
