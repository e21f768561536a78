package rules

import (
	"testing"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
)

// What was remembered of one user is not answered for another.
func TestMapKeepsUsersApart(t *testing.T) {
	fx, err := openSite(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer fx.Close()
	e := host.Native()
	if _, err := e.Configure(t.Context(), settings()); err != nil {
		t.Fatal(err)
	}
	names := []string{"ada", "grace", "hedy"}
	for _, name := range names {
		op, err := fx.register(t.Context(), e, name)
		if err != nil {
			t.Fatal(err)
		}
		result := e.Do(t.Context(), op, fx)
		if who := result.Decision.Identity; result.Decision.Outcome != gate.Allow || who.Name != name {
			t.Errorf("%s is %+v", name, who)
		}
	}
}
