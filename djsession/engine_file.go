package djsession

import (
	"context"
	"errors"
	"strings"
	"time"
)

// fileEngine is django.contrib.sessions.backends.file: session_data in a file
// whose name is SESSION_COOKIE_NAME and the key. A folder that does not answer
// is an error here; Django would take the visitor for logged out, and a
// session for saved that is not.
type fileEngine struct{ *Store }

// name: Django raises InvalidSessionKey for other characters, since they could
// leave the folder.
func (e fileEngine) name(key string) (name string, ok bool) {
	name = e.set.CookieName + key
	return name, strings.Trim(key, keyAlphabet) == "" && len(name) <= maxFileName
}

// maxFileName is in bytes: what file systems allow (255) without the ending of
// the temporary file by which one is replaced.
const maxFileName = 200

// load leaves the file of an expired session where it is, and makes no new one:
// reading writes nothing.
func (e fileEngine) load(ctx context.Context, fx Effects, key string) (*Session, error) {
	name, ok := e.name(key)
	if !ok {
		return NewSession(""), nil
	}
	got, err := ask(ctx, fx, StorageOp{Kind: FileGet, Key: name})
	switch {
	case err != nil:
		return nil, err
	case !got.Found:
		return NewSession(""), nil
	case got.Value == "": // being created
		return NewSession(key), nil
	}
	sess := &Session{key: key}
	sess.items, sess.err = e.Decode(got.Value)
	if errors.Is(sess.err, ErrUnread) { // its expiry is unknown
		return sess, nil
	}
	alive, err := e.alive(sess, got.Modified, fx.Now())
	if err != nil {
		return &Session{key: key, err: unread(err)}, nil
	}
	if !alive {
		return NewSession(""), nil
	}
	return sess, nil
}

// alive is Django's rule: an expiry of the session's own counts by itself, so
// that one in seconds, being positive, never ends here but with its cookie;
// else the cookie age counts from the last change.
func (e fileEngine) alive(sess *Session, modified, now time.Time) (bool, error) {
	expiry, err := readExpiry(sess)
	switch {
	case err != nil:
		return false, err
	case expiry.falsy:
		return modified.Add(e.set.CookieAge).Sub(now) >= time.Second, nil
	}
	age, err := e.ExpirySeconds(sess, now)
	return age > 0, err
}

func (e fileEngine) create(ctx context.Context, fx Effects, sess *Session) error {
	data, err := e.Encode(sess.items, fx.Now())
	if err != nil {
		return err
	}
	return underNewKey(ctx, fx, sess, func(key string) (bool, error) {
		name, _ := e.name(key)
		made, err := ask(ctx, fx, StorageOp{Kind: FileCreate, Key: name, Value: data})
		return made.Found, err
	})
}

func (e fileEngine) save(ctx context.Context, fx Effects, sess *Session) error {
	name, ok := e.name(sess.key)
	if !ok {
		return ErrUpdate
	}
	data, err := e.Encode(sess.items, fx.Now())
	if err != nil {
		return err
	}
	replaced, err := ask(ctx, fx, StorageOp{Kind: FileReplace, Key: name, Value: data})
	if err == nil && !replaced.Found {
		return ErrUpdate
	}
	return err
}

func (e fileEngine) remove(ctx context.Context, fx Effects, key string) error {
	name, ok := e.name(key)
	if !ok {
		return nil
	}
	_, err := ask(ctx, fx, StorageOp{Kind: FileDelete, Key: name})
	return err
}

// clearExpired looks at each file, since its name does not say when it expires.
// Files with other names, those of half-written sessions among them, and
// sessions that only Django may be able to read are left alone.
func (e fileEngine) clearExpired(ctx context.Context, fx Effects) (removed int64, err error) {
	list := StorageOp{Kind: FileList, Key: e.set.CookieName}
	for {
		got, err := ask(ctx, fx, list)
		if err != nil {
			return removed, err
		}
		n := 0
		for name := range strings.Lines(got.Value) {
			n++
			list.Value = strings.TrimSuffix(name, "\n")
			gone, err := e.clear(ctx, fx, list.Value)
			if err != nil {
				return removed, err
			}
			if gone {
				removed++
			}
		}
		if n < ListLength {
			return removed, nil
		}
	}
}

// clear removes the file of this name if its session is over.
func (e fileEngine) clear(ctx context.Context, fx Effects, name string) (bool, error) {
	key, ok := strings.CutPrefix(name, e.set.CookieName)
	if _, named := e.name(key); !ok || !named || !ValidKey(key) {
		return false, nil
	}
	sess, err := e.load(ctx, fx, key)
	if err != nil || sess.key != "" {
		return false, err
	}
	deleted, err := ask(ctx, fx, StorageOp{Kind: FileDelete, Key: name})
	return deleted.Found, err
}
