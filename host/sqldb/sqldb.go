// Package sqldb answers statements from SQLite, by way of database/sql.
package sqldb

import (
	"context"
	"errors"

	"github.com/djedge/djedge/djsession/query"
)

// DB is one SQLite database.
type DB struct{}

// OpenSQLite opens the database file at path, which must exist.
func OpenSQLite(ctx context.Context, path string) (*DB, error) {
	return nil, errors.ErrUnsupported
}

// CreateSQLite is [OpenSQLite] for a file that may not exist yet.
func CreateSQLite(ctx context.Context, path string) (*DB, error) {
	return nil, errors.ErrUnsupported
}

// CreateDjangoSchema creates the tables of Django's auth and sessions in an empty database.
func CreateDjangoSchema(ctx context.Context, db *DB) error { return errors.ErrUnsupported }

// Dialect is [query.SQLite].
func (db *DB) Dialect() query.Dialect { return query.SQLite }

// Query is as [host.DB] says.
func (db *DB) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	return nil, errors.ErrUnsupported
}

// Ping asks whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return errors.ErrUnsupported }

// Close closes every connection.
func (db *DB) Close() error { return nil }
