package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
)

// Old rows let in whom they let in a moment ago, and keep nobody out; what is
// written here counts at once, and by default so does everything.
func TestMaxStaleness(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		elsewhere := newHost(t, host.Config{DB: db.DB, SecretKey: secret})
		config.MaxStaleness = time.Minute
		h := newHost(t, config)
		want := func(name string, reason gate.Reason, trips int64) {
			t.Helper()
			var got gate.Decision
			if n := db.trips(func() { got = check(h, name).Decision }); got.Reason != reason || n != trips {
				t.Errorf("%s: %v after %d round trips, want %v after %d", name, got.Reason, n, reason, trips)
			}
		}
		end := func(h *host.Host, kind abi.OpKind, name, password string) {
			t.Helper()
			r := request(name)
			r.Method = "POST"
			summary := h.Summary(r)
			if d := h.Do(t.Context(), &abi.Op{Kind: kind, Request: summary, Password: password}).Decision; d.Outcome != gate.Allow {
				t.Fatalf("%s: %+v", name, d)
			}
		}
		for _, name := range []string{"alice", "bob", "carol"} {
			want(name, gate.ReasonOK, 2) // no hint yet
			want(name, gate.ReasonOK, 0)
		}
		end(elsewhere, abi.OpLogout, "alice", "")
		want("alice", gate.ReasonOK, 0) // the revocation window
		end(h, abi.OpLogout, "bob", "")
		want("bob", gate.ReasonSessionUnknown, 1)
		want("alice", gate.ReasonSessionUnknown, 1)
		want("carol", gate.ReasonOK, 1)
		want("carol", gate.ReasonOK, 0)
		end(h, abi.OpChangePassword, "carol", "a new one, of some length")
		if d := check(h, "carol").Decision; d.Outcome == gate.Allow {
			t.Errorf("carol, after a change of the password: %+v", d)
		}

		// Denied by what was so a moment ago, and is not any more.
		db.exec(t, "UPDATE auth_user SET is_active = NOT is_active WHERE username = 'dave'")
		before := check(h, "dave").Decision
		check(h, "dave")
		db.exec(t, "UPDATE auth_user SET is_active = NOT is_active WHERE username = 'dave'")
		after := check(h, "dave").Decision
		if allowed := after.Outcome == gate.Allow; before.Outcome == after.Outcome && !allowed {
			t.Errorf("dave: %v, then %v", before.Reason, after.Reason)
		}
	})
}

func TestStalenessSettings(t *testing.T) {
	for problem, change := range map[string]func(*host.Config){
		"max_staleness: -1s":    func(c *host.Config) { c.MaxStaleness = -time.Second },
		"max_staleness: 1m1s":   func(c *host.Config) { c.MaxStaleness = 61 * time.Second },
		"max_staleness: cannot": func(c *host.Config) { c.MaxStaleness, c.WritesOnReads = time.Second, true },
		"verified_bytes":        func(c *host.Config) { c.VerifiedBytes = 1 << 31 },
	} {
		config := host.Config{DB: openSQLite(t), SecretKey: secret}
		change(&config)
		if _, err := host.New(t.Context(), config); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%v, want %q", err, problem)
		}
	}
}

// Sessions are the same with and without a memory of what was verified.
func TestVerifiedBytesSetting(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		for _, bytes := range []int{-1, 1, 1 << 20} {
			if bytes >= 0 {
				config.Engine = host.Native()
			}
			config.VerifiedBytes = bytes
			h := newHost(t, config)
			for range 3 {
				if d := check(h, "alice").Decision; d.Outcome != gate.Allow {
					t.Errorf("%d: %+v", bytes, d)
				}
			}
		}
	})
}
