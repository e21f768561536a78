package sqldb

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"io"

	"github.com/djedge/djedge/djsession/query"
)

// reader is a connection that reads, past database/sql: that watches the
// context of each statement from a goroutine and looks at each cell by
// reflection, which costs as much as SQLite itself. A reader waits for nobody.
// What is locked, and whatever else is not an answer, is asked the other way.
type reader struct {
	conn          sqldriver.Conn
	begin, commit sqldriver.Stmt
	stmts         map[string]sqldriver.Stmt
	args          []sqldriver.NamedValue
	cells         []sqldriver.Value
	broken        bool
}

// reader takes one that is free, or makes one; giveBack must follow.
func (p *pools) reader() (*reader, error) {
	p.mu.Lock()
	if n := len(p.free); n > 0 {
		r := p.free[n-1]
		p.free = p.free[:n-1]
		p.mu.Unlock()
		return r, nil
	}
	p.mu.Unlock()
	connector, err := connector(p.path, "query_only(1)", "deferred", 0)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	r := &reader{conn: conn, stmts: map[string]sqldriver.Stmt{}}
	var err1, err2 error
	r.begin, err1 = conn.Prepare("BEGIN")
	r.commit, err2 = conn.Prepare("COMMIT")
	if err := errors.Join(err1, err2); err != nil {
		_ = r.close()
		return nil, err
	}
	return r, nil
}

func (p *pools) giveBack(r *reader) {
	p.mu.Lock()
	if !p.closed && !r.broken {
		p.free = append(p.free, r)
		r = nil
	}
	p.mu.Unlock()
	if r != nil {
		_ = r.close()
	}
}

// closeReaders closes those that are free, and leaves the others to giveBack.
func (p *pools) closeReaders() (err error) {
	p.mu.Lock()
	free := p.free
	p.free, p.closed = nil, true
	p.mu.Unlock()
	for _, r := range free {
		err = errors.Join(err, r.close())
	}
	return err
}

func (r *reader) close() error {
	for _, stmt := range r.stmts {
		_ = stmt.Close()
	}
	for _, stmt := range []sqldriver.Stmt{r.begin, r.commit} {
		if stmt != nil {
			_ = stmt.Close()
		}
	}
	return r.conn.Close()
}

// transaction runs read inside of one, in which the database does not change
// and is locked once.
func (r *reader) transaction(read func()) error {
	if err := run(r.begin); err != nil {
		return err
	}
	read()
	err := run(r.commit)
	r.broken = err != nil
	return err
}

func run(stmt sqldriver.Stmt) error {
	_, err := stmt.(sqldriver.StmtExecContext).ExecContext(context.Background(), nil)
	return err
}

// read answers one statement.
func (r *reader) read(s *query.Statement, result *query.Result) error {
	stmt := r.stmts[s.SQL]
	if stmt == nil {
		var err error
		if len(r.stmts) >= maxStatements {
			return errAlone
		}
		if stmt, err = r.conn.Prepare(s.SQL); err != nil {
			return err
		}
		r.stmts[s.SQL] = stmt
	}
	r.args = r.args[:0]
	for i, v := range s.Args {
		r.args = append(r.args, sqldriver.NamedValue{Ordinal: i + 1, Value: argument(v)})
	}
	rows, err := stmt.(sqldriver.StmtQueryContext).QueryContext(context.Background(), r.args)
	if err != nil {
		return err
	}
	err = r.rows(rows, result)
	return errors.Join(err, rows.Close())
}

func (r *reader) rows(rows sqldriver.Rows, result *query.Result) error {
	types := rows.(sqldriver.RowsColumnTypeDatabaseTypeName)
	n := len(rows.Columns())
	if cap(r.cells) < n {
		r.cells = make([]sqldriver.Value, n)
	}
	cells := r.cells[:n]
	for {
		switch err := rows.Next(cells); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		row := make([]query.Value, n)
		for i, cell := range cells {
			row[i] = value(cell, types.ColumnTypeDatabaseTypeName(i))
		}
		result.Rows = append(result.Rows, row)
	}
}
