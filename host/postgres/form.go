package postgres

import (
	"encoding/binary"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/djedge/djedge/djsession/query"
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

// maxForms is a bound in case a caller builds SQL from its data; the rules
// have about six.
const maxForms = 64

// forms are those that were asked for, by their SQL. A nil form is of a
// statement that is asked alone.
type forms struct {
	mu   sync.RWMutex
	made map[string]*form
	next int
}

func (f *forms) get(sql string) (made *form, known bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	made, known = f.made[sql]
	return made, known || len(f.made) >= maxForms
}

func (f *forms) put(sql string, made *form) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made == nil {
		f.made = map[string]*form{}
	}
	if f.made[sql] == nil && len(f.made) < maxForms {
		f.made[sql] = made
	}
}

// number names the next form: a name is never used for two.
func (f *forms) number() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	return "djedge_" + strconv.Itoa(f.next)
}

// forget is for a form that failed. A migration may have changed its types,
// which are asked for again; one that never works is given up.
func (f *forms) forget(made *form) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.made[made.sql] != made:
	case made.worked.Load():
		delete(f.made, made.sql)
	case made.failed.Add(1) == 3:
		f.made[made.sql] = nil
	}
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
	start := 0
	for i := 0; i < len(sql); {
		c := sql[i]
		end := i + 1
		switch {
		case c == '"':
			n := strings.IndexByte(sql[end:], '"')
			if n < 0 {
				return nil, nil, false
			}
			end += n + 1
		case c == '$':
			for end < len(sql) && sql[end] >= '0' && sql[end] <= '9' {
				end++
			}
			n, err := strconv.Atoi(sql[i+1 : end])
			if err != nil || n < 1 || n > len(numbers)+1 {
				return nil, nil, false
			}
			parts, numbers, start = append(parts, sql[start:i]), append(numbers, n), end
		case letter(c):
			for end < len(sql) && letter(sql[end]) {
				end++
			}
			alias := end == i+1 && (end == len(sql) || sql[end] != '(')
			if !alias && !strings.Contains(words, " "+sql[i:end]+" ") || i == 0 && sql[:end] != "SELECT" {
				return nil, nil, false
			}
		case !strings.ContainsRune(" ,.=<>()0123456789", rune(c)):
			return nil, nil, false
		}
		i = end
	}
	return append(parts, sql[start:]), numbers, strings.HasPrefix(sql, "SELECT ") && len(numbers) > 0
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

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
