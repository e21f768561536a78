package djuser_test

import (
	"encoding/hex"
	"fmt"
	"sync"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
)

// A hash that is remembered is that of the whole password column and of the
// current key, whoever asks.
func TestAuthHashIsRemembered(t *testing.T) {
	old := newSite(t, func(s *djuser.Settings) { s.Keys = signing.DeriveKeys("", oldSecret, nil) })
	current := newSite(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 200 {
				column := fmt.Sprintf("pbkdf2_sha256$1000$salt%d$the same hash at the end of all=", i%20)
				for secret, users := range map[string]*djuser.Users{oldSecret: old.users, secret: current.users} {
					want := hex.EncodeToString(signing.SaltedHMAC(signing.SHA256, signing.AuthHashSalt, column, secret))
					if got := users.SessionAuthHash(column); got != want {
						t.Errorf("%s: %s, want %s", column, got, want)
					}
				}
			}
		}()
	}
	wg.Wait()
}

// However often a session was let in, it ends with the password.
func TestRememberedHashEndsWithThePassword(t *testing.T) {
	s := newSite(t)
	user := s.add("zoe", "one", true)
	key := s.putLogin(t, "1", "one")
	for range 3 {
		for column, want := range map[string]gate.Reason{"one": gate.ReasonOK, "One": gate.ReasonAuthHashMismatch, "one ": gate.ReasonAuthHashMismatch} {
			user["password"] = query.Text(column)
			for range 3 {
				if _, _, why, err := s.users.FromKey(t.Context(), s.fake, key, query.Int(1)); err != nil || why != want {
					t.Fatalf("password column %q: %v, %v, want %v", column, why, err, want)
				}
			}
		}
	}
}
