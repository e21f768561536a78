package djsession_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/version"
)

// respond is what becomes of a response.
func respond(store *djsession.Store, fx *fake, state djsession.State, hadCookie bool, status int) (*djsession.Session, string, error) {
	sess := state.Session()
	cookie, err := store.Respond(context.Background(), fx, sess, store.AtResponse(sess, hadCookie, status))
	return sess, cookie, err
}

// The vectors of Django 5.2 are judged by `go run ./build vectors`; this is
// what they do not have: releases, and errors.
func TestAtResponse(t *testing.T) {
	changed := djsession.State{Loaded: true, Accessed: true, Modified: true, Items: []djsession.Item{{Key: "a", Raw: "1"}}}
	for release, saves := range map[string]map[int]bool{
		"2.2": {200: true, 499: true, 500: false, 501: true, 503: true},
		"4.1": {499: true, 500: false, 503: true},
		"4.2": {499: true, 500: false, 503: false},
		"6.1": {499: true, 500: false, 599: false},
	} {
		v, err := version.Parse(release)
		if err != nil {
			t.Fatal(err)
		}
		store := newStore(t, djsession.Settings{Version: v})
		for status, want := range saves {
			if do := store.AtResponse(changed.Session(), true, status); do != (djsession.Response{Save: want, Vary: true}) {
				t.Errorf("Django %s, %d: %+v", release, status, do)
			}
		}
	}
}

// What cannot be a cookie is not saved either.
func TestRespondChecksFirst(t *testing.T) {
	for name, state := range map[string]djsession.State{
		"an expiry that is none": {Modified: true, Items: []djsession.Item{{Key: "_session_expiry", Raw: `"soon"`}}},
		"an expiry beyond time":  {Modified: true, Items: []djsession.Item{{Key: "_session_expiry", Raw: "1e300"}}},
		"a key beyond latin-1":   {Modified: true, Key: "€€€€€€€€"},
	} {
		for _, engine := range []djsession.Engine{djsession.EngineDB, djsession.EngineFile, djsession.EngineCache} {
			fx := newFake(t)
			store := newStore(t, djsession.Settings{Engine: engine})
			if _, cookie, err := respond(store, fx, state, true, 200); err == nil || cookie != "" || fx.did() != "" {
				t.Errorf("%s, %s: %q %v", name, engine, cookie, err)
			}
		}
	}
}

func TestRespond(t *testing.T) {
	changed := djsession.State{Loaded: true, Accessed: true, Modified: true, Items: []djsession.Item{{Key: "a", Raw: "1"}}}
	for _, engine := range []djsession.Engine{djsession.EngineDB, djsession.EngineCachedDB, djsession.EngineCache, djsession.EngineFile, djsession.EngineSignedCookies} {
		fx := newFake(t)
		store := newStore(t, djsession.Settings{Engine: engine})
		sess, cookie, err := respond(store, fx, changed, false, 200)
		if err != nil || !strings.HasPrefix(cookie, "sessionid="+sess.Key()+"; expires=") {
			t.Fatalf("%s: %q %v", engine, cookie, err)
		}
		loaded, err := store.Load(t.Context(), fx, sess.Key())
		if err != nil || len(loaded.Items()) != 1 || loaded.Key() == "" {
			t.Errorf("%s: %+v %v", engine, loaded, err)
		}
		if engine == djsession.EngineSignedCookies {
			continue // which nobody can delete
		}
		if err := store.Delete(t.Context(), fx, sess.Key()); err != nil {
			t.Fatal(err)
		}
		again := changed
		again.Key = sess.Key()
		if _, cookie, err := respond(store, fx, again, true, 200); !errors.Is(err, djsession.ErrUpdate) || cookie != "" {
			t.Errorf("%s: deleted meanwhile: %q %v", engine, cookie, err)
		}
	}
}
