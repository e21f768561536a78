package postgres

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/djedge/djedge/djsession/query"
)

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

// form is that of a statement, or nil when it is asked alone: forever, or this
// once since nothing is known of it yet.
func (b *batches) form(ctx context.Context, s *query.Statement) *form {
	if s.AdHoc {
		return nil
	}
	if f, known := b.forms.get(s.SQL); known {
		return f
	}
	if !b.describing.TryLock() {
		return nil
	}
	defer b.describing.Unlock()
	if f, known := b.forms.get(s.SQL); known {
		return f
	}
	f, ok := b.describe(ctx, s.SQL)
	if ok {
		b.forms.put(s.SQL, f)
	}
	return f
}

// describe finds out the types of a statement. Not ok means that it may be
// tried again; a nil form that sql cannot be batched.
func (b *batches) describe(ctx context.Context, sql string) (f *form, ok bool) {
	if _, _, simple := split(sql); !simple {
		return nil, true
	}
	conn, err := b.db.connection(ctx, false)
	if err != nil {
		return nil, false
	}
	defer conn.Release()
	ctx, cancel := detached(ctx)
	defer cancel()
	plain, err := conn.Conn().PgConn().Prepare(ctx, "", sql, nil)
	if err != nil {
		return nil, false
	}
	f = &form{sql: sql, name: b.forms.number(), oids: plain.ParamOIDs}
	if f.batched, ok = rewrite(sql, plain.ParamOIDs); !ok {
		return nil, true
	}
	for _, oid := range f.oids {
		f.arrays = append(f.arrays, elements[oid].array)
	}
	many, err := conn.Conn().PgConn().Prepare(ctx, "", f.batched, nil)
	if err != nil {
		return nil, !conn.Conn().IsClosed()
	}
	if !slices.Equal(many.ParamOIDs, f.arrays) || len(many.Fields) != len(plain.Fields)+1 {
		return nil, true
	}
	f.plain, f.many = formats(plain, conn.Conn().TypeMap()), formats(many, conn.Conn().TypeMap())
	return f, true
}

func formats(s *pgconn.StatementDescription, types *pgtype.Map) []int16 {
	all := make([]int16, len(s.Fields))
	for i, f := range s.Fields {
		all[i] = types.FormatCodeForOID(f.DataTypeOID)
	}
	return all
}
