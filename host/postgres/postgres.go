// Package postgres answers statements from PostgreSQL.
package postgres

import (
	"context"
	"errors"

	"github.com/djedge/djedge/djsession/query"
)

// DB is a pool of connections to one database.
type DB struct{}

// Open connects to a URL or key=value string as libpq understands it.
func Open(ctx context.Context, url string) (*DB, error) {
	return nil, errors.ErrUnsupported
}

// Dialect is [query.PostgreSQL].
func (db *DB) Dialect() query.Dialect { return query.PostgreSQL }

// Query is as [host.DB] says.
func (db *DB) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	return nil, errors.ErrUnsupported
}

// Ping asks whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return errors.ErrUnsupported }

// Close closes every connection.
func (db *DB) Close() error { return nil }
