package module

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/build/wasmbuild"
	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/sqldb"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// cacheDir holds what wazero compiled, for all tests of one run.
var cacheDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if cacheDir, err = os.MkdirTemp("", "djedge-module-test-"); err != nil {
			panic(err)
		}
		defer os.RemoveAll(cacheDir)
		return m.Run()
	}())
}

// guests builds each module once for all tests, when it is stale.
var guests sync.Map

func guest(t testing.TB, spec wasmbuild.Spec) []byte {
	t.Helper()
	build, _ := guests.LoadOrStore(spec.Out, sync.OnceValues(func() ([]byte, error) {
		return wasmbuild.Bytes(context.Background(), spec)
	}))
	wasm, err := build.(func() ([]byte, error))()
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// settings of a site whose passwords are cheap.
func settings(more ...abi.Setting) []abi.Setting {
	session := signing.DeriveKeys("", "a secret of this test", nil)
	return append([]abi.Setting{
		{Name: "dialect", Value: "sqlite"},
		{Name: "pbkdf2_iterations", Value: "2"},
		{Name: "key_session", Value: session.Session.Current.Export()},
		{Name: "key_cookie", Value: session.Cookie.Current.Export()},
		{Name: "key_auth_hash", Value: session.AuthHash.Current.Export()},
	}, more...)
}

// native is the engine that every answer is compared with.
type native struct{ rules *step.Rules }

func (n *native) Configure(_ context.Context, settings []abi.Setting) (_ []query.Statement, err error) {
	if n.rules, err = step.Configure(settings); err != nil {
		return nil, err
	}
	return n.rules.Statements(), nil
}
func (n *native) Do(ctx context.Context, op *abi.Op, fx djuser.Effects) *abi.Result {
	return n.rules.Do(ctx, fx, op)
}
func (n *native) Close(context.Context) error { return nil }

// start configures an engine.
func start(t testing.TB, e host.Engine, settings []abi.Setting) host.Engine {
	t.Helper()
	if _, err := e.Configure(context.Background(), settings); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func startWASM(t testing.TB, spec wasmbuild.Spec, config Config, more ...abi.Setting) *engine {
	t.Helper()
	config.WASM, config.CacheDir = guest(t, spec), cacheDir
	return start(t, New(config), settings(more...)).(*engine)
}

// site is a database with Django's tables, and a clock and randomness that
// are the same in every run.
type site struct {
	*sqldb.DB
	mu     sync.Mutex
	random *rand.ChaCha8
	// before is called ahead of every query.
	before  func(ctx context.Context, statements []query.Statement) error
	decline bool // hash in the module
	storage func(djsession.StorageOp) (djsession.StorageResult, error)
}

var _ djuser.Effects = (*site)(nil)

func newSite(t testing.TB) *site {
	t.Helper()
	db, err := sqldb.CreateSQLite(context.Background(), filepath.Join(t.TempDir(), "django.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := sqldb.CreateDjangoSchema(context.Background(), db); err != nil {
		t.Fatal(err)
	}
	// Nothing here survives the test, so nothing need reach the disk.
	if _, err := db.Query(context.Background(), false, query.Statement{Name: "hurry", SQL: "PRAGMA synchronous = OFF", AdHoc: true}); err != nil {
		t.Fatal(err)
	}
	return &site{DB: db, random: rand.NewChaCha8([32]byte{})}
}

func (*site) Now() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func (s *site) Random(_ context.Context, n int) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := make([]byte, n)
	_, err := s.random.Read(b)
	return b, err
}

func (s *site) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	if s.before != nil {
		if err := s.before(ctx, statements); err != nil {
			return nil, err
		}
	}
	return s.DB.Query(ctx, atomic, statements...)
}

func (s *site) Storage(_ context.Context, op djsession.StorageOp) (djsession.StorageResult, error) {
	if s.storage == nil {
		return djsession.StorageResult{}, errNotAsked
	}
	return s.storage(op)
}

func (s *site) DeriveKey(ctx context.Context, p password.Params, secret, salt []byte) ([]byte, error) {
	if s.decline {
		return nil, password.ErrDeclined
	}
	return password.Derive(ctx, s.Yield, p, secret, salt)
}

func (*site) Yield(ctx context.Context) error { return ctx.Err() }

// dump is everything that the operations may have written.
func (s *site) dump(t testing.TB) []query.Result {
	t.Helper()
	results, err := s.DB.Query(context.Background(), false,
		query.Statement{Name: "users", SQL: "SELECT * FROM auth_user ORDER BY id", AdHoc: true},
		query.Statement{Name: "sessions", SQL: "SELECT * FROM django_session ORDER BY session_key", AdHoc: true})
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// request with a session cookie, "" for none.
func request(method, session string) gate.Request {
	r := gate.Request{Method: method, URI: "/", Host: "example.com", Scheme: "https"}
	r.Headers = append(r.Headers, gate.Header{Name: "Content-Type", Value: "application/json"})
	if session != "" {
		r.Headers = append(r.Headers, gate.Header{Name: "Cookie", Value: "sessionid=" + session})
	}
	return r
}

// register makes a user and returns the key of its session.
func register(t testing.TB, e host.Engine, fx djuser.Effects, name string) string {
	t.Helper()
	result := e.Do(context.Background(), &abi.Op{Kind: abi.OpRegister, Request: request("POST", ""), Username: name, Password: "pw of " + name, Email: name + "@example.com"}, fx)
	if result.Decision.Outcome != gate.Allow || result.SessionKey == "" {
		t.Fatalf("register %s: %+v", name, result.Decision)
	}
	return result.SessionKey
}

// story is a site's day: every operation, done well and done badly.
func story(t *testing.T, e host.Engine, fx djuser.Effects) (results []*abi.Result) {
	do := func(op abi.Op) *abi.Result {
		result := e.Do(t.Context(), &op, fx)
		results = append(results, result)
		return result
	}
	login := func(password string) string {
		return do(abi.Op{Kind: abi.OpLogin, Request: request("POST", ""), Username: "ada", Password: password}).SessionKey
	}
	key := do(abi.Op{Kind: abi.OpRegister, Request: request("POST", ""), Username: "ada", Password: "first", Email: "ada@Example.COM"}).SessionKey
	do(abi.Op{Kind: abi.OpRegister, Request: request("POST", ""), Username: "ada", Password: "again", Email: ""})
	do(abi.Op{Kind: abi.OpRegister, Request: request("POST", ""), Username: "no spaces", Password: "x"})
	for _, require := range []gate.Requirement{gate.Anyone, gate.Authenticated, gate.Staff, gate.Superuser} {
		do(abi.Op{Kind: abi.OpCheck, Request: request("GET", key), Require: require})
	}
	do(abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("GET", key), Hint: query.Int(1)})
	do(abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("GET", key), Hint: query.Int(999)})
	do(abi.Op{Kind: abi.OpCheck, Request: request("GET", ""), Require: gate.Authenticated})
	do(abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("GET", "nosuchsessionkeyatall")})
	do(abi.Op{Kind: abi.OpLoadUser, Request: request("GET", key)})
	do(abi.Op{Kind: abi.OpSessionLoad, Request: request("GET", key)})
	state := djsession.State{Resolved: true, Loaded: true, Accessed: true, Modified: true, Items: []djsession.Item{{Key: "cart", Raw: `[1.0,"\u00fc"]`}}}
	state.Key = do(abi.Op{Kind: abi.OpSessionSave, Session: state, Status: 200}).SessionKey
	do(abi.Op{Kind: abi.OpSessionSave, Session: state, Status: 500})
	state.Items = append(state.Items, djsession.Item{Key: "_session_expiry", Raw: "0"})
	do(abi.Op{Kind: abi.OpSessionSave, Session: state, Status: 404})
	cycled := do(abi.Op{Kind: abi.OpSessionCycle, Request: request("GET", state.Key)}).SessionKey
	do(abi.Op{Kind: abi.OpSessionSave, Session: state, Status: 200}) // the old key
	state.Key, state.Modified = cycled, false
	do(abi.Op{Kind: abi.OpSessionSave, Session: state, Status: 200})
	do(abi.Op{Kind: abi.OpSessionFlush, Session: state})
	do(abi.Op{Kind: abi.OpSessionSave, Request: request("GET", "short")})
	do(abi.Op{Kind: abi.OpClearExpired})
	login("wrong")
	other := login("first")
	do(abi.Op{Kind: abi.OpAuthenticate, Username: "ada", Password: "first"})
	do(abi.Op{Kind: abi.OpAuthenticate, Username: "nobody", Password: "first"})
	do(abi.Op{Kind: abi.OpSaveUser, UserID: "1", Fields: []abi.Field{{Column: "first_name", Value: query.Text("Ada")}, {Column: "is_staff", Value: query.Int(1)}}})
	do(abi.Op{Kind: abi.OpSaveUser, UserID: "1", Fields: []abi.Field{{Column: "no_such_column", Value: query.Null()}}})
	do(abi.Op{Kind: abi.OpCheck, Request: request("GET", other), Require: gate.Staff})
	do(abi.Op{Kind: abi.OpChangePassword, Request: request("POST", key), Password: "second"})
	do(abi.Op{Kind: abi.OpCheck, Request: request("GET", other), Require: gate.Authenticated})
	do(abi.Op{Kind: abi.OpSetPassword, UserID: "1", Password: "third"})
	do(abi.Op{Kind: abi.OpSetPassword, UserID: "77", Password: "third"})
	key = login("third")
	cross := request("POST", key)
	cross.Headers = append(cross.Headers, gate.Header{Name: "Origin", Value: "https://evil.example"})
	do(abi.Op{Kind: abi.OpLogout, Request: cross})
	do(abi.Op{Kind: abi.OpLogout, Request: request("POST", key)})
	do(abi.Op{Kind: abi.OpCheck, Require: gate.Anyone, Request: request("GET", key)})
	encoded := do(abi.Op{Kind: abi.OpMakePassword, Password: "pässword"}).Text
	do(abi.Op{Kind: abi.OpVerifyPassword, Encoded: encoded, Password: "pässword"})
	do(abi.Op{Kind: abi.OpVerifyPassword, Encoded: encoded, Password: "password"})
	do(abi.Op{Kind: abi.OpVerifyPassword, Encoded: "nonsense", Password: "password"})
	do(abi.Op{Kind: abi.OpEval, Function: "no_such_function", Arguments: "{}"})
	do(abi.Op{Kind: 200})
	return results
}

func TestSameAnswersAsNative(t *testing.T) {
	for _, decline := range []bool{false, true} {
		for _, more := range [][]abi.Setting{nil, {{Name: "writes_on_reads", Value: "true"}, {Name: "version", Value: "4.2"}}} {
			t.Run(fmt.Sprintf("module hashes %v, settings %v", decline, more), func(t *testing.T) {
				ours, theirs := newSite(t), newSite(t)
				ours.decline, theirs.decline = decline, decline
				e := startWASM(t, wasmbuild.Djedge(), Config{}, more...)
				got := story(t, e, ours)
				want := story(t, start(t, &native{}, settings(more...)), theirs)
				for i := range want {
					if !reflect.DeepEqual(got[i], want[i]) {
						t.Errorf("result %d:\n%+v, native\n%+v", i, got[i], want[i])
					}
				}
				if got, want := ours.dump(t), theirs.dump(t); !reflect.DeepEqual(got, want) {
					t.Errorf("the database holds\n%+v, native\n%+v", got, want)
				}
				wantWhole(t, e)
				if n := allowances(want); n < 10 {
					t.Errorf("only %d operations were allowed: the story does not work", n)
				}
			})
		}
	}
}

func allowances(results []*abi.Result) (n int) {
	for _, r := range results {
		if r.Decision.Outcome == gate.Allow {
			n++
		}
	}
	return n
}

// users registers n of them natively and returns their session keys.
func users(t testing.TB, s *site, n int) []string {
	t.Helper()
	e := start(t, &native{}, settings())
	keys := make([]string, n)
	for i := range keys {
		keys[i] = register(t, e, s, fmt.Sprintf("user%d", i))
	}
	return keys
}

// wantUser complains unless the decision is about the user with that number.
func wantUser(t testing.TB, result *abi.Result, n int) {
	t.Helper()
	who := result.Decision.Identity
	if want := fmt.Sprintf("user%d", n); who == nil || who.Name != want || !strings.HasPrefix(who.Email, want+"@") {
		t.Errorf("%s was answered %+v, %+v", want, result.Decision, who)
	}
}
