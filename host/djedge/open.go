package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/postgres"
	httpserve "github.com/djedge/djedge/host/serve"
	"github.com/djedge/djedge/host/sqldb"
)

// connectTimeout is how long the database may take to answer at the start.
const connectTimeout = 10 * time.Second

// openSite opens the configured database and makes sure that it answers.
func openSite(ctx context.Context, c *config, _ *slog.Logger) (host.DB, func() error, error) {
	if c.host.UserCheck == "none" {
		if c.database != "" {
			return nil, nil, configf("user_check: with none the database is not asked, so give it none")
		}
		for _, name := range c.api {
			if name != httpserve.Me {
				return nil, nil, configf("api: %s needs a database, and user_check is none", name)
			}
		}
		return nil, func() error { return nil }, nil
	}
	if c.database == "" {
		return nil, nil, configf("database is missing: sqlite:///absolute/path.db, postgres://… or mysql://…")
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	db, err := openDatabase(ctx, c.database)
	if errors.Is(err, postgres.ErrConfig) || errors.Is(err, sqldb.ErrConfig) {
		err = &exitError{exitConfig, err}
	}
	if err != nil {
		return nil, nil, err
	}
	if err := db.Ping(ctx); err != nil {
		db.Close()
		return nil, nil, fmt.Errorf("database: %w", err)
	}
	return db, db.Close, nil
}

// openDatabase lets the URL choose the driver. Errors never hold the URL,
// which may hold a password.
func openDatabase(ctx context.Context, text string) (host.DB, error) {
	scheme, _, _ := strings.Cut(text, ":")
	switch strings.ToLower(scheme) {
	case "sqlite":
		path, err := sqlitePath(text)
		if err != nil {
			return nil, err
		}
		db, err := sqldb.OpenSQLite(ctx, path)
		if err != nil {
			return nil, fmt.Errorf("database: %w", err)
		}
		return db, nil
	case "postgres", "postgresql":
		db, err := postgres.Open(ctx, text)
		if err != nil {
			return nil, fmt.Errorf("database: %w", err)
		}
		return db, nil
	case "mysql", "mariadb":
		db, err := sqldb.OpenMySQL(ctx, text)
		if err != nil {
			return nil, fmt.Errorf("database: %w", err)
		}
		return db, nil
	}
	return nil, configf("database must be a URL that begins with sqlite://, postgres:// or mysql://")
}

// sqlitePath is the file of sqlite:///absolute/path.db.
func sqlitePath(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host != "" || u.Opaque != "" || u.RawQuery != "" || u.Fragment != "" || !filepath.IsAbs(u.Path) {
		return "", configf("database: a SQLite URL has three slashes and an absolute path, as in sqlite:///srv/site/db.sqlite3")
	}
	return u.Path, nil
}

// moduleCache is the directory for compiled code, made when it is not there;
// "" keeps the code in memory. Whoever may write there may run code here, so
// it must be private; a start without it is only slower.
func moduleCache(configured string, log *slog.Logger) string {
	if configured == "none" {
		return ""
	}
	dir := configured
	if dir == "" {
		parent, err := os.UserCacheDir()
		if err != nil {
			log.Debug("no cache for the compiled module", "error", err)
			return ""
		}
		dir = filepath.Join(parent, "djedge")
	}
	err := os.MkdirAll(dir, 0o700)
	var info os.FileInfo
	if err == nil {
		info, err = os.Lstat(dir)
	}
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(dir, ".probe-*"); err == nil {
			probe.Close()
			err = os.Remove(probe.Name())
		}
	}
	switch {
	case err != nil:
	case !info.IsDir():
		err = fmt.Errorf("%s is not a directory", dir)
	case info.Mode().Perm()&0o022 != 0:
		err = fmt.Errorf("%s is writable by others", dir)
	case !ownedByUs(info):
		err = fmt.Errorf("%s belongs to another user", dir)
	default:
		return dir
	}
	log.Warn("no cache for the compiled module, starts will be slower", "error", err)
	return ""
}
