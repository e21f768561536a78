package e2e

import (
	"strings"
	"sync"
	"testing"
)

// Logins of one user race to upgrade the hash. Every one that djedge makes lives, since djedge replaces a hash only when it is still
// the one that was verified; one that Django makes at the same time lives too, for the same reason.
func TestHashUpgradesAtTheSameTime(t *testing.T) {
	everyEngine(t, func(t *testing.T, kind, engine string) {
		s := startSite(t, kind, current, settings{"PASSWORD_HASHERS": []string{"hashers.QuickPBKDF2PasswordHasher"}},
			edgeOptions{engine: engine, config: quickConfig})
		another := &site{t, s.db, s.django, startEdge(t, s.db.url, edgeOptions{engine: engine, config: quickConfig})}
		for round := range 10 {
			withDjango := round%2 == 1
			u := user{newName(), "a password"}
			s.django.control(t, "create_user", arguments{"username": u.Username, "encoded": s.weak(u.Password, weakIterations)}, nil)

			var logins sync.WaitGroup
			atOnce := func(v *visitor, url string) *visitor {
				logins.Go(func() {
					if a, err := v.try("POST", url, u); err != nil || a.status != 200 {
						t.Errorf("round %d: a login is answered with %d %s %v", round, a.status, a.body, err)
					}
				})
				return v
			}
			atEdge := []*visitor{atOnce(s.visitor(), s.edge.url("/api/login")), atOnce(another.visitor(), another.edge.url("/api/login")), atOnce(s.visitor(), s.edge.url("/api/login"))}
			var atDjango *visitor
			if withDjango {
				atDjango = atOnce(s.visitor(), s.django.url("/login"))
			}
			logins.Wait()

			if encoded, _ := s.row(u)["password"].(string); !strings.HasPrefix(encoded, quickHash) {
				t.Errorf("round %d: the hash is %.24s…", round, encoded)
			}
			if withDjango {
				atDjango.wantUser(u.Username)
				continue // Django replaces whatever is there, and may have ended djedge's
			}
			for _, v := range atEdge {
				v.wantUser(u.Username)
			}
		}
	})
}
