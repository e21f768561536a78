// Package sqldb answers statements from SQLite, MySQL and MariaDB, by way of
// database/sql and drivers without cgo.
//
// It treats a SQLite file as Django does, because Django has it open too:
// foreign keys are enforced, a locked database is waited for, a write takes its
// lock at once (BEGIN IMMEDIATE) so that two writers queue instead of failing,
// and the journal mode is whatever the site has chosen. See [OpenMySQL] for the
// others.
//
// A SQLite file that is replaced by another (a restored backup, a deployment)
// is noticed at the next query, which already asks the new one; while there is
// none, queries are errors.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/djedge/djedge/djsession/query"
)

// DB is one database. It is safe for concurrent use.
type DB struct {
	driver *driver
	path   string // of the SQLite file, absolute; "" for a server

	together *together // nil for a server

	mu      sync.Mutex
	closed  bool
	current *pools // nil while the file is missing
	retired sync.WaitGroup
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
	db := &DB{driver: &sqliteDriver, path: path}
	db.together = newTogether(db)
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

// readHeader fails when the file is not a database.
func readHeader(ctx context.Context, db *sql.DB) error {
	var n int
	return db.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&n)
}

// Dialect is [query.SQLite] or [query.MySQL].
func (db *DB) Dialect() query.Dialect { return db.driver.dialect }

// Ping asks the database for a sign of life.
func (db *DB) Ping(ctx context.Context) error {
	p, err := db.acquire()
	if err != nil {
		return err
	}
	defer p.release()
	return db.driver.ping(ctx, p.readers)
}

// Close closes every connection. It waits for what still runs in a file that
// was replaced meanwhile.
func (db *DB) Close() error {
	db.mu.Lock()
	db.closed = true
	p := db.current
	db.current = nil
	db.mu.Unlock()
	defer db.retired.Wait()
	if p == nil {
		return nil
	}
	return p.close()
}
