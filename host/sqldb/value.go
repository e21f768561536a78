package sqldb

import (
	"fmt"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession/query"
)

// argument is a value as the driver takes it. Bools and times go as Django
// stores them in SQLite.
func argument(v query.Value) any {
	switch v.Kind() {
	case query.KindBool:
		return query.SQLite.Bool(v.Bool()).Int()
	case query.KindInt:
		return v.Int()
	case query.KindFloat:
		return v.Float()
	case query.KindText:
		return v.Text()
	case query.KindBytes:
		return []byte(v.Text())
	case query.KindTime:
		return query.SQLite.Time(v.Time()).Text()
	}
	return nil
}

// value is a cell as the driver hands it over. The driver reads the text of a
// column declared date or datetime; a date alone stays text, as it is in
// other databases.
func value(cell any, declared string) query.Value {
	switch c := cell.(type) {
	case nil:
		return query.Null()
	case int64:
		return query.Int(c)
	case float64:
		return query.Float(c)
	case bool:
		return query.Bool(c)
	case string:
		return query.Text(c)
	case []byte:
		return query.Bytes(string(c))
	case time.Time:
		if declared == "DATE" {
			return query.Text(c.Format(time.DateOnly))
		}
		return query.Time(c)
	}
	return query.Text(fmt.Sprint(cell))
}

// kind is what a column holds, by its declared type as Django declares its
// fields for SQLite: char(32) is a UUIDField, and nothing else.
func kind(declared string) query.Kind {
	if strings.EqualFold(declared, "char(32)") {
		return query.KindUUID
	}
	name, _, _ := strings.Cut(strings.ToUpper(declared), "(")
	switch strings.TrimSpace(name) {
	case "BOOL", "BOOLEAN":
		return query.KindBool
	case "INTEGER", "INT", "BIGINT", "SMALLINT", "INTEGER UNSIGNED", "BIGINT UNSIGNED", "SMALLINT UNSIGNED":
		return query.KindInt
	case "REAL", "DOUBLE", "FLOAT":
		return query.KindFloat
	case "DATETIME", "TIMESTAMP":
		return query.KindTime
	case "TEXT", "VARCHAR", "CHAR", "DATE", "TIME":
		return query.KindText
	case "BLOB":
		return query.KindBytes
	}
	return query.KindNull
}
