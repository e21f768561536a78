package djsession_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
)

var start = time.Date(2026, 1, 15, 12, 0, 0, 250000000, time.UTC)

var errDown = errors.New("the database is down")

// fake is a host with a table of sessions in memory.
type fake struct {
	t       *testing.T
	now     time.Time
	random  func(n int) ([]byte, error)
	rows    map[string]row
	queries []query.Statement
	fail    map[string]error // by the statement's name
	loose   bool             // compares keys as MySQL's collations do
	log     []string         // statements and operations on the storage, in order
	stored  map[string]entry // of the cache or the folder
	broken  map[djsession.StorageKind]error
	after   map[string]func() // once, after the first statement or operation of that name
}

// entry is a value in the cache, or a file.
type entry struct {
	djsession.StorageResult
	expires time.Time
}

type row struct {
	data    string
	expires query.Value
}

func newFake(t *testing.T) *fake {
	next := byte(0)
	return &fake{t: t, now: start, rows: map[string]row{}, fail: map[string]error{}, stored: map[string]entry{},
		broken: map[djsession.StorageKind]error{}, after: map[string]func(){}, random: func(n int) ([]byte, error) {
			next++
			b := make([]byte, n)
			for i := range b {
				b[i] = next + byte(i)
			}
			return b, nil
		}}
}

func (f *fake) Now() time.Time { return f.now }

func (f *fake) Random(_ context.Context, n int) ([]byte, error) { return f.random(n) }

func (f *fake) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	f.t.Helper()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.queries = append(f.queries, statements...)
	var results []query.Result
	for _, s := range statements {
		f.log = append(f.log, strings.TrimPrefix(s.Name, "session_"))
		if err := f.fail[s.Name]; err != nil {
			return nil, err
		}
		if n := strings.Count(s.SQL, "?") + strings.Count(s.SQL, "$"); n != len(s.Args) {
			f.t.Errorf("%s has %d arguments for %q", s.Name, len(s.Args), s.SQL)
		}
		for _, a := range s.Args {
			if strings.Contains(a.Text(), "\x00") {
				f.t.Errorf("%s was asked with NUL", s.Name)
			}
		}
		result, err := f.run(s)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
		f.happened(s.Name)
	}
	return results, nil
}

// happened runs what another request does right after.
func (f *fake) happened(name string) {
	if do := f.after[name]; do != nil {
		delete(f.after, name)
		do()
	}
}

func (f *fake) Storage(ctx context.Context, op djsession.StorageOp) (result djsession.StorageResult, err error) {
	if err := ctx.Err(); err != nil {
		return result, err
	}
	f.log = append(f.log, op.Kind.String())
	if err := f.broken[op.Kind]; err != nil {
		return result, err
	}
	e, there := f.stored[op.Key]
	if !e.expires.IsZero() && !e.expires.After(f.now) {
		delete(f.stored, op.Key)
		there = false
	}
	value := entry{StorageResult: djsession.StorageResult{Found: true, Value: op.Value, Flags: op.Flags}}
	switch op.Kind {
	case djsession.CacheGet, djsession.FileGet:
		if there {
			result = e.StorageResult
		}
	case djsession.CacheSet, djsession.CacheAdd:
		value.expires = f.now.Add(op.TTL)
		if result.Found = op.Kind == djsession.CacheSet || !there; result.Found {
			f.stored[op.Key] = value
			if op.TTL <= 0 {
				delete(f.stored, op.Key)
			}
		}
	case djsession.FileCreate, djsession.FileReplace:
		value.Modified = f.now
		if result.Found = there == (op.Kind == djsession.FileReplace); result.Found {
			f.stored[op.Key] = value
		}
	case djsession.FileList:
		names := slices.Sorted(maps.Keys(f.stored))
		names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, op.Key) || name <= op.Value })
		for _, name := range names[:min(len(names), djsession.ListLength)] {
			result.Value += name + "\n"
		}
	case djsession.CacheDelete, djsession.FileDelete:
		delete(f.stored, op.Key)
		result.Found = there
	}
	f.happened(op.Kind.String())
	return result, nil
}

// did is what was asked for since the last call.
func (f *fake) did() string {
	log := strings.Join(f.log, " ")
	f.log = nil
	return log
}

func (f *fake) run(s query.Statement) (result query.Result, err error) {
	arg := func(i int) string { return s.Args[i].Text() }
	found := func(key string) (string, bool) {
		for k := range f.rows {
			if k == key || f.loose && strings.EqualFold(k, strings.TrimRight(key, " ")) {
				return k, true
			}
		}
		return "", false
	}
	switch s.Name {
	case "session_load":
		if key, ok := found(arg(0)); ok && after(f.rows[key].expires, s.Args[1]) {
			result.Rows = [][]query.Value{{query.Text(key), query.Text(f.rows[key].data)}}
			if strings.Count(s.SQL, "expire_date") > 1 {
				result.Rows[0] = append(result.Rows[0], f.rows[key].expires)
			}
		}
	case "session_insert":
		if _, ok := f.rows[arg(0)]; ok {
			return result, fmt.Errorf("insert: %w", query.ErrDuplicate)
		}
		f.rows[arg(0)] = row{arg(1), s.Args[2]}
		result.Affected = 1
	case "session_update":
		if key, ok := found(arg(2)); ok {
			f.rows[key] = row{arg(0), s.Args[1]}
			result.Affected = 1
		}
	case "session_delete":
		if key, ok := found(arg(0)); ok {
			delete(f.rows, key)
			result.Affected = 1
		}
	case "session_clear_expired":
		for key, row := range f.rows {
			if after(s.Args[0], row.expires) {
				delete(f.rows, key)
				result.Affected++
			}
		}
	default:
		f.t.Errorf("unknown statement %s", s.Name)
	}
	return result, nil
}

// after compares times as the database would: text by text.
func after(a, b query.Value) bool {
	if a.Kind() == query.KindTime {
		return a.Time().After(b.Time())
	}
	return a.Text() > b.Text()
}

// asked are the names of the statements since the last call.
func (f *fake) asked() string {
	var names []string
	for _, s := range f.queries {
		names = append(names, strings.TrimPrefix(s.Name, "session_"))
	}
	f.queries = nil
	return strings.Join(names, " ")
}
