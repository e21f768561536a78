// Package rules measures what the rules themselves cost, natively and as WebAssembly, with a Go map for a database,
// and what an instance of the module costs.
package rules

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/sqldb"
	"github.com/djedge/djedge/wasm/abi"
)

// settings of a site whose passwords are cheap: they are not what is measured.
func settings() []abi.Setting {
	keys := signing.DeriveKeys("", "a secret key of the benchmark", nil)
	return []abi.Setting{
		{Name: "dialect", Value: "sqlite"},
		{Name: "pbkdf2_iterations", Value: "2"},
		{Name: "key_session", Value: keys.Session.Current.Export()},
		{Name: "key_cookie", Value: keys.Cookie.Current.Export()},
		{Name: "key_auth_hash", Value: keys.AuthHash.Current.Export()},
	}
}

// site answers from a map what a database has answered once.
type site struct {
	*sqldb.DB
	answers sync.Map
	hold    chan struct{} // when it is not nil, every query waits until it is closed
	held    chan struct{} // and says so here
}

var _ djuser.Effects = (*site)(nil)

// openSite has an empty database in dir.
func openSite(ctx context.Context, dir string) (*site, error) {
	db, err := sqldb.CreateSQLite(ctx, filepath.Join(dir, "rules.sqlite3"))
	if err != nil {
		return nil, err
	}
	s := &site{DB: db}
	if err := sqldb.CreateDjangoSchema(ctx, db); err != nil {
		return nil, err
	}
	_, err = db.Query(ctx, false, query.Statement{Name: "hurry", SQL: "PRAGMA synchronous = OFF", AdHoc: true})
	return s, err
}

// Now stands still, or else every question to the map would be new.
func (*site) Now() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func (*site) Random(_ context.Context, n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := rand.Read(b)
	return b, err
}

func (s *site) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	if s.hold != nil {
		s.held <- struct{}{}
		<-s.hold
	}
	if atomic {
		return s.DB.Query(ctx, atomic, statements...)
	}
	key := make([]byte, 0, 256)
	for i := range statements {
		key = append(key, statements[i].Name...)
		for _, arg := range statements[i].Args {
			key = append(key, arg.Text()...)
			key = binary.LittleEndian.AppendUint64(key, uint64(arg.Bits()))
		}
	}
	if results, ok := s.answers.Load(string(key)); ok {
		return results.([]query.Result), nil
	}
	results, err := s.DB.Query(ctx, atomic, statements...)
	if err == nil {
		s.answers.Store(string(key), results)
	}
	return results, err
}

func (*site) Storage(context.Context, djsession.StorageOp) (djsession.StorageResult, error) {
	return djsession.StorageResult{}, fmt.Errorf("there is no storage")
}

func (s *site) DeriveKey(ctx context.Context, p password.Params, secret, salt []byte) ([]byte, error) {
	return password.Derive(ctx, s.Yield, p, secret, salt)
}

func (*site) Yield(ctx context.Context) error { return ctx.Err() }

// register makes a user, and returns a check with its session.
func (s *site) register(ctx context.Context, e host.Engine, name string) (*abi.Op, error) {
	r := gate.Request{Method: "POST", URI: "/", Host: "example.com", Scheme: "https", Headers: []gate.Header{{Name: "Content-Type", Value: "application/json"}}}
	made := e.Do(ctx, &abi.Op{Kind: abi.OpRegister, Request: r, Username: name, Password: "a password of " + name, Email: name + "@example.com"}, s)
	if made.Decision.Outcome != gate.Allow || made.SessionKey == "" {
		return nil, fmt.Errorf("%s is not registered: %+v", name, made.Decision)
	}
	r.Method, r.Headers = "GET", []gate.Header{{Name: "Cookie", Value: "sessionid=" + made.SessionKey}}
	op := &abi.Op{Kind: abi.OpCheck, Request: r, Require: gate.Authenticated}
	// The first check asks for the session and then for the user; the host would remember whose it is.
	first := e.Do(ctx, op, s)
	if who := first.Decision.Identity; who == nil || who.Name != name {
		return nil, fmt.Errorf("%s is %+v", name, first.Decision)
	}
	op.Hint = first.User[0]
	if again := e.Do(ctx, op, s); again.Decision.Outcome != gate.Allow {
		return nil, fmt.Errorf("%s is not known again: %+v", name, again.Decision)
	}
	return op, nil
}
