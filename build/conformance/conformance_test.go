package conformance

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/build/modules"
	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
)

const minimalAdapter = "build/conformance/testdata/node.mjs"

// minimal is the adapter of this test.
func minimal(t *testing.T) *Process {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	return started(t, Runtime{Name: "node", Adapter: minimalAdapter, command: func(at place) *exec.Cmd {
		return exec.Command("node", at.adapter)
	}}, "")
}

func started(t *testing.T, r Runtime, components string) *Process {
	t.Helper()
	if modules.Digest() == "" {
		t.Skip("djedge.wasm is not built")
	}
	p, err := r.Start("../..", components)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(p.Tail())
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func configured(t *testing.T, p *Process, more ...abi.Setting) host.Engine {
	t.Helper()
	e := p.Engine()
	settings := append(host.KeySettings(signing.DeriveKeys("", "secret", nil)), more...)
	if _, err := e.Configure(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	return e
}

// effects has no rows, and leaves hashing to the module.
type effects struct{ err error }

func (effects) Now() time.Time { return time.Now() }
func (effects) Random(_ context.Context, n int) ([]byte, error) {
	return []byte(strings.Repeat("r", n)), nil
}
func (fx effects) Query(context.Context, bool, ...query.Statement) ([]query.Result, error) {
	return nil, fx.err
}
func (effects) Storage(context.Context, djsession.StorageOp) (djsession.StorageResult, error) {
	return djsession.StorageResult{}, errors.New("no storage")
}
func (effects) DeriveKey(context.Context, password.Params, []byte, []byte) ([]byte, error) {
	return nil, password.ErrDeclined
}
func (effects) Yield(ctx context.Context) error { return ctx.Err() }

// What hashlib.pbkdf2_hmac("sha256", "lètmein".encode(), b"seasalt", 10000) makes, in Django's form.
const letmein = "pbkdf2_sha256$10000$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY="

// More engines than the adapter keeps instances, used at once: each goes by its own settings.
func TestEngines(t *testing.T) {
	p := minimal(t)
	var engines []host.Engine
	for range maxInstances + 3 {
		engines = append(engines, configured(t, p))
	}
	var all sync.WaitGroup
	for range 3 {
		for _, e := range engines {
			all.Go(func() {
				op := &abi.Op{Kind: abi.OpVerifyPassword, Password: "lètmein", Encoded: letmein}
				if r := e.Do(t.Context(), op, effects{}); r.Decision.Outcome != gate.Allow {
					t.Errorf("the right password: %+v", r.Decision)
				}
				op = &abi.Op{Kind: abi.OpVerifyPassword, Password: "letmein", Encoded: letmein}
				if r := e.Do(t.Context(), op, effects{}); r.Decision.Reason != gate.ReasonBadCredentials {
					t.Errorf("a wrong password: %+v", r.Decision)
				}
			})
		}
	}
	all.Wait()
	if n := len(p.remote.live); n > maxInstances {
		t.Errorf("%d instances are kept", n)
	}
}

// The kit starts each runtime; what cannot be judged without the package's own adapter has the minimal one.
func TestRuntimes(t *testing.T) {
	components := os.Getenv("DJEDGE_TEST_COMPONENTS")
	for _, r := range Runtimes() {
		t.Run(r.Name, func(t *testing.T) {
			switch r.Name {
			case "node", "deno", "bun":
				r.Adapter = minimalAdapter
			case "workerd":
				r.Adapter = "build/conformance/testdata/workerd.capnp"
			}
			if _, err := os.Stat(filepath.Join(components, r.Component)); components == "" || err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatal("not installed: make components, and DJEDGE_TEST_COMPONENTS")
				}
				t.Skip("not installed")
			}
			e := configured(t, started(t, r, components))
			op := &abi.Op{Kind: abi.OpVerifyPassword, Password: "lètmein", Encoded: letmein}
			if r := e.Do(t.Context(), op, effects{}); r.Decision.Outcome != gate.Allow {
				t.Errorf("%+v", r.Decision)
			}
		})
	}
}

func TestErrorsReachTheModule(t *testing.T) {
	e := configured(t, minimal(t))
	op := &abi.Op{Kind: abi.OpCheck, Require: "anyone", Request: gate.Request{Method: "GET", URI: "/", Headers: []gate.Header{
		{Name: "cookie", Value: "sessionid=abcdefghijklmnopqrstuvwxyz012345"},
	}}}
	r := e.Do(t.Context(), op, effects{err: errors.New("the database is away")})
	if r.Decision.Reason != gate.ReasonDatabaseUnavailable || r.Decision.Status != 503 {
		t.Errorf("%+v", r.Decision)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := e.Do(ctx, op, effects{}); r.Decision.Outcome != gate.Error {
		t.Errorf("a cancelled operation: %+v", r.Decision)
	}
}

func TestRefusedSettings(t *testing.T) {
	_, err := minimal(t).Engine().Configure(t.Context(), []abi.Setting{{Name: "no_such", Value: "1"}})
	if err == nil || !strings.Contains(err.Error(), "no_such") {
		t.Errorf("%v", err)
	}
}

// An adapter that knows no such instance answers as after a trap: nothing is let in, and the engine makes another instance.
func TestLostInstance(t *testing.T) {
	p := minimal(t)
	e := configured(t, p)
	if _, err := p.remote.call(t.Context(), callDrop, p.remote.last, 0, nil); err != nil {
		t.Fatal(err)
	}
	op := &abi.Op{Kind: abi.OpVerifyPassword, Password: "lètmein", Encoded: letmein}
	if r := e.Do(t.Context(), op, effects{}); r.Decision.Outcome != gate.Error {
		t.Errorf("in a lost instance: %+v", r.Decision)
	}
	if r := e.Do(t.Context(), op, effects{}); r.Decision.Outcome != gate.Allow {
		t.Errorf("afterwards: %+v", r.Decision)
	}
}
