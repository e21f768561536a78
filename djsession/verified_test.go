package djsession_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/signing"
)

const verifiedKey = "abcdefghijklmnopqrstuvwxyz012345"

// keysOf is the keys of a site.
func keysOf(secret string, fallbacks ...string) djsession.Settings {
	return djsession.Settings{Keys: signing.DeriveKeys("", secret, fallbacks)}
}

func textOf(t *testing.T, sess *djsession.Session, name string) string {
	t.Helper()
	s, _ := sess.Text(name)
	return s
}

// Bytes that were right twice are right, and nothing else is: not the same
// bytes but for one, and nothing that was once wrong.
func TestVerifiedBytes(t *testing.T) {
	store, fx := newStore(t, keysOf("current")), newFake(t)
	expires := store.Time(start.Add(time.Hour))
	data, err := store.Encode([]djsession.Item{{Key: "name", Raw: `"zoe"`}, {Key: "cart", Raw: `["` + strings.Repeat("tea ", 99) + `"]`}}, start)
	must(t, err)
	for i := range 4 {
		fx.rows[verifiedKey] = row{data, expires}
		if sess := load(t, store, fx, verifiedKey); sess.Err() != nil || textOf(t, sess, "name") != "zoe" {
			t.Fatalf("load %d: %v", i, sess.Err())
		}
		if got := store.Remembers(data); got != (i > 0) {
			t.Errorf("after load %d remembered is %v", i, got)
		}
		for at := range len(data) { // a byte of the data, the time and the signature
			wrong := []byte(data)
			if wrong[at] ^= 1; i > 1 && at%7 > 0 {
				continue
			}
			fx.rows[verifiedKey] = row{string(wrong), expires}
			if sess := load(t, store, fx, verifiedKey); !errors.Is(sess.Err(), signing.ErrBadSignature) || sess.Len() != 0 {
				t.Fatalf("load %d with byte %d changed: %v", i, at, sess.Err())
			}
			if store.Remembers(string(wrong)) {
				t.Fatal("what failed is remembered")
			}
		}
	}
}

// The keys are those of the Store: another has verified nothing.
func TestVerifiedBytesAreOfTheirKeys(t *testing.T) {
	before, rotated, after := newStore(t, keysOf("old")), newStore(t, keysOf("new", "old")), newStore(t, keysOf("new"))
	fx := newFake(t)
	data, err := before.Encode([]djsession.Item{{Key: "name", Raw: `"zoe"`}}, start)
	must(t, err)
	fx.rows[verifiedKey] = row{data, before.Time(start.Add(time.Hour))}
	for range 3 {
		for _, store := range []*djsession.Store{before, rotated} {
			if sess := load(t, store, fx, verifiedKey); sess.Err() != nil {
				t.Fatal(sess.Err())
			}
		}
		if sess := load(t, after, fx, verifiedKey); !errors.Is(sess.Err(), signing.ErrBadSignature) {
			t.Fatalf("without the fallback: %v", sess.Err())
		}
	}
	if !before.Remembers(data) || !rotated.Remembers(data) || after.Remembers(data) {
		t.Error("remembered by the wrong stores")
	}
}

// Sessions of the same bytes have the same items and are none the less two.
func TestVerifiedBytesAreShared(t *testing.T) {
	store, fx := newStore(t, keysOf("current")), newFake(t)
	data, err := store.Encode([]djsession.Item{{Key: "a", Raw: `"1"`}, {Key: "b", Raw: `"2"`}}, start)
	must(t, err)
	other := strings.Replace(verifiedKey, "a", "z", 1)
	fx.rows[verifiedKey], fx.rows[other] = row{data, store.Time(start.Add(time.Hour))}, row{data, store.Time(start.Add(time.Hour))}
	for range 3 {
		load(t, store, fx, verifiedKey)
	}
	one, two := load(t, store, fx, verifiedKey), load(t, store, fx, other)
	if one.Key() != verifiedKey || two.Key() != other {
		t.Fatal("the keys are mixed up")
	}
	one.SetText("a", "changed")
	one.SetText("c", "new")
	three := load(t, store, fx, verifiedKey)
	three.Delete("a")
	three.SetText("c", "newer")
	four := load(t, store, fx, other)
	four.Clear()
	for _, sess := range []*djsession.Session{two, load(t, store, fx, verifiedKey)} {
		if fmt.Sprint(sess.Items()) != `[{a "1" } {b "2" }]` {
			t.Errorf("another session's changes are seen: %v", sess.Items())
		}
	}
	if textOf(t, one, "a") != "changed" || textOf(t, one, "c") != "new" || textOf(t, three, "c") != "newer" || three.Len() != 2 {
		t.Errorf("changes are lost: %v, %v", one.Items(), three.Items())
	}
	state := djsession.State{Key: one.Key(), Items: two.Items(), Loaded: true}
	state.Session().SetText("a", "changed")
	if textOf(t, two, "a") != "1" {
		t.Error("a state changed the session it was made of")
	}
}

// However well a cookie is known, it is as old as it is.
func TestVerifiedCookiesExpire(t *testing.T) {
	set := keysOf("current")
	set.Engine, set.CookieAge = djsession.EngineSignedCookies, time.Hour
	store, fx := newStore(t, set), newFake(t)
	sess := djsession.NewSession("")
	sess.SetText("name", "zoe")
	must(t, store.Save(ctx, fx, sess))
	cookie := sess.Key()
	for i := range 4 {
		if got := load(t, store, fx, cookie); got.Err() != nil || textOf(t, got, "name") != "zoe" || got.Modified() {
			t.Fatalf("load %d: %v", i, got.Err())
		}
	}
	if !store.Remembers(cookie) {
		t.Error("the cookie is not remembered")
	}
	for _, c := range []struct {
		age  time.Duration
		want error
	}{{time.Hour - time.Second, nil}, {time.Hour + time.Second, signing.ErrExpired}, {0, nil}, {1000 * time.Hour, signing.ErrExpired}} {
		fx.now = start.Add(c.age)
		got := load(t, store, fx, cookie)
		if !errors.Is(got.Err(), c.want) || got.Modified() != (c.want != nil) || (got.Len() == 0) != (c.want != nil) {
			t.Errorf("after %v: %v, %d items", c.age, got.Err(), got.Len())
		}
	}
}

// However many sessions there are, they take no more than they may; with none
// allowed nothing is kept.
func TestVerifiedBytesAreBounded(t *testing.T) {
	for _, limit := range []int{-1, 10_000, 100_000} {
		set := keysOf("current")
		set.VerifiedBytes = limit
		store := newStore(t, set)
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				fx := newFake(t)
				for i := range 400 {
					name := fmt.Sprintf("%d-%d", w%2, i%100) // of two workers the same
					data, err := store.Encode([]djsession.Item{{Key: "name", Raw: `"` + name + `"`}}, start)
					if err != nil {
						t.Error(err)
						return
					}
					fx.rows[verifiedKey] = row{data, store.Time(start.Add(time.Hour))}
					for range 3 {
						sess, err := store.Load(ctx, fx, verifiedKey)
						if got, _ := sess.Text("name"); err != nil || got != name {
							t.Errorf("session %s is %q (%v)", name, got, err)
							return
						}
					}
				}
			}()
		}
		wg.Wait()
		if used := store.Remembered(); used > max(limit, 0) || limit > 0 && used < limit/4 {
			t.Errorf("%d bytes are used of %d", used, limit)
		}
	}
}
