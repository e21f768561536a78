package djsession_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/signing"
)

// What only the limits here refuse keeps its key and its cookie, and is
// never written over.
func TestUnread(t *testing.T) {
	const key = "abcdefghijklmnop"
	keys := signing.DeriveKeys("", "secret", nil)
	large := signing.Dumps(`{"a":"`+strings.Repeat("x", 5000)+`"}`, keys.Session.Current, true, start)
	deep := signing.Dumps(`{"a":`+strings.Repeat("[", 300)+strings.Repeat("]", 300)+`}`, keys.Session.Current, true, start)
	for _, c := range []struct {
		engine djsession.Engine
		data   string
		unread bool
	}{
		{djsession.EngineDB, large, true}, {djsession.EngineDB, deep, true},
		{djsession.EngineCachedDB, large, true}, {djsession.EngineCachedDB, deep, true},
		{djsession.EngineFile, large, true}, {djsession.EngineFile, deep, true},
		{djsession.EngineCache, "\x80\x05cos\nsystem\n(X\x01\x00\x00\x00atR.", true},
		{djsession.EngineDB, "e30:1:x", false}, {djsession.EngineFile, "e30:1:x", false}, // Django's own loss
		{djsession.EngineDB, signing.Dumps("no JSON", keys.Session.Current, true, start), false},
	} {
		store, fx := newStore(t, djsession.Settings{Engine: c.engine, Keys: keys, MaxDataBytes: 4096}), newFake(t)
		fx.rows[key] = row{c.data, store.Time(start.Add(time.Hour))}
		file := supply(c.data, 0)
		file.Modified = start
		switch c.engine {
		case djsession.EngineFile:
			fx.stored["sessionid"+key] = file
		case djsession.EngineCache:
			fx.stored[":1:django.contrib.sessions.cache"+key] = file
		}
		sess := load(t, store, fx, key)
		if sess.Key() != key || sess.Err() == nil || errors.Is(sess.Err(), djsession.ErrUnread) != c.unread || sess.Len() != 0 {
			t.Fatalf("%s %.20q: key %q, %v", c.engine, c.data, sess.Key(), sess.Err())
		}
		if do := store.AtResponse(sess, true, 200); do != (djsession.Response{Vary: true}) {
			t.Errorf("%s: touched: %+v", c.engine, do)
		}
		fx.did()
		sess.Set("b", "1")
		cookie, err := store.Respond(ctx, fx, sess, store.AtResponse(sess, true, 200))
		if errors.Is(err, djsession.ErrUnread) != c.unread || (cookie == "") != c.unread {
			t.Errorf("%s %.20q: %q, %v", c.engine, c.data, cookie, err)
		}
		if !c.unread {
			continue
		}
		if err := store.CycleKey(ctx, fx, sess); !errors.Is(err, djsession.ErrUnread) || sess.Key() != key {
			t.Errorf("%s: cycle: %v", c.engine, err)
		}
		if did := fx.did(); did != "" || fx.rows[key].data != c.data {
			t.Errorf("%s: %s", c.engine, did)
		}
	}
}
