package djsession

import (
	"context"
	"time"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
)

// engine is where sessions are kept. A key was accepted by [ValidKey].
type engine interface {
	// load: a miss is a session without a key.
	load(ctx context.Context, fx Effects, key string) (*Session, error)
	// create stores sess under a new key, and gives it that key.
	create(ctx context.Context, fx Effects, sess *Session) error
	// save replaces what is stored under the session's key, or is ErrUpdate.
	save(ctx context.Context, fx Effects, sess *Session) error
	// remove: what is not there is fine.
	remove(ctx context.Context, fx Effects, key string) error
	// clearExpired counts what it removed.
	clearExpired(ctx context.Context, fx Effects) (int64, error)
}

func (s *Store) newEngine() engine {
	switch s.set.Engine {
	case EngineCachedDB:
		return cachedDBEngine{dbEngine{s}, s.newCacheCodec(cachedDBPrefix)}
	case EngineCache:
		return cacheEngine{s, s.newCacheCodec(cachePrefix)}
	case EngineFile:
		return fileEngine{s}
	case EngineSignedCookies:
		return cookieEngine{s}
	}
	return dbEngine{s}
}

// createTries bounds how often a new key may already exist. With sound
// randomness none ever does; Django tries 10000 times with a cache, which says
// the same when it stores nothing at all.
const createTries = 5

var errTaken = errorf.Errorf("every new key is taken, or nothing is stored: %w", query.ErrDuplicate)

// underNewKey makes keys until store takes one, and gives it to sess.
func underNewKey(ctx context.Context, fx Effects, sess *Session, store func(key string) (stored bool, err error)) error {
	for range createTries {
		key, err := NewKey(ctx, fx)
		if err != nil {
			return err
		}
		stored, err := store(key)
		if err != nil {
			return err
		}
		if stored {
			sess.key = key
			sess.accessed, sess.modified = true, true
			return nil
		}
	}
	return errTaken
}

// ask does one operation on the storage.
func ask(ctx context.Context, fx Effects, op StorageOp) (StorageResult, error) {
	result, err := fx.Storage(ctx, op)
	if err != nil {
		return StorageResult{}, errorf.Errorf("%w: %w", ErrStorage, err)
	}
	return result, nil
}

// ttl is how long a cache keeps sess: get_expiry_age in whole seconds.
func (s *Store) ttl(sess *Session, now time.Time) (time.Duration, error) {
	age, err := s.ExpiryAge(sess, now)
	if err != nil {
		return 0, err
	}
	return time.Duration(max(0, min(age, int64(maxCookieAge/time.Second)))) * time.Second, nil
}

// String names the operation for a log.
func (k StorageKind) String() string {
	names := [...]string{"", "cache_get", "cache_set", "cache_add", "cache_delete", "file_get", "file_create", "file_replace", "file_delete", "file_list"}
	if k > 0 && int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}
