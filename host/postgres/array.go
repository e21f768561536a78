package postgres

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/djedge/djedge/djsession/query"
)

// maxArgument bounds the text of an argument in a batch.
const maxArgument = 1024

// encode appends v as an element of an array: its length and PostgreSQL's
// binary form. What that type does not hold for certain is not ok, and asked
// alone, so that it cannot fail a batch.
func encode(b []byte, oid uint32, v query.Value) ([]byte, bool) {
	switch oid {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID:
		text := v.Text()
		if v.Kind() != query.KindText || len(text) > maxArgument || strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text) {
			return b, false
		}
		return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...), true
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID:
		n, ok := integer(v)
		switch {
		case !ok:
		case oid == pgtype.Int8OID:
			return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), uint64(n)), true
		case oid == pgtype.Int4OID && n == int64(int32(n)):
			return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, 4), uint32(n)), true
		case oid == pgtype.Int2OID && n == int64(int16(n)):
			return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(b, 2), uint16(n)), true
		}
	case pgtype.UUIDOID:
		if v.Kind() != query.KindText {
			return b, false
		}
		var id pgtype.UUID
		if dashed, ok := query.ParseUUID(v.Text()); !ok || dashed != v.Text() || id.Scan(dashed) != nil {
			return b, false
		}
		return append(binary.BigEndian.AppendUint32(b, 16), id.Bytes[:]...), true
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		// PostgreSQL's years are -4713 to 294276.
		const year1, year10000 = -62_135_596_800_000_000, 253_402_300_800_000_000
		if v.Kind() == query.KindTime && v.Bits() >= year1 && v.Bits() < year10000 {
			return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), uint64(v.Bits()-since1970)), true
		}
	case pgtype.BoolOID:
		if v.Kind() == query.KindBool {
			return append(binary.BigEndian.AppendUint32(b, 1), byte(v.Bits())), true
		}
	}
	return b, false
}

// integer reads a number, which may come as text.
func integer(v query.Value) (int64, bool) {
	switch v.Kind() {
	case query.KindInt:
		return v.Int(), true
	case query.KindText:
		n, err := strconv.ParseInt(v.Text(), 10, 64)
		return n, err == nil && strconv.FormatInt(n, 10) == v.Text()
	}
	return 0, false
}

// arrayHeader is the size of what comes before the elements of an array.
const arrayHeader = 20

// array begins an array: one dimension, no nulls, from 1 on. See [count].
func array(b []byte, oid uint32) []byte {
	for _, v := range [...]uint32{1, 0, oid, 0, 1} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// count says how many elements the array has.
func count(array []byte, n int) { binary.BigEndian.PutUint32(array[12:], uint32(n)) }
