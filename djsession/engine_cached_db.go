package djsession

import (
	"context"
	"errors"
	"time"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
)

const cachedDBPrefix = "django.contrib.sessions.cached_db"

// cachedDBEngine is django.contrib.sessions.backends.cached_db. It goes beyond
// Django where Django can leave an entry behind that the database does not
// have (any more): between reading or writing a row and entering it into the
// cache, another request may have logged out. So after an entry was made the
// row is read again, and the entry is taken back unless it is that row's.
type cachedDBEngine struct {
	db    dbEngine
	codec cacheCodec
}

// load takes a failing cache, and a value in it that cannot be read, for a miss.
func (e cachedDBEngine) load(ctx context.Context, fx Effects, key string) (*Session, error) {
	entry, cacheable := e.codec.key(key)
	var unreadable error
	if cacheable {
		got, err := ask(ctx, fx, StorageOp{Kind: CacheGet, Key: entry})
		switch {
		case err != nil:
			cacheable = false // do not wait for it once more
		case got.Found:
			items, err := e.codec.decode(got)
			if err == nil {
				return &Session{key: key, items: items}, nil
			}
			unreadable = err
		}
	}
	result, err := one(ctx, fx, e.db.LoadStatement(key, fx.Now()))
	if err != nil {
		return nil, err
	}
	sess, err := e.db.FromResult(key, result)
	if err != nil {
		return nil, err
	}
	sess.cacheErr = unreadable
	if cacheable && sess.key != "" && sess.err == nil {
		err = e.fill(ctx, fx, entry, sess, result, unreadable != nil)
	}
	return sess, err
}

// fill enters a row that was just read into the cache, until it expires. What
// others entered meanwhile stays, unless the row has changed since.
func (e cachedDBEngine) fill(ctx context.Context, fx Effects, entry string, sess *Session, result query.Result, replace bool) error {
	data, expires, ok := e.find(sess.key, result)
	remaining := expires.Sub(fx.Now()).Truncate(time.Second)
	if !ok || remaining <= 0 {
		return nil
	}
	op, err := e.codec.encode(sess.items)
	if err != nil {
		return nil // Django might; nobody needs it
	}
	if replace {
		if _, err := ask(ctx, fx, StorageOp{Kind: CacheDelete, Key: entry}); err != nil {
			return nil
		}
	}
	op.Kind, op.Key, op.TTL = CacheAdd, entry, remaining
	_, _ = ask(ctx, fx, op)
	// Also after an error, when the value may have arrived, and when the key was
	// taken: an add that was sent again finds its own entry.
	return e.confirm(ctx, fx, sess.key, entry, data)
}

// find is the row of key, as LoadStatement gives it.
func (e cachedDBEngine) find(key string, result query.Result) (data string, expires time.Time, ok bool) {
	for _, row := range result.Rows {
		if len(row) > 2 && row[0].Text() == key {
			date := e.db.Coerce(row[2], query.KindTime)
			return row[1].Text(), date.Time(), date.Kind() == query.KindTime
		}
	}
	return "", time.Time{}, false
}

// confirm removes an entry unless data is what the database has now. The entry
// is there already, so a client that went away does not stop this.
func (e cachedDBEngine) confirm(ctx context.Context, fx Effects, key, entry, data string) error {
	ctx = context.WithoutCancel(ctx)
	result, err := one(ctx, fx, e.db.LoadStatement(key, fx.Now()))
	if err == nil {
		if stored, _, ok := e.find(key, result); ok && stored == data {
			return nil
		}
	}
	_, gone := ask(ctx, fx, StorageOp{Kind: CacheDelete, Key: entry})
	return errors.Join(err, gone)
}

func (e cachedDBEngine) create(ctx context.Context, fx Effects, sess *Session) error {
	created := *sess
	if err := e.db.create(ctx, fx, &created); err != nil {
		return err
	}
	// Nobody else knows the new key, so nothing can have come in between.
	if _, err := e.enter(ctx, fx, &created); err != nil {
		return err
	}
	*sess = created
	return nil
}

// save writes the database first.
func (e cachedDBEngine) save(ctx context.Context, fx Effects, sess *Session) error {
	data, expires, err := e.db.row(sess, fx.Now())
	if err != nil {
		return err
	}
	err = e.db.updateRow(ctx, fx, sess.key, data, expires)
	if errors.Is(err, ErrUpdate) {
		e.forget(ctx, fx, sess.key) // what the database does not have
	}
	if err != nil {
		return err
	}
	entered, err := e.enter(ctx, fx, sess)
	if err != nil || !entered {
		return err
	}
	entry, _ := e.codec.key(sess.key)
	return e.confirm(ctx, fx, sess.key, entry, data.Text())
}

// enter puts sess into the cache. Since Django 5.1 a failing cache does not
// matter; then the old entry is taken away, as far as that can be done.
func (e cachedDBEngine) enter(ctx context.Context, fx Effects, sess *Session) (entered bool, err error) {
	entry, ok := e.codec.key(sess.key)
	if !ok {
		return false, nil
	}
	op, err := e.codec.encode(sess.items)
	if err == nil {
		op.Kind, op.Key = CacheSet, entry
		if op.TTL, err = e.db.ttl(sess, fx.Now()); err == nil {
			_, err = ask(ctx, fx, op)
		}
	}
	if err == nil {
		return true, nil
	}
	e.forget(ctx, fx, sess.key)
	if e.db.set.Version.AtLeast(5, 1) {
		return false, nil
	}
	return false, errorf.Errorf("the session is stored, but not cached: %w", err)
}

// forget removes an entry, if the cache can, and also for a client that went
// away: the database was changed.
func (e cachedDBEngine) forget(ctx context.Context, fx Effects, key string) {
	if entry, ok := e.codec.key(key); ok {
		_, _ = ask(context.WithoutCancel(ctx), fx, StorageOp{Kind: CacheDelete, Key: entry})
	}
}

// remove is an error when either part failed: an entry that is left would keep
// a session alive that has ended.
func (e cachedDBEngine) remove(ctx context.Context, fx Effects, key string) error {
	if err := e.db.remove(ctx, fx, key); err != nil {
		return err
	}
	entry, ok := e.codec.key(key)
	if !ok {
		return nil
	}
	_, err := ask(context.WithoutCancel(ctx), fx, StorageOp{Kind: CacheDelete, Key: entry})
	return err
}

func (e cachedDBEngine) clearExpired(ctx context.Context, fx Effects) (int64, error) {
	return e.db.clearExpired(ctx, fx)
}
