package djuser_test

import (
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
)

// TestIdentityOfTheInactive: Django's admin asks is_active and is_staff; a
// backend that lets inactive users in makes nobody staff again.
func TestIdentityOfTheInactive(t *testing.T) {
	for _, active := range []bool{true, false} {
		s := newSite(t, func(s *djuser.Settings) { s.Backends = []string{djuser.AllowAllUsersModelBackend} })
		s.add("zoe", "pw", active)
		s.fake.users[0]["is_staff"], s.fake.users[0]["is_superuser"] = query.Bool(true), query.Bool(true)
		if who := load(t, s, "1").Identity(); who.Staff != active || who.Superuser != active {
			t.Errorf("active %v: %+v", active, who)
		}
	}
}
