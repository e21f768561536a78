package djsession_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
)

// What Django wrote with PickleSerializer for {"a": (1, "é"), "n": 2}, with the
// SECRET_KEY "secret" at 1748417998.
const (
	pickled22       = "Yzg0ZTUzNGQ4ZTFkMzBlYTFhNzAzNDdlYjFjNjNmZGEwZmQ4MzRmZjqABZUYAAAAAAAAAH2UKIwBYZRLAYwCw6mUhpSMAW6USwJ1Lg=="
	pickled42       = "gAWVGAAAAAAAAAB9lCiMAWGUSwGMAsOplIaUjAFulEsCdS4:1uKBOI:sO9aMvHvJ7f3AVC9tvsoCdKSjs8FoVcHf_ssf7YE3zo" // and 3.2
	pickledCookie22 = "gAWVGAAAAAAAAAB9lCiMAWGUSwGMAsOplIaUjAFulEsCdS4:1uKBOI:dFJLIOoyVmzTJ3JohTwuqdgVLtM"
	pickledCookie42 = "gAWVGAAAAAAAAAB9lCiMAWGUSwGMAsOplIaUjAFulEsCdS4:1uKBOI:W-va4pyyjILiNncJtWmUh3Kwd0RMvPvRf2pezzxm3-k" // and 3.2
)

func TestPickleSerializer(t *testing.T) {
	fx := newFake(t)
	fx.now = time.Unix(1748417998, 0)
	for _, c := range []struct {
		release      version.Version
		data, cookie string
	}{
		{version.Version{Major: 2, Minor: 2}, pickled22, pickledCookie22},
		{version.Version{Major: 3, Minor: 2}, pickled42, pickledCookie42},
		{version.Version{Major: 3, Minor: 2}, pickled22, pickledCookie22},
		{version.Version{Major: 4, Minor: 2}, pickled42, pickledCookie42},
	} {
		set := djsession.Settings{Version: c.release, Keys: signing.DeriveKeys("", "secret", nil), Serializer: djsession.SerializerPickle}
		store := newStore(t, set)
		read := func(items []djsession.Item, err error) {
			t.Helper()
			if err != nil || len(items) != 2 || items[0].Raw != `[1,"\u00e9"]` || items[0].Pickled == "" || items[1] != (djsession.Item{Key: "n", Raw: "2"}) {
				t.Errorf("%v: %+v, %v", c.release, items, err)
			}
		}
		items, err := store.Decode(c.data)
		read(items, err)
		data, err := store.Encode(items, fx.now)
		must(t, err)
		read(store.Decode(data))
		if legacy := !strings.Contains(data, ":"); legacy != !c.release.AtLeast(3, 1) {
			t.Errorf("%v writes %s", c.release, data)
		}
		set.Engine = djsession.EngineSignedCookies
		sess := load(t, newStore(t, set), fx, c.cookie)
		read(sess.Items(), sess.Err())

		// Another serializer's data is none.
		set.Serializer = djsession.SerializerJSON
		if got := load(t, newStore(t, set), fx, c.cookie); got.Len() != 0 || got.Fault() != djsession.FaultJSON {
			t.Errorf("%v: as JSON: %+v, %v", c.release, got.Items(), got.Err())
		}
	}
	// What only Django reads is left alone, in a cookie too.
	keys := signing.DeriveKeys("", "secret", nil)
	hostile := signing.Dumps("\x80\x05cos\nsystem\n.", keys.Cookie.Current, true, fx.now)
	store := newStore(t, djsession.Settings{Version: version.Version{Major: 4, Minor: 2}, Keys: keys, Serializer: djsession.SerializerPickle, Engine: djsession.EngineSignedCookies})
	sess := load(t, store, fx, hostile)
	if sess.Key() != hostile || sess.Modified() || sess.Fault() != "pickle_global" || !errors.Is(store.Save(ctx, fx, sess), djsession.ErrUnread) {
		t.Errorf("hostile: %v, modified %v", sess.Err(), sess.Modified())
	}
}

func TestSerializerSettings(t *testing.T) {
	keys := signing.DeriveKeys("", "secret", nil)
	for _, c := range []struct {
		set  djsession.Settings
		want string
	}{
		{djsession.Settings{Serializer: "yaml"}, "session_serializer: "},
		{djsession.Settings{Serializer: "pickle", Version: version.Version{Major: 5}}, "session_serializer: django 5.0 has no PickleSerializer"},
		{djsession.Settings{Serializer: "pickle", Version: version.Version{Major: 4, Minor: 2}}, ""},
		{djsession.Settings{DefaultHashingAlgorithm: signing.SHA512}, "default_hashing_algorithm: "},
		{djsession.Settings{DefaultHashingAlgorithm: signing.SHA1}, "default_hashing_algorithm: "},
		{djsession.Settings{DefaultHashingAlgorithm: signing.SHA1, Version: version.Version{Major: 3}}, "default_hashing_algorithm: "},
		{djsession.Settings{DefaultHashingAlgorithm: signing.SHA1, Version: version.Version{Major: 3, Minor: 1}}, ""},
	} {
		c.set.Keys = keys
		_, err := djsession.New(c.set)
		if c.want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.want, err)
		}
	}
}
