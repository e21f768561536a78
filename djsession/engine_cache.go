package djsession

import "context"

const cachePrefix = "django.contrib.sessions.cache"

// cacheEngine is django.contrib.sessions.backends.cache. A cache that does not
// answer is an error here; Django would take everybody for logged out.
type cacheEngine struct {
	*Store
	codec cacheCodec
}

func (e cacheEngine) load(ctx context.Context, fx Effects, key string) (*Session, error) {
	entry, ok := e.codec.key(key)
	if !ok {
		return NewSession(""), nil
	}
	got, err := ask(ctx, fx, StorageOp{Kind: CacheGet, Key: entry})
	if err != nil {
		return nil, err
	}
	if !got.Found {
		return NewSession(""), nil
	}
	items, err := e.codec.decode(got)
	if err != nil { // Django reads pickles of any kind, so the visitor keeps the key
		return &Session{key: key, err: unread(err)}, nil
	}
	return &Session{key: key, items: items}, nil
}

func (e cacheEngine) create(ctx context.Context, fx Effects, sess *Session) error {
	op, err := e.value(fx, sess)
	if err != nil {
		return err
	}
	op.Kind = CacheAdd
	return underNewKey(ctx, fx, sess, func(key string) (bool, error) {
		var ok bool
		if op.Key, ok = e.codec.key(key); !ok {
			return false, errCacheKey
		}
		added, err := ask(ctx, fx, op)
		return added.Found, err
	})
}

// save looks first whether the session is still there, as Django does: caches
// have no operation that would do both at once in every format.
func (e cacheEngine) save(ctx context.Context, fx Effects, sess *Session) error {
	op, err := e.value(fx, sess)
	if err != nil {
		return err
	}
	entry, ok := e.codec.key(sess.key)
	if !ok {
		return ErrUpdate
	}
	got, err := ask(ctx, fx, StorageOp{Kind: CacheGet, Key: entry})
	if err != nil {
		return err
	}
	if !got.Found {
		return ErrUpdate
	}
	op.Kind, op.Key = CacheSet, entry
	_, err = ask(ctx, fx, op)
	return err
}

// value is what is stored of sess, and for how long.
func (e cacheEngine) value(fx Effects, sess *Session) (StorageOp, error) {
	op, err := e.codec.encode(sess.items)
	if err != nil {
		return op, err
	}
	op.TTL, err = e.ttl(sess, fx.Now())
	return op, err
}

func (e cacheEngine) remove(ctx context.Context, fx Effects, key string) error {
	entry, ok := e.codec.key(key)
	if !ok {
		return nil
	}
	_, err := ask(ctx, fx, StorageOp{Kind: CacheDelete, Key: entry})
	return err
}

// clearExpired: the cache does that by itself.
func (e cacheEngine) clearExpired(context.Context, Effects) (int64, error) { return 0, nil }
