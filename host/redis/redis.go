// Package redis keeps sessions in Redis or Valkey, with the commands that
// Django's RedisCache and django-redis use, so that each reads what the other
// wrote.
package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/djedge/djedge/djsession"
)

// DB is one database of Redis, with its replicas. It is safe for concurrent use.
type DB struct {
	writer  *goredis.Client
	readers []*goredis.Client // the writer alone when there are no replicas
}

// Open connects once, to find out that it can. servers is LOCATION of
// Django's CACHES: one URL, or several separated by commas or semicolons, of
// which the first is written to and the others, at random, are read from.
//
//	redis://[user:password@]host[:port][/database]
//	rediss://…                                      over TLS 1.2 or later
//	unix://[user:password@]/path/of/socket[?db=database]
//
// What go-redis reads from a URL's query is read here too (pool_size,
// dial_timeout, skip_verify …). A replica that is down is found out when it is
// asked.
func Open(ctx context.Context, servers string) (*DB, error) {
	db := &DB{}
	for server := range strings.FieldsFuncSeq(servers, func(r rune) bool { return r == ',' || r == ';' }) {
		client, err := newClient(strings.TrimSpace(server))
		if err != nil {
			_ = db.Close()
			return nil, err
		}
		if db.writer == nil {
			db.writer = client
		} else {
			db.readers = append(db.readers, client)
		}
	}
	if db.writer == nil {
		return nil, errors.New("redis: no server is given")
	}
	if len(db.readers) == 0 {
		db.readers = []*goredis.Client{db.writer}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := db.Ping(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

func newClient(server string) (*goredis.Client, error) {
	options, err := goredis.ParseURL(server)
	if err != nil {
		return nil, parseError(server)
	}
	options.ContextTimeoutEnabled = true // go-redis would not hear of deadlines
	options.DialerRetries = 1            // five times, by default
	if options.MaxRetries == 0 {
		// Once, for a connection that was lost while it was idle. A command
		// that was heard twice does no harm: at worst an add says that the
		// key, which is random, is taken, and another one is tried.
		options.MaxRetries = 1
	}
	if options.Protocol == 0 {
		options.Protocol = 2 // nothing of 3 is used
	}
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return goredis.NewClient(options), nil
}

// Ping asks the server that is written to.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.writer.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis: %w", clean(ctx, err))
	}
	return nil
}

// Close closes every connection.
func (db *DB) Close() error {
	var errs []error
	for _, client := range db.readers {
		if client != db.writer {
			errs = append(errs, client.Close())
		}
	}
	if db.writer != nil {
		errs = append(errs, db.writer.Close())
	}
	return errors.Join(errs...)
}

// Storage does one of the Cache operations, in one round trip. A TTL below one
// second counts as expired, since Django sends whole seconds; as with Django,
// an expired add tells whether the key was free.
func (db *DB) Storage(ctx context.Context, op djsession.StorageOp) (djsession.StorageResult, error) {
	result, err := db.do(ctx, op)
	if err != nil {
		return djsession.StorageResult{}, fmt.Errorf("redis: %w", clean(ctx, err))
	}
	return result, nil
}

func (db *DB) do(ctx context.Context, op djsession.StorageOp) (result djsession.StorageResult, err error) {
	seconds := int64(op.TTL / time.Second)
	switch {
	case op.Kind == djsession.CacheGet:
		reader := db.readers[0]
		if n := len(db.readers); n > 1 {
			reader = db.readers[rand.IntN(n)]
		}
		result.Value, err = reader.Get(ctx, op.Key).Result()
		return found(result, err)
	case op.Kind == djsession.CacheSet && seconds > 0:
		err = db.writer.Do(ctx, "SET", op.Key, op.Value, "EX", seconds).Err()
		return found(result, err)
	case op.Kind == djsession.CacheSet:
		err = db.writer.Del(ctx, op.Key).Err()
		return found(result, err)
	case op.Kind == djsession.CacheAdd && seconds > 0:
		err = db.writer.Do(ctx, "SET", op.Key, op.Value, "EX", seconds, "NX").Err()
		return found(result, err)
	case op.Kind == djsession.CacheAdd:
		n, err := db.writer.Exists(ctx, op.Key).Result()
		result.Found = err == nil && n == 0
		return result, err
	case op.Kind == djsession.CacheDelete:
		n, err := db.writer.Del(ctx, op.Key).Result()
		result.Found = n > 0
		return result, err
	}
	return result, errNotCache
}

// found reads Redis' null: there was no value, or it was not stored.
func found(result djsession.StorageResult, err error) (djsession.StorageResult, error) {
	if errors.Is(err, goredis.Nil) {
		return result, nil
	}
	result.Found = err == nil
	return result, err
}
