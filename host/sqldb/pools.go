package sqldb

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"modernc.org/sqlite"
)

// errClosed is the answer after [DB.Close].
var errClosed = errors.New("the database is closed")

// pools are the connections to one database.
type pools struct {
	readers *sql.DB // SQLite: connections that cannot write (PRAGMA query_only)
	writer  *sql.DB // SQLite: one connection, so that writes from here queue in Go
	stmts   statements
	path    string         // of the SQLite file
	file    os.FileInfo    // the same when it was opened
	users   sync.WaitGroup // queries that run

	mu     sync.Mutex
	free   []*reader
	closed bool
}

// acquire gives the connections to the file that is at the path now; release
// must follow. An open file stays readable when another takes its place, and
// would be answered from for ever, so the path is looked at each time.
func (db *DB) acquire() (*pools, error) {
	var file os.FileInfo
	var missing error
	if db.path != "" {
		file, missing = os.Stat(db.path)
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil, errClosed
	}
	if db.path != "" {
		if p := db.current; p != nil && (missing != nil || !os.SameFile(p.file, file)) {
			db.retire(p)
		}
		if missing != nil {
			return nil, fmt.Errorf("SQLite database: %w", missing)
		}
		if db.current == nil {
			p, err := openPools(db.path, file)
			if err != nil {
				return nil, err
			}
			db.current = p
		}
	}
	db.current.users.Add(1)
	return db.current, nil
}

func (p *pools) release() { p.users.Done() }

// retire closes p when the last query in it has ended.
func (db *DB) retire(p *pools) {
	db.current = nil
	db.retired.Go(func() {
		p.users.Wait()
		_ = p.close()
	})
}

func (p *pools) close() error {
	if p.readers == p.writer {
		return p.writer.Close()
	}
	return errors.Join(p.closeReaders(), p.readers.Close(), p.writer.Close())
}

// openPools connects to nothing yet. When file is replaced before the first
// query does, the next one notices.
func openPools(path string, file os.FileInfo) (*pools, error) {
	readers, err1 := pool(path, "query_only(1)", "deferred", max(4, runtime.GOMAXPROCS(0)))
	writer, err2 := pool(path, "query_only(0)", "immediate", 1)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("open SQLite database: %w", err)
	}
	return &pools{readers: readers, writer: writer, path: path, file: file}, nil
}

// pool opens at most size connections.
func pool(path, pragma, lock string, size int) (*sql.DB, error) {
	connector, err := connector(path, pragma, lock, 5*time.Second)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// connector makes connections that wait for a lock so long: Django waits for
// five seconds, and here a deadline of the caller may end the wait before.
// Without _dqs=0, SQLite would read the name of a missing column as text.
func connector(path, pragma, lock string, wait time.Duration) (sqldriver.Connector, error) {
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: url.Values{
		"mode":    {"rw"},
		"_dqs":    {"0"},
		"_txlock": {lock},
		"_pragma": {fmt.Sprintf("busy_timeout(%d)", wait.Milliseconds()), "foreign_keys(1)", pragma},
	}.Encode()}
	return sqlite.NewConnector(dsn.String())
}
