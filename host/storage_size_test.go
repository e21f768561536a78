package host_test

import (
	"context"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
)

// enormous is a cache in which every key has a value that no message can hold.
type enormous struct{ value string }

func (e enormous) Storage(_ context.Context, op djsession.StorageOp) (djsession.StorageResult, error) {
	return djsession.StorageResult{Found: op.Kind == djsession.CacheGet, Value: e.value}, nil
}

func (enormous) Close() error { return nil }

// A cached value of any size is refused for it, and no reason for a 503.
func TestEnormousCachedValue(t *testing.T) {
	value := "\x80\x05" + strings.Repeat("\x00", 20<<20)
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret, SessionEngine: "cache", Storage: enormous{value}, Engine: engine()})
			d := bySession(h, "abcdefghijklmnopqrstuvwxyz012345").Decision
			if d.Outcome != gate.Deny || d.Reason != gate.ReasonSessionCorrupt || d.Detail != "session data: size" {
				t.Errorf("%+v", d)
			}
		})
	}
}
