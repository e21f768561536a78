package djsession

import (
	"context"
	"errors"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/pickle"
	"github.com/djedge/djedge/djsession/signing"
)

const (
	maxCookieBytes = 4096     // name and value; browsers drop larger ones
	maxCookieData  = 64 << 10 // inflated: far more than a cookie holds, unless it is a bomb
)

// cookieEngine is django.contrib.sessions.backends.signed_cookies: the key of a
// session is all of it, signed. Nothing is kept here, so nothing is revoked: a
// cookie that was copied is good until it is as old as the cookie age.
type cookieEngine struct{ *Store }

// load: whatever is wrong, the session is empty, keeps its key and is to be
// saved, so that the response replaces the cookie.
func (e cookieEngine) load(_ context.Context, fx Effects, key string) (*Session, error) {
	// The age is that of the setting, even for a session with its own expiry, and
	// is looked at every time.
	if known, ok := e.verified.Get(key); ok {
		if err := signing.CheckAge(key, fx.Now(), e.set.CookieAge); err != nil {
			return e.unread(key, err), nil
		}
		return &Session{key: key, items: known.items, known: known}, nil
	}
	loads := signing.Loads
	if e.pickles() {
		loads = signing.LoadsBytes
	}
	text, err := loads(key, fx.Now(), e.set.CookieAge, e.maxBytes(), e.rings()...)
	if err != nil {
		return e.unread(key, err), nil
	}
	items, err := e.deserialize(text, e.maxBytes())
	if errors.Is(err, pickle.ErrUndecodable) { // Django reads pickles of any kind, so the visitor keeps the cookie
		return &Session{key: key, err: unread(err)}, nil
	}
	if err != nil {
		return e.unread(key, err), nil
	}
	e.remember(key, items)
	return &Session{key: key, items: items}, nil
}

// rings are the keys that a cookie may be signed with.
func (e cookieEngine) rings() []signing.Ring {
	k := &e.set.Keys
	switch {
	case e.writesSHA1():
		return []signing.Ring{k.CookieSHA1}
	case e.transitional():
		return []signing.Ring{k.Cookie, k.CookieSHA1}
	}
	return []signing.Ring{k.Cookie}
}

func (e cookieEngine) unread(key string, why error) *Session {
	return &Session{key: key, modified: true, err: errorf.Errorf("decode session: %w", why)}
}

func (e cookieEngine) maxBytes() int { return min(e.set.MaxDataBytes, maxCookieData) }

func (e cookieEngine) create(ctx context.Context, fx Effects, sess *Session) error {
	return e.save(ctx, fx, sess)
}

func (e cookieEngine) save(_ context.Context, fx Effects, sess *Session) error {
	text, err := e.serialize(sess.items)
	if err != nil {
		return err
	}
	if len(text) > e.maxBytes() {
		return ErrCookieSize
	}
	key := e.set.Keys.Cookie.Current
	if e.writesSHA1() {
		key = e.set.Keys.CookieSHA1.Current
	}
	value := signing.Dumps(text, key, true, fx.Now())
	if len(e.set.CookieName)+len(value) > maxCookieBytes {
		return ErrCookieSize
	}
	sess.key = value
	sess.accessed, sess.modified = true, true
	return nil
}

func (e cookieEngine) remove(context.Context, Effects, string) error { return nil }

func (e cookieEngine) clearExpired(context.Context, Effects) (int64, error) { return 0, nil }
