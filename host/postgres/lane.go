package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host/internal/rows"
)

// lane asks one batch after the other.
type lane struct {
	batches  *batches
	batch    []*waiting
	groups   []group
	text     []byte // of one row
	started  time.Time
	patience time.Duration
	timer    *time.Timer
	late     bool // guarded by the lock of batches, as are batch and started when it is out
}

// group is those of a batch who ask the same.
type group struct {
	form   *form
	who    []place
	params [][]byte // arrays of their arguments
}

// place is where a row belongs.
type place struct {
	w         *waiting
	statement int
}

func newLane(b *batches) *lane {
	l := &lane{batches: b}
	l.timer = time.AfterFunc(time.Hour, func() { b.slow(l) })
	l.timer.Stop()
	return l
}

// ask answers the batch, every request of it.
func (l *lane) ask() {
	if len(l.batch) == 0 {
		return
	}
	latest := l.batch[0].deadline
	for _, w := range l.batch[1:] {
		if w.deadline.After(latest) {
			latest = w.deadline
		}
	}
	if bound := l.started.Add(maxOut); latest.After(bound) {
		latest = bound
	}
	l.gather()
	ctx, cancel := context.WithDeadline(context.Background(), latest)
	err := l.send(ctx)
	cancel()
	for _, w := range l.batch {
		if w.claim(w.turn.Load()) {
			w.err = err
			w.done <- struct{}{}
		}
	}
	for i := range l.groups {
		clear(l.groups[i].who)
	}
}

// gather sorts the requests into groups.
func (l *lane) gather() {
	l.groups = l.groups[:0]
	for _, w := range l.batch {
		w.results = rows.Results(len(w.forms))
		for i, f := range w.forms {
			g := l.group(f)
			g.who = append(g.who, place{w, i})
			for j := range f.oids {
				end := w.at + 4 + int(binary.BigEndian.Uint32(w.elements[w.at:]))
				g.params[j] = append(g.params[j], w.elements[w.at:end]...)
				w.at = end
			}
		}
	}
}

// group finds the one of a form, or begins it.
func (l *lane) group(f *form) *group {
	for i := range l.groups {
		if l.groups[i].form == f {
			return &l.groups[i]
		}
	}
	if len(l.groups) < cap(l.groups) {
		l.groups = l.groups[:len(l.groups)+1] // with the room of an earlier batch
	} else {
		l.groups = append(l.groups, group{})
	}
	g := &l.groups[len(l.groups)-1]
	g.form, g.who = f, g.who[:0]
	for len(g.params) < len(f.oids) {
		g.params = append(g.params, nil)
	}
	g.params = g.params[:len(f.oids)]
	for i, oid := range f.oids {
		g.params[i] = array(g.params[i][:0], oid)
	}
	return g
}

// send asks over one connection, in one round trip. An error is of everybody.
func (l *lane) send(ctx context.Context) error {
	conn, err := l.batches.db.connection(ctx, false)
	switch {
	case err != nil && ctx.Err() != nil:
		return errAlone // some may wait longer
	case err != nil:
		return err
	}
	defer conn.Release()
	switch err := l.exchange(ctx, conn.Conn()); {
	case err == nil:
		for i := range l.groups {
			if g := &l.groups[i]; len(g.who) > 1 && !g.form.worked.Load() {
				g.form.worked.Store(true)
			}
		}
		return nil
	case stale(err):
		_ = conn.Conn().Close(ctx)
		fallthrough
	case !conn.Conn().IsClosed():
		for i := range l.groups {
			l.batches.forms.forget(l.groups[i].form)
		}
	}
	return errAlone
}

var binaryFormat = []int16{pgtype.BinaryFormatCode}

func (l *lane) exchange(ctx context.Context, conn *pgx.Conn) error {
	var b pgconn.Batch
	for i := range l.groups {
		g := &l.groups[i]
		f := g.form
		sql, name, oids, formats, params := f.batched, f.name+"n", f.arrays, f.many, g.params
		if len(g.who) == 1 {
			sql, name, oids, formats, params = f.sql, f.name+"p", f.oids, f.plain, l.single(g)
		} else {
			for _, a := range g.params {
				count(a, len(g.who))
			}
		}
		if l.batches.unsafe {
			b.ExecParams(sql, params, oids, binaryFormat, formats)
			continue
		}
		prepared, err := conn.Prepare(ctx, name, sql)
		if err != nil {
			return err
		}
		if !slices.Equal(prepared.ParamOIDs, oids) || len(prepared.Fields) != len(formats) {
			return errors.New("the table has changed")
		}
		b.ExecStatement(prepared, params, binaryFormat, formats)
	}
	answers := conn.PgConn().ExecBatch(ctx, &b)
	var failed error
	for i := range l.groups {
		if !answers.NextResult() {
			break
		}
		rows := answers.ResultReader()
		if err := l.read(rows, conn.TypeMap(), &l.groups[i]); err != nil && failed == nil {
			failed = err
		}
		if _, err := rows.Close(); err != nil && failed == nil {
			failed = err
		}
	}
	if err := answers.Close(); err != nil {
		return err
	}
	return failed
}

// single is the arguments of a group of one, without what makes them arrays.
func (l *lane) single(g *group) [][]byte {
	params := make([][]byte, len(g.params))
	for i, a := range g.params {
		params[i] = a[arrayHeader+4:]
	}
	return params
}

// read gives each row to the request that it belongs to.
func (l *lane) read(rows *pgconn.ResultReader, types *pgtype.Map, g *group) error {
	fields := rows.FieldDescriptions()
	many := len(g.who) > 1
	for rows.NextRow() {
		raw, fields := rows.Values(), fields
		if len(raw) != len(fields) {
			return errors.New("a row of another length")
		}
		at := 0
		if many {
			if len(raw[0]) != 8 {
				return errors.New("a row without a number")
			}
			at = int(binary.BigEndian.Uint64(raw[0])) - 1
			raw, fields = raw[1:], fields[1:]
		}
		if at < 0 || at >= len(g.who) {
			return errors.New("a row of nobody")
		}
		row, err := l.row(raw, fields, types)
		if err != nil {
			return err
		}
		result := &g.who[at].w.results[g.who[at].statement]
		result.Rows = append(result.Rows, row)
	}
	return nil
}

// row copies a row, all text of it at once.
func (l *lane) row(raw [][]byte, fields []pgconn.FieldDescription, types *pgtype.Map) ([]query.Value, error) {
	l.text = l.text[:0]
	for i := range raw {
		if raw[i] != nil && isText(fields[i].DataTypeOID) {
			l.text = append(l.text, raw[i]...)
		}
	}
	text := string(l.text)
	row := make([]query.Value, len(raw))
	for i := range raw {
		if oid := fields[i].DataTypeOID; raw[i] != nil && isText(oid) {
			row[i] = query.Text(text[:len(raw[i])])
			text = text[len(raw[i]):]
			continue
		}
		v, err := value(types, fields[i].DataTypeOID, fields[i].Format, raw[i])
		if err != nil {
			return nil, err
		}
		row[i] = v
	}
	return row, nil
}

// isText reports whether a value of a type is its own text in both formats.
func isText(oid uint32) bool {
	switch oid {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID:
		return true
	}
	return false
}
