package postgres

import (
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/djedge/djedge/djsession/query"
)

// arguments are values as pgx takes them. Text is sent as text for a
// parameter of any type, so an id or a UUID may come as either.
func arguments(values []query.Value) []any {
	args := make([]any, len(values))
	for i, v := range values {
		switch v.Kind() {
		case query.KindBool:
			args[i] = v.Bool()
		case query.KindInt:
			args[i] = v.Int()
		case query.KindFloat:
			args[i] = v.Float()
		case query.KindText:
			args[i] = v.Text()
		case query.KindBytes:
			args[i] = []byte(v.Text())
		case query.KindTime:
			args[i] = v.Time()
		}
	}
	return args
}

// kind is what a column of a type holds: KindNull for "as it comes", which is
// text for all types that are not named here.
func kind(oid uint32) query.Kind {
	switch oid {
	case pgtype.BoolOID:
		return query.KindBool
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID:
		return query.KindInt
	case pgtype.Float4OID, pgtype.Float8OID:
		return query.KindFloat
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.DateOID,
		pgtype.TimeOID, pgtype.NumericOID, pgtype.JSONOID, pgtype.JSONBOID:
		return query.KindText
	case pgtype.UUIDOID:
		return query.KindUUID
	case pgtype.ByteaOID:
		return query.KindBytes
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		return query.KindTime
	}
	return query.KindNull
}

// value reads a cell. The types of Django's own tables are read here, from
// PostgreSQL's binary format and without reflection; the others by pgx.
func value(types *pgtype.Map, oid uint32, format int16, raw []byte) (query.Value, error) {
	if raw == nil {
		return query.Null(), nil
	}
	if format == pgtype.BinaryFormatCode {
		switch oid {
		case pgtype.BoolOID:
			if len(raw) == 1 {
				return query.Bool(raw[0] != 0), nil
			}
		case pgtype.Int4OID:
			if len(raw) == 4 {
				return query.Int(int64(int32(binary.BigEndian.Uint32(raw)))), nil
			}
		case pgtype.Int8OID:
			if len(raw) == 8 {
				return query.Int(int64(binary.BigEndian.Uint64(raw))), nil
			}
		case pgtype.TimestamptzOID, pgtype.TimestampOID:
			if len(raw) == 8 {
				return timestamp(int64(binary.BigEndian.Uint64(raw))), nil
			}
		case pgtype.UUIDOID:
			if len(raw) == 16 {
				return query.Text(query.FormatUUID([16]byte(raw))), nil
			}
		}
	}
	if isText(oid) {
		return query.Text(string(raw)), nil
	}
	t, ok := types.TypeForOID(oid)
	if !ok {
		return query.Text(string(raw)), nil // pgx asks for text: citext, enums
	}
	v, err := t.Codec.DecodeDatabaseSQLValue(types, oid, format, raw)
	if err != nil {
		return query.Value{}, fmt.Errorf("type %s cannot be read", t.Name)
	}
	return other(v, oid), nil
}

func other(v driver.Value, oid uint32) query.Value {
	switch v := v.(type) {
	case nil:
		return query.Null()
	case bool:
		return query.Bool(v)
	case int64:
		return query.Int(v)
	case float64:
		return query.Float(v)
	case string:
		if oid == pgtype.TimeOID {
			v = strings.TrimSuffix(v, ".000000") // as PostgreSQL itself and Python write it
		}
		return query.Text(v)
	case []byte:
		if kind(oid) == query.KindBytes {
			return query.Bytes(string(v))
		}
		return query.Text(string(v))
	case time.Time:
		if oid == pgtype.DateOID {
			return query.Text(v.Format(time.DateOnly))
		}
		return query.Time(v)
	}
	return query.Text(fmt.Sprint(v))
}

// since1970 is PostgreSQL's epoch, 2000, in microseconds.
const since1970 = 946_684_800 * 1_000_000

// timestamp is PostgreSQL's microseconds since 2000.
func timestamp(micro int64) query.Value {
	switch micro {
	case math.MaxInt64:
		return query.Text("infinity")
	case math.MinInt64:
		return query.Text("-infinity")
	}
	return query.FromBits(query.KindTime, micro+since1970)
}
