package sqldb

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/djedge/djedge/djsession/query"
)

// mysqlArgument is a value as the driver takes it. Times go as text in UTC,
// which is what Django sends.
func mysqlArgument(v query.Value) any {
	switch v.Kind() {
	case query.KindBool:
		return query.MySQL.Bool(v.Bool()).Int()
	case query.KindTime:
		return query.MySQL.Time(v.Time()).Text()
	}
	return argument(v)
}

// mysqlValue is a cell as the driver hands it over: text as bytes, and bools,
// which are tinyint(1), as numbers.
func mysqlValue(cell any, column string) query.Value {
	switch c := cell.(type) {
	case int64:
		if mysqlKind(column) == query.KindBool && (c == 0 || c == 1) {
			return query.Bool(c == 1)
		}
		return query.Int(c)
	case uint64:
		if c > math.MaxInt64 {
			return query.Text(strconv.FormatUint(c, 10))
		}
		return query.Int(int64(c))
	case float32:
		return query.Float(float64(c))
	case []byte:
		if mysqlKind(column) == query.KindBytes {
			return query.Bytes(string(c))
		}
		return query.Text(string(c))
	case time.Time:
		switch {
		case c.IsZero(): // 0000-00-00
			return query.Null()
		case column == "DATE":
			return query.Text(c.Format(time.DateOnly))
		}
		return query.Time(c)
	}
	return value(cell, column)
}

// mysqlKind is what a column holds, by the type's name that the driver gives
// it. Of the types that Django makes, only a BooleanField's is a tinyint. A
// type that is not known is text, MariaDB's uuid and inet6 among them.
func mysqlKind(column string) query.Kind {
	switch strings.TrimPrefix(column, "UNSIGNED ") {
	case "TINYINT":
		if column == "TINYINT" {
			return query.KindBool
		}
		return query.KindInt
	case "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "YEAR":
		return query.KindInt
	case "FLOAT", "DOUBLE":
		return query.KindFloat
	case "DATETIME", "TIMESTAMP":
		return query.KindTime
	case "BLOB", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB", "BINARY", "VARBINARY", "BIT", "GEOMETRY", "VECTOR":
		return query.KindBytes
	case "NULL":
		return query.KindNull
	}
	return query.KindText
}

// mysqlCause is err without what it may tell of values and passwords, and
// makes a broken uniqueness rule recognisable.
func mysqlCause(err error) error {
	var server *mysql.MySQLError
	var dial *net.OpError
	var network net.Error
	switch {
	case errors.As(err, &server):
		return mysqlServerError(server)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &dial) && dial.Op == "dial":
		return dial // names the address
	case errors.Is(err, mysql.ErrNoTLS), errors.Is(err, sql.ErrConnDone):
		return err
	case errors.As(err, &network), errors.Is(err, sqldriver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection was lost")
	}
	if text := err.Error(); strings.HasPrefix(text, "tls: ") || strings.HasPrefix(text, "x509: ") {
		return err
	}
	return fmt.Errorf("the driver failed (%T)", err)
}

func mysqlServerError(e *mysql.MySQLError) error {
	state := string(e.SQLState[:])
	switch {
	case e.Number == 1062, e.Number == 1586: // ER_DUP_ENTRY, ER_DUP_ENTRY_WITH_KEY_NAME
		return query.ErrDuplicate
	case strings.HasPrefix(state, "22"), strings.HasPrefix(state, "23"), e.Number == 1366, e.Number == 1292:
		return fmt.Errorf("the data was refused (error %d)", e.Number) // these messages quote values
	}
	return fmt.Errorf("%s (error %d)", e.Message, e.Number)
}
