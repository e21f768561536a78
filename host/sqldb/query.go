package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/djedge/djedge/djsession/query"
)

// Query runs the statements, each of which is a single one. Several are one transaction, even when they need
// not be, unless they only read and need not be atomic.
//
// SQLite: reads run side by side with other reads, and those that come at the
// same time in one transaction; anything else waits for the one connection that
// writes.
//
// MySQL answers one statement in one round trip, and its protocol knows no
// batches of prepared statements. Several that only read therefore go out
// together over as many connections, and take the time of one round trip; a
// transaction of n statements takes n+2, one after the other.
func (db *DB) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	if db.together != nil && !atomic && len(statements) > 0 {
		if results, asked, err := db.together.query(ctx, statements); asked {
			return results, err
		}
	}
	if db.driver.remote {
		var cancel context.CancelFunc
		ctx, cancel = detached(ctx)
		defer cancel()
	}
	reading := !atomic
	for _, s := range statements {
		if !single(s.SQL) {
			return nil, fmt.Errorf("%s: more than one statement", s.Name)
		}
		reading = reading && reads(s)
	}
	p, err := db.acquire()
	if err != nil {
		return nil, err
	}
	defer p.release()
	pool := p.writer
	if reading {
		pool = p.readers
	}
	// Before the transaction begins, since it takes the only connection.
	stmts, release, err := db.prepare(ctx, p, pool, statements)
	defer release()
	switch {
	case err != nil:
		return nil, err
	case reading && db.driver.remote:
		return db.runTogether(ctx, stmts, statements)
	case reading || len(statements) < 2:
		return db.run(ctx, stmts, statements)
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", db.driver.cause(err))
	}
	for i, stmt := range stmts {
		stmts[i] = tx.StmtContext(ctx, stmt)
	}
	results, err := db.run(ctx, stmts, statements)
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("commit: %w", db.driver.cause(err))
	}
	return results, nil
}

// single reports whether nothing follows the first semicolon. The SQLite
// driver runs all that a text holds, so that one which begins like a read
// could go on to write. Values travel as arguments and need no semicolon.
func single(text string) bool {
	_, rest, _ := strings.Cut(text, ";")
	return strings.TrimSpace(rest) == ""
}

func (db *DB) run(ctx context.Context, stmts []*sql.Stmt, statements []query.Statement) ([]query.Result, error) {
	results := make([]query.Result, len(statements))
	for i, s := range statements {
		if err := db.driver.one(ctx, stmts[i], s, &results[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, db.driver.cause(err))
		}
	}
	return results, nil
}

// runTogether gives each statement a connection of its own.
func (db *DB) runTogether(ctx context.Context, stmts []*sql.Stmt, statements []query.Statement) ([]query.Result, error) {
	results := make([]query.Result, len(statements))
	errs := make([]error, len(statements))
	var others sync.WaitGroup
	for i, s := range statements {
		one := func() { errs[i] = db.driver.one(ctx, stmts[i], s, &results[i]) }
		if i == len(statements)-1 {
			one()
		} else {
			others.Go(one)
		}
	}
	others.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", statements[i].Name, db.driver.cause(err))
		}
	}
	return results, nil
}

func (d *driver) one(ctx context.Context, stmt *sql.Stmt, s query.Statement, result *query.Result) error {
	args := make([]any, len(s.Args))
	for i, v := range s.Args {
		args[i] = d.argument(v)
	}
	if !reads(s) {
		done, err := stmt.ExecContext(ctx, args...)
		if err != nil {
			return err
		}
		result.Affected, err = done.RowsAffected()
		return err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := d.scan(rows, s, result); err != nil {
		return err
	}
	return rows.Err()
}

// scan reads every row, and the columns when the statement did not name them.
func (d *driver) scan(rows *sql.Rows, s query.Statement, result *query.Result) error {
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	if strings.Contains(s.SQL, "*") {
		result.Columns = make([]query.Column, len(types))
		for i, t := range types {
			result.Columns[i] = query.Column{Name: t.Name(), Kind: d.kind(t.DatabaseTypeName())}
		}
	}
	cells := make([]any, len(types))
	targets := make([]any, len(types))
	for i := range cells {
		targets[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		row := make([]query.Value, len(cells))
		for i, cell := range cells {
			row[i] = d.value(cell, types[i].DatabaseTypeName())
		}
		result.Rows = append(result.Rows, row)
	}
	return nil
}

// cause makes a broken uniqueness rule recognisable. SQLite's own messages
// name tables and columns, never values.
func cause(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && (e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY) {
		return query.ErrDuplicate
	}
	return err
}
