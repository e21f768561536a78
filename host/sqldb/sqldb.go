// Package sqldb answers statements from SQLite, MySQL and MariaDB, by way of
// database/sql and drivers without cgo.
//
// It treats a SQLite file as Django does, because Django has it open too:
// foreign keys are enforced, a locked database is waited for, a write takes its
// lock at once (BEGIN IMMEDIATE) so that two writers queue instead of failing,
// and the journal mode is whatever the site has chosen. See [OpenMySQL] for the
// others.
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
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/djedge/djedge/djsession/query"
)

// DB is one database. It is safe for concurrent use.
type DB struct {
	driver  *driver
	readers *sql.DB // SQLite: connections that cannot write (PRAGMA query_only)
	writer  *sql.DB // SQLite: one connection, so that writes from here queue in Go
	stmts   statements
}

// driver is how one kind of database differs from the others.
type driver struct {
	dialect  query.Dialect
	remote   bool // a statement takes a round trip, and a connection is dear
	argument func(query.Value) any
	value    func(cell any, column string) query.Value // column: its type's name
	kind     func(column string) query.Kind
	cause    func(error) error
	ping     func(context.Context, *sql.DB) error
}

var sqliteDriver = driver{query.SQLite, false, argument, value, kind, cause, readHeader}

// ErrConfig is in the error of opening what can never be opened, however often
// it is tried: no such file, a file that is no database or may not be read, a
// URL that makes no sense. A server that does not answer is another error.
var ErrConfig = errors.New("the database is misconfigured")

// configError is [ErrConfig] besides what it says.
type configError struct{ error }

func (configError) Is(target error) bool { return target == ErrConfig }
func (e configError) Unwrap() error      { return e.error }

// OpenSQLite opens the database file at path, which must exist: a mistyped
// path is [ErrConfig], not a new and empty database.
func OpenSQLite(ctx context.Context, path string) (*DB, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, configError{fmt.Errorf("open SQLite database: %w", err)}
	case !info.Mode().IsRegular():
		return nil, configError{fmt.Errorf("open SQLite database: %s is not a file", path)}
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
	db := &DB{driver: &sqliteDriver, readers: readers, writer: writer}
	if err := db.Ping(ctx); err != nil {
		_ = db.Close()
		err = fmt.Errorf("open SQLite database %s: %w", path, err)
		var e *sqlite.Error
		if errors.As(err, &e) && (e.Code() == sqlite3.SQLITE_NOTADB || e.Code() == sqlite3.SQLITE_CANTOPEN) {
			err = configError{err}
		}
		return nil, err
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

// readHeader fails when the file is not a database.
func readHeader(ctx context.Context, db *sql.DB) error {
	var n int
	return db.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&n)
}

// Dialect is [query.SQLite] or [query.MySQL].
func (db *DB) Dialect() query.Dialect { return db.driver.dialect }

// Ping asks the database for a sign of life.
func (db *DB) Ping(ctx context.Context) error { return db.driver.ping(ctx, db.readers) }

// Close closes every connection.
func (db *DB) Close() error {
	if db.readers == db.writer {
		return db.writer.Close()
	}
	return errors.Join(db.readers.Close(), db.writer.Close())
}
