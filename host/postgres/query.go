package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/djedge/djedge/djsession/query"
)

// Query runs the statements in one round trip. Several are one transaction,
// even when they need not be.
//
// Rows by key, which is what a check reads, are asked for many requests at once
// while there are many ([Config.BatchSize]).
//
// Statements that only read are tried once more when their connection turns
// out to be dead (PostgreSQL was restarted). Others are sent over a connection
// that has just answered, and never twice.
func (db *DB) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	if len(statements) == 0 {
		return nil, nil
	}
	if db.batches != nil && !atomic {
		if results, asked, err := db.batches.query(ctx, statements); asked {
			return results, err
		}
	}
	reading := true
	for _, s := range statements {
		reading = reading && reads(s)
	}
	results, again, err := db.try(ctx, !reading, statements)
	if again && reading && ctx.Err() == nil {
		results, _, err = db.try(ctx, true, statements)
	}
	if err != nil {
		return nil, err
	}
	return results, nil
}

// try reports beside its error whether another connection may do better.
func (db *DB) try(ctx context.Context, alive bool, statements []query.Statement) (results []query.Result, again bool, err error) {
	conn, err := db.connection(ctx, alive)
	if err != nil {
		return nil, false, err
	}
	defer conn.Release()
	ctx, cancel := detached(ctx)
	defer cancel()
	if len(statements) == 1 {
		results, err = one(ctx, conn.Conn(), statements[0])
	} else {
		results, err = batch(ctx, conn.Conn(), statements)
	}
	if err != nil {
		return nil, conn.Conn().IsClosed() || stale(err), fmt.Errorf("%s: %w", names(statements), clean(err))
	}
	return results, false, nil
}

// detached keeps a deadline and lets go of the client: pgx closes a connection
// whose query is cancelled, and clients that come and go must not empty the
// pool. Without a deadline nothing else would end the query, so ctx stays.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(context.WithoutCancel(ctx), deadline)
}

func one(ctx context.Context, conn *pgx.Conn, s query.Statement) ([]query.Result, error) {
	rows, err := conn.Query(ctx, s.SQL, arguments(s.Args)...)
	if err != nil {
		return nil, err
	}
	results := make([]query.Result, 1)
	return results, read(rows, conn.TypeMap(), s, &results[0])
}

func batch(ctx context.Context, conn *pgx.Conn, statements []query.Statement) ([]query.Result, error) {
	var b pgx.Batch
	for _, s := range statements {
		b.Queue(s.SQL, arguments(s.Args)...)
	}
	results := make([]query.Result, len(statements))
	answers := conn.SendBatch(ctx, &b)
	for i, s := range statements {
		rows, err := answers.Query()
		if err == nil {
			err = read(rows, conn.TypeMap(), s, &results[i])
		}
		if err != nil {
			_ = answers.Close()
			return nil, err
		}
	}
	// The transaction ends here: a deferred constraint fails now.
	return results, answers.Close()
}

// read takes everything there is of one result.
func read(rows pgx.Rows, types *pgtype.Map, s query.Statement, result *query.Result) error {
	defer rows.Close()
	fields := rows.FieldDescriptions()
	if strings.Contains(s.SQL, "*") {
		result.Columns = make([]query.Column, len(fields))
		for i, f := range fields {
			result.Columns[i] = query.Column{Name: f.Name, Kind: kind(f.DataTypeOID)}
		}
	}
	for rows.Next() {
		raw := rows.RawValues()
		row := make([]query.Value, len(raw))
		for i := range raw {
			v, err := value(types, fields[i].DataTypeOID, fields[i].Format, raw[i])
			if err != nil {
				return err
			}
			row[i] = v
		}
		result.Rows = append(result.Rows, row)
	}
	rows.Close()
	if tag := rows.CommandTag(); !tag.Select() {
		result.Affected = tag.RowsAffected()
	}
	return rows.Err()
}

// reads reports whether s only reads.
func reads(s query.Statement) bool {
	return len(s.SQL) > 6 && strings.EqualFold(s.SQL[:6], "SELECT")
}

// names joins them: which one of a batch failed is not always known.
func names(statements []query.Statement) string {
	all := statements[0].Name
	for _, s := range statements[1:] {
		all += "+" + s.Name
	}
	return all
}
