// Package postgres answers statements from PostgreSQL, over a pool of pgx
// connections.
//
// Whatever the rules ask for at once is one round trip: several statements are
// one pipeline, which PostgreSQL runs as one transaction. It also works
// through PgBouncer (1.21 or later with max_prepared_statements, or with
// default_query_exec_mode=exec in the URL).
//
// An error never holds the URL, a password, or a value of a statement.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/djedge/djedge/djsession/query"
)

// Config of a [DB]. Only URL is required.
type Config struct {
	// URL is a URL or a key=value string as libpq understands it, with the
	// pool's settings of pgxpool.ParseConfig (pool_max_conns and others). What it
	// leaves out comes from the PG… environment variables. It holds a password,
	// so printing a Config prints nothing of it.
	URL string `json:"-"`
	// MaxConns is the size of the pool, default the URL's, or the number of
	// processors but at least 4.
	MaxConns int32
	// ConnectTimeout bounds the making of one connection, default the URL's
	// connect_timeout, at most 5 s.
	ConnectTimeout time.Duration
	// AcquireTimeout is how long a query waits for a free connection before it
	// fails, default 2 s.
	AcquireTimeout time.Duration
	// BatchSize is how many requests one statement answers at most while there
	// are many at once, default 128, or the URL's pool_batch_size. 1 asks for each
	// of them alone.
	BatchSize int
	// DialFunc and LookupFunc replace the network, for a program whose sockets
	// are not the system's; default is [net].
	DialFunc   pgconn.DialFunc
	LookupFunc pgconn.LookupFunc
}

// Format prints that there is a Config, and nothing that is in it.
func (Config) Format(f fmt.State, _ rune) { fmt.Fprint(f, "postgres.Config{…}") }

// DB is a pool of connections to one database. It is safe for concurrent use.
type DB struct {
	pool    *pgxpool.Pool
	acquire time.Duration
	batches *batches // nil: none
}

// Open is [New] with defaults.
func Open(ctx context.Context, url string) (*DB, error) { return New(ctx, Config{URL: url}) }

// New connects once, to find out that it can. A URL that cannot be read, or
// that names a file which cannot, is [ErrConfig]; a server that does not answer,
// or refuses the password, is another error.
func New(ctx context.Context, config Config) (*DB, error) {
	c, err := pgxpool.ParseConfig(config.URL)
	if err != nil {
		return nil, configError{parseError(err)}
	}
	if config.MaxConns < 0 || config.ConnectTimeout < 0 || config.AcquireTimeout < 0 || config.BatchSize < 0 {
		return nil, configError{errors.New("postgres: a limit is negative")}
	}
	if config.MaxConns > 0 {
		c.MaxConns = config.MaxConns
	}
	conn := c.ConnConfig
	if conn.ConnectTimeout <= 0 || conn.ConnectTimeout > 5*time.Second { // pgx waits two minutes
		conn.ConnectTimeout = 5 * time.Second
	}
	if config.ConnectTimeout > 0 {
		conn.ConnectTimeout = config.ConnectTimeout
	}
	// A peer that vanished without a word is noticed within half a minute.
	conn.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}).DialContext
	if config.DialFunc != nil {
		conn.DialFunc = config.DialFunc
	}
	if config.LookupFunc != nil {
		conn.LookupFunc = config.LookupFunc
	}
	if conn.RuntimeParams["application_name"] == "" {
		conn.RuntimeParams["application_name"] = "djedge"
	}
	if conn.RuntimeParams["client_encoding"] == "" {
		conn.RuntimeParams["client_encoding"] = "UTF8" // as Django; the default is the database's own
	}
	size, err := batchSize(config.BatchSize, conn.RuntimeParams)
	if err != nil {
		return nil, configError{err}
	}
	c.ShouldPing = func(ctx context.Context, _ pgxpool.ShouldPingParams) bool { return ctx.Value(aliveKey{}) != nil }

	db := &DB{acquire: config.AcquireTimeout}
	if db.acquire == 0 {
		db.acquire = 2 * time.Second
	}
	db.batches = newBatches(db, size, c.MaxConns, conn.DefaultQueryExecMode)
	if db.pool, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return nil, fmt.Errorf("postgres: %w", clean(err))
	}
	first, cancel := context.WithTimeout(ctx, conn.ConnectTimeout)
	defer cancel()
	if err := db.pool.Ping(first); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("postgres: %w", clean(err))
	}
	return db, nil
}

// batchSize takes pool_batch_size out of a URL, where the pool's settings are
// and those that it does not know would go to the server.
func batchSize(configured int, params map[string]string) (int, error) {
	const name = "pool_batch_size"
	text, given := params[name]
	delete(params, name)
	if !given || configured > 0 {
		return configured, nil
	}
	size, err := strconv.Atoi(text)
	if err != nil || size < 1 {
		return 0, errors.New("postgres: " + name + " is not a positive number")
	}
	return size, nil
}

// parseError says as much about a URL as cannot hold a part of its password.
func parseError(err error) error {
	var path *fs.PathError // of a certificate, a password file or a service file
	if errors.As(err, &path) {
		return fmt.Errorf("postgres: %w", path)
	}
	return errors.New("postgres: the database URL cannot be read (in a URL, characters of a password such as @ / # % are percent-encoded)")
}

// Dialect is [query.PostgreSQL].
func (db *DB) Dialect() query.Dialect { return query.PostgreSQL }

// Ping asks the server, over a connection of the pool or a new one.
func (db *DB) Ping(ctx context.Context) error {
	conn, err := db.connection(ctx, true)
	if err != nil {
		return err
	}
	conn.Release()
	return nil
}

// Close closes every connection, and waits for those that are in use.
func (db *DB) Close() error {
	db.pool.Close()
	return nil
}

type aliveKey struct{}

// connection takes one from the pool. When alive, it has just answered.
func (db *DB) connection(ctx context.Context, alive bool) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, db.acquire)
	defer cancel()
	if alive {
		ctx = context.WithValue(ctx, aliveKey{}, true)
	}
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("no connection: %w", clean(err))
	}
	return conn, nil
}
