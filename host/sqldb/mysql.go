package sqldb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/djedge/djedge/djsession/query"
)

var mysqlDriver = driver{query.MySQL, true, mysqlArgument, mysqlValue, mysqlKind, mysqlCause, pingMySQL}

// OpenMySQL opens a database of MySQL or MariaDB, and connects once, to find
// out that it can.
//
//	mysql://user:password@host:port/database?tls=true
//	mysql://user:password@/database?unix_socket=/run/mysqld/mysqld.sock
//
// The port is 3306 when there is none. The query may hold
//
//	tls             true: with a certificate that is checked; skip-verify; false (the default)
//	tls_ca          a file of certificates to trust, instead of the system's
//	unix_socket     the path of a socket
//	pool_max_conns  how many connections there may be, default 4 for each CPU, at least 8
//
// Connections are as Django makes them: UTF-8 (utf8mb4), READ COMMITTED, rows
// counted when they are found and not only when they are changed
// (CLIENT_FOUND_ROWS), and besides in UTC and strict, so that no text is cut
// without an error. Times without a zone come out as UTC.
func OpenMySQL(ctx context.Context, url string) (*DB, error) {
	config, size, err := parseMySQL(url)
	if err != nil {
		return nil, configError{err}
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, configError{errors.New("open MySQL database: the driver refuses the URL")}
	}
	pool := sql.OpenDB(readCommitted{connector})
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	pool.SetConnMaxIdleTime(3 * time.Minute) // before anything on the way forgets it
	db := &DB{driver: &mysqlDriver, current: &pools{readers: pool, writer: pool}}
	ctx, cancel := context.WithTimeout(ctx, config.Timeout)
	defer cancel()
	if err := db.Ping(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open MySQL database: %w", err)
	}
	return db, nil
}

// parseMySQL says of a URL that it cannot read nothing that may be a part of
// its password.
func parseMySQL(text string) (config *mysql.Config, size int, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Fragment != "" || u.Opaque != "" {
		return nil, 0, errors.New("open MySQL database: the URL cannot be read (in a password, characters such as @ / # % are percent-encoded)")
	}
	config = mysql.NewConfig()
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.DBName = strings.TrimPrefix(u.Path, "/")
	config.Net, config.Addr = "tcp", net.JoinHostPort(or(u.Hostname(), "localhost"), or(u.Port(), "3306"))
	config.ClientFoundRows = true
	config.ParseTime = true
	config.RejectReadOnly = true // after a failover: another connection, and the statement once more
	config.Timeout = 5 * time.Second
	config.Logger = &mysql.NopLogger{}
	config.Params = map[string]string{
		"time_zone": "'+00:00'",
		"sql_mode":  "CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')",
	}
	// A peer that vanished without a word is noticed within half a minute.
	config.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}).DialContext
	size = max(8, 4*runtime.GOMAXPROCS(0))
	ca := ""
	for name, values := range u.Query() {
		value := values[len(values)-1]
		switch name {
		case "tls":
			if value != "true" && value != "false" && value != "skip-verify" {
				err = errors.New("tls is not true, false or skip-verify")
			}
			config.TLSConfig = value
		case "tls_ca":
			ca = value
		case "unix_socket":
			config.Net, config.Addr = "unix", value
		case "pool_max_conns":
			if size, err = strconv.Atoi(value); err != nil || size < 1 {
				err = errors.New("pool_max_conns is not a positive number")
			}
		default:
			err = fmt.Errorf("the URL has an unknown parameter %q", name)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("open MySQL database: %w", err)
		}
	}
	switch {
	case u.Scheme != "mysql" && u.Scheme != "mariadb":
		err = errors.New("the URL does not begin with mysql://")
	case config.DBName == "" || strings.Contains(config.DBName, "/"):
		err = errors.New("the URL names no database")
	case ca != "" && config.TLSConfig != "true":
		err = errors.New("tls_ca has no effect without tls=true")
	case ca != "":
		config.TLS, err = trust(ca, u.Hostname())
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open MySQL database: %w", err)
	}
	return config, size, nil
}

func trust(file, host string) (*tls.Config, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("tls_ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls_ca: there is no certificate in %s", file)
	}
	return &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12}, nil
}

// readCommitted sets Django's level of isolation, by a statement that every
// version of both servers knows.
type readCommitted struct{ sqldriver.Connector }

func (c readCommitted) Connect(ctx context.Context) (sqldriver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.(sqldriver.ExecerContext).ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// detached keeps a deadline and lets go of the client: the driver closes a
// connection whose query is cancelled, and clients that come and go must not
// empty the pool. Without a deadline nothing else would end the query, so ctx
// stays.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(context.WithoutCancel(ctx), deadline)
}

func pingMySQL(ctx context.Context, db *sql.DB) error {
	if err := db.PingContext(ctx); err != nil {
		return mysqlCause(err)
	}
	return nil
}

func or(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
