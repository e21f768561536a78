package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/djedge/djedge/djsession/query"
)

// Query runs the statements in order. Reads run side by side with other
// reads; anything else waits for the one connection that writes, and several
// statements are one transaction, even when they need not be.
func (db *DB) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	reading := !atomic
	for _, s := range statements {
		reading = reading && reads(s)
	}
	pool := db.writer
	if reading {
		pool = db.readers
	}
	// Before the transaction begins, since it takes the only connection.
	stmts, release, err := db.prepare(ctx, pool, statements)
	defer release()
	if err != nil {
		return nil, err
	}
	if reading || len(statements) < 2 {
		return run(ctx, stmts, statements)
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	for i, stmt := range stmts {
		stmts[i] = tx.StmtContext(ctx, stmt)
	}
	results, err := run(ctx, stmts, statements)
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	return results, nil
}

func run(ctx context.Context, stmts []*sql.Stmt, statements []query.Statement) ([]query.Result, error) {
	results := make([]query.Result, len(statements))
	for i, s := range statements {
		if err := one(ctx, stmts[i], s, &results[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, cause(err))
		}
	}
	return results, nil
}

func one(ctx context.Context, stmt *sql.Stmt, s query.Statement, result *query.Result) error {
	args := arguments(s.Args)
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
	if err := scan(rows, s, result); err != nil {
		return err
	}
	return rows.Err()
}

// scan reads every row, and the columns when the statement did not name them.
func scan(rows *sql.Rows, s query.Statement, result *query.Result) error {
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	if strings.Contains(s.SQL, "*") {
		result.Columns = make([]query.Column, len(types))
		for i, t := range types {
			result.Columns[i] = query.Column{Name: t.Name(), Kind: kind(t.DatabaseTypeName())}
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
			row[i] = value(cell, types[i].DatabaseTypeName())
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
