package main

import (
	"context"
	"os"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/files"
	"github.com/djedge/djedge/host/memcached"
	"github.com/djedge/djedge/host/redis"
)

// openStorage opens what session_engine needs beside the database; nil when
// that is nothing.
func openStorage(ctx context.Context, c *config) (host.Storage, error) {
	engine := djsession.Engine(c.host.SessionEngine)
	if !engine.UsesStorage() {
		return nil, nil
	}
	if engine == djsession.EngineFile {
		path := c.filePath
		if path == "" {
			path = os.TempDir()
		}
		folder, err := files.Open(path)
		if err != nil {
			return nil, configf("session_file_path: %w", err)
		}
		return folder, nil
	}
	if c.cache == "" {
		return nil, configf("cache_location is missing: session_engine %s needs a cache", engine)
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if djsession.CacheFormat(c.host.CacheFormat) == djsession.CacheMemcached {
		pool, err := memcached.Open(ctx, c.cache)
		if err != nil {
			return nil, err
		}
		return pool, nil
	}
	db, err := redis.Open(ctx, c.cache)
	if err != nil {
		return nil, err
	}
	return db, nil
}
