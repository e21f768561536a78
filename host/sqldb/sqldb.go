// Package sqldb answers statements from SQLite, by way of database/sql and a
// driver without cgo.
//
// It treats the file as Django does, because Django has it open too: foreign
// keys are enforced, a locked database is waited for, a write takes its lock
// at once (BEGIN IMMEDIATE) so that two writers queue instead of failing, and
// the journal mode is whatever the site has chosen.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"modernc.org/sqlite"

	"github.com/djedge/djedge/djsession/query"
)

// DB is one SQLite database. It is safe for concurrent use.
type DB struct {
	readers *sql.DB // connections that cannot write (PRAGMA query_only)
	writer  *sql.DB // one connection, so that writes from here queue in Go
	stmts   statements
}

// OpenSQLite opens the database file at path, which must exist: a mistyped
// path is an error, not a new and empty database.
func OpenSQLite(ctx context.Context, path string) (*DB, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("open SQLite database: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("open SQLite database: %s is not a file", path)
	}
	return open(ctx, path)
}

// CreateSQLite is [OpenSQLite] for a file that may not exist yet. A new file
// is empty and only its owner may read it; see [CreateDjangoSchema].
func CreateSQLite(ctx context.Context, path string) (*DB, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create SQLite database: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("create SQLite database: %w", err)
	}
	return open(ctx, path)
}

func open(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open SQLite database: %w", err)
	}
	readers, err1 := pool(path, "query_only(1)", "deferred", max(4, runtime.GOMAXPROCS(0)))
	writer, err2 := pool(path, "query_only(0)", "immediate", 1)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("open SQLite database: %w", err)
	}
	db := &DB{readers: readers, writer: writer}
	if err := db.Ping(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open SQLite database %s: %w", path, err)
	}
	return db, nil
}

// pool opens at most size connections. Five seconds is also how long Django
// waits for a lock, unless a deadline of the caller ends the wait before.
// Without _dqs=0, SQLite would read the name of a missing column as text.
func pool(path, pragma, lock string, size int) (*sql.DB, error) {
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: url.Values{
		"mode":    {"rw"},
		"_dqs":    {"0"},
		"_txlock": {lock},
		"_pragma": {"busy_timeout(5000)", "foreign_keys(1)", pragma},
	}.Encode()}
	connector, err := sqlite.NewConnector(dsn.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// Dialect is [query.SQLite].
func (db *DB) Dialect() query.Dialect { return query.SQLite }

// Ping reads the file's header: it fails when the file is not a database.
func (db *DB) Ping(ctx context.Context) error {
	var n int
	return db.readers.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&n)
}

// Close closes every connection.
func (db *DB) Close() error { return errors.Join(db.readers.Close(), db.writer.Close()) }
