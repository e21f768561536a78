package query_test

import (
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
)

// Drivers hand over one thing in several forms: a bool is a number in SQLite,
// a word in PostgreSQL's text format and a byte in MySQL's BIT(1).
func TestCoerce(t *testing.T) {
	at := time.Date(2026, 11, 23, 3, 11, 2, 606468000, time.UTC)
	for _, c := range []struct {
		v    query.Value
		kind query.Kind
		want query.Value
	}{
		{query.Int(1), query.KindBool, query.Bool(true)},
		{query.Int(0), query.KindBool, query.Bool(false)},
		{query.Text("t"), query.KindBool, query.Bool(true)},
		{query.Text("f"), query.KindBool, query.Bool(false)},
		{query.Text("1"), query.KindBool, query.Bool(true)},
		{query.Text("0"), query.KindBool, query.Bool(false)},
		{query.Text("true"), query.KindBool, query.Bool(true)},
		{query.Bytes("false"), query.KindBool, query.Bool(false)},
		{query.Bytes("\x01"), query.KindBool, query.Bool(true)},
		{query.Bytes("\x00"), query.KindBool, query.Bool(false)},
		{query.Text("yes"), query.KindBool, query.Text("yes")},
		{query.Text(""), query.KindBool, query.Text("")},
		{query.Int(3), query.KindFloat, query.Float(3)},
		{query.Text("42"), query.KindInt, query.Int(42)},
		{query.Bool(true), query.KindInt, query.Int(1)},
		{query.Bytes("a"), query.KindText, query.Text("a")},
		{query.Text("2026-11-23 03:11:02.606468"), query.KindTime, query.Time(at)},
		{query.Text("2026-11-23 03:11:02"), query.KindTime, query.Time(at.Truncate(time.Second))},
		{query.Text("0f8fad5bd9cb469fa16570867728950e"), query.KindUUID, query.Text("0f8fad5b-d9cb-469f-a165-70867728950e")},
		{query.Bytes("\x0f\x8f\xad\x5b\xd9\xcb\x46\x9f\xa1\x65\x70\x86\x77\x28\x95\x0e"), query.KindUUID, query.Text("0f8fad5b-d9cb-469f-a165-70867728950e")},
		{query.Bytes("0F8FAD5B-d9cb-469f-a165-70867728950e"), query.KindUUID, query.Text("0f8fad5b-d9cb-469f-a165-70867728950e")},
		{query.Text("no uuid"), query.KindUUID, query.Text("no uuid")},
		{query.Null(), query.KindBool, query.Null()},
	} {
		if got := query.Coerce(c.v, c.kind); got != c.want {
			t.Errorf("%#v as kind %d is %#v, want %#v", c.v, c.kind, got, c.want)
		}
	}
}

// What str(uuid.UUID(text)) answers in Python 3.11; "" where it raises.
func TestParseUUID(t *testing.T) {
	const dashed = "0f8fad5b-d9cb-469f-a165-70867728950e"
	for text, want := range map[string]string{
		dashed:                                          dashed,
		"0F8FAD5B-D9CB-469F-A165-70867728950E":          dashed,
		"0f8fad5bd9cb469fa16570867728950e":              dashed,
		"{0f8fad5b-d9cb-469f-a165-70867728950e}":        dashed,
		"urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e": dashed,
		"uuid:{0f8fad5b-d9cb-469f-a165-70867728950e}":   dashed,
		"0-f-8fad5bd9cb469fa16570867728950e":            dashed,
		"}}0f8fad5bd9cb469fa16570867728950e{":           dashed,
		"URN:uuid:0f8fad5b-d9cb-469f-a165-70867728950e": "",
		"0f8fad5b-d9cb-469f-a165-70867728950":           "",
		"0f8fad5b-d9cb-469f-a165-70867728950e0":         "",
		"gf8fad5b-d9cb-469f-a165-70867728950e":          "",
		"":                                              "",
		"1":                                             "",
		"0f8fad5b-d9cb-469f-a165-70867728950\x00":       "",
	} {
		got, ok := query.ParseUUID(text)
		if got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v, want %q", text, got, ok, want)
		}
	}
	for d, want := range map[query.Dialect]string{
		query.PostgreSQL: dashed, query.SQLite: "0f8fad5bd9cb469fa16570867728950e", query.MySQL: "0f8fad5bd9cb469fa16570867728950e",
	} {
		if got := d.UUID(dashed); got != query.Text(want) {
			t.Errorf("%v stores %q", d, got.Text())
		}
	}
}
