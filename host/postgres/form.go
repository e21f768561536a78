package postgres

import (
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgtype"
)

// form is a statement that may be asked for many requests at once.
type form struct {
	sql     string       // as the rules wrote it, for one request
	batched string       // the same for many: see [rewrite]
	name    string       // under which both are prepared, with a letter before it
	oids    []uint32     // types of the parameters
	arrays  []uint32     // types of arrays of them
	plain   []int16      // formats of the columns
	many    []int16      // the same of batched, whose first column is the request's number
	failed  atomic.Int32 // batches, before one that was answered
	worked  atomic.Bool
}

// elements are the types that a parameter may have, with the type of an array
// of them and how PostgreSQL calls them.
var elements = map[uint32]struct {
	array uint32
	name  string
}{
	pgtype.BoolOID:        {pgtype.BoolArrayOID, "bool"},
	pgtype.Int2OID:        {pgtype.Int2ArrayOID, "int2"},
	pgtype.Int4OID:        {pgtype.Int4ArrayOID, "int4"},
	pgtype.Int8OID:        {pgtype.Int8ArrayOID, "int8"},
	pgtype.TextOID:        {pgtype.TextArrayOID, "text"},
	pgtype.VarcharOID:     {pgtype.VarcharArrayOID, "varchar"},
	pgtype.BPCharOID:      {pgtype.BPCharArrayOID, "bpchar"},
	pgtype.UUIDOID:        {pgtype.UUIDArrayOID, "uuid"},
	pgtype.TimestampOID:   {pgtype.TimestampArrayOID, "timestamp"},
	pgtype.TimestamptzOID: {pgtype.TimestamptzArrayOID, "timestamptz"},
}

// words that a statement may hold outside of quotes, beside aliases of one
// letter. None of them locks, writes, orders, or calls what may.
const words = " SELECT FROM WHERE AND CAST AS bigint LIMIT INNER JOIN ON IN "

// split takes a statement apart at its parameters: sql is parts[0], parameter
// numbers[0], parts[1] and so on. It is not ok for any text but that of a simple
// SELECT of quoted names by parameters, which can be asked inside of another one
// and for many requests at once.
func split(sql string) (parts []string, numbers []int, ok bool) {
	start, last := 0, "" // last is the token before
	for i := 0; i < len(sql); {
		c := sql[i]
		end := i + 1
		switch {
		case c == ' ':
			i++
			continue
		case c == '"':
			n := strings.IndexByte(sql[end:], '"')
			if n < 0 {
				return nil, nil, false
			}
			end += n + 1
		case c == '$':
			for end < len(sql) && digit(sql[end]) {
				end++
			}
			n, err := strconv.Atoi(sql[i+1 : end])
			if err != nil || n < 1 || n > len(numbers)+1 {
				return nil, nil, false
			}
			parts, numbers, start = append(parts, sql[start:i]), append(numbers, n), end
		case letter(c):
			for end < len(sql) && (letter(sql[end]) || digit(sql[end])) {
				end++
			}
			if end > i+1 && !strings.Contains(words, " "+sql[i:end]+" ") {
				return nil, nil, false
			}
		case c == '(' && last != "CAST" && last != "IN", // the name of a function
			!digit(c) && !strings.ContainsRune(",.=<>()", rune(c)):
			return nil, nil, false
		}
		last = sql[i:end]
		i = end
	}
	return append(parts, sql[start:]), numbers, strings.HasPrefix(sql, "SELECT ") && len(numbers) > 0
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func digit(c byte) bool { return c >= '0' && c <= '9' }

// rewrite is the statement for many requests, whose parameters are arrays. It
// answers rows of the number of a request, from 1 on, and what sql selects.
//
// OFFSET 0 makes PostgreSQL plan the inner statement as it plans sql alone,
// instead of joining whole tables when they seem small; and the arrays, being
// selected, hide their lengths, so that it keeps one plan instead of making a
// plan for each batch.
func rewrite(sql string, oids []uint32) (string, bool) {
	parts, numbers, ok := split(sql)
	if !ok {
		return "", false
	}
	var arrays, columns, inner strings.Builder
	for i, oid := range oids {
		element, ok := elements[oid]
		if !ok {
			return "", false
		}
		n := strconv.Itoa(i + 1)
		arrays.WriteString("(SELECT $" + n + "::" + element.name + "[]), ")
		columns.WriteString("p" + n + ", ")
	}
	for i, n := range numbers {
		if n > len(oids) {
			return "", false
		}
		inner.WriteString(parts[i] + "djedge_batch.p" + strconv.Itoa(n))
	}
	inner.WriteString(parts[len(numbers)])
	return "SELECT djedge_batch.n, djedge_row.* FROM unnest(" + strings.TrimSuffix(arrays.String(), ", ") +
		") WITH ORDINALITY AS djedge_batch(" + columns.String() + "n) CROSS JOIN LATERAL (" + inner.String() + " OFFSET 0) AS djedge_row", true
}
