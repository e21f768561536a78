package djsession_test

import (
	"context"
	"maps"
	"testing"

	"github.com/djedge/djedge/djsession"
)

// A client that goes away right after the database was changed, or the cache
// filled, leaves no entry behind that the database does not have.
func TestCachedDBClientGoesAway(t *testing.T) {
	for name, c := range map[string]struct {
		after string
		act   func(ctx context.Context, store *djsession.Store, fx *fake, sess *djsession.Session) error
	}{
		"flush": {"session_delete", func(ctx context.Context, store *djsession.Store, fx *fake, sess *djsession.Session) error {
			return store.Flush(ctx, fx, sess)
		}},
		"fill": {"cache_add", func(ctx context.Context, store *djsession.Store, fx *fake, sess *djsession.Session) error {
			clear(fx.stored)
			_, _ = store.Load(ctx, fx, sess.Key())
			return nil
		}},
		"save": {"cache_set", func(ctx context.Context, store *djsession.Store, fx *fake, sess *djsession.Session) error {
			sess.Set("n", "2")
			_ = store.Save(ctx, fx, sess)
			return nil
		}},
	} {
		store, fx := newEngine(t, djsession.EngineCachedDB, "5.2")
		sess := created(t, store, fx)
		ctx, cancel := context.WithCancel(t.Context())
		fx.after[c.after] = func() {
			clear(fx.rows) // as another request's logout does
			cancel()
		}
		must(t, c.act(ctx, store, fx, sess))
		if ctx.Err() == nil || len(fx.stored) != 0 {
			t.Errorf("%s: %d entries are left, gone %v", name, len(fx.stored), ctx.Err())
		}
		cancel()
	}
}

// An add that was sent again finds its own entry, which must be confirmed too.
func TestCachedDBAddSentAgain(t *testing.T) {
	store, fx := newEngine(t, djsession.EngineCachedDB, "5.2")
	sess := created(t, store, fx)
	own := maps.Clone(fx.stored)
	clear(fx.stored)
	fx.after["session_load"] = func() {
		maps.Copy(fx.stored, own)
		clear(fx.rows)
	}
	load(t, store, fx, sess.Key())
	if len(fx.stored) != 0 {
		t.Error("the entry is left")
	}
}
