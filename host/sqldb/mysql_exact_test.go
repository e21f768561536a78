package sqldb_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host/internal/testservers"
	"github.com/djedge/djedge/host/sqldb"
)

const secret = "an insecure key for tests"

// effects are a host's.
type effects struct {
	djuser.Effects // what these tests do not need
	*sqldb.DB
}

func (effects) Now() time.Time { return time.Now().UTC() }

func (effects) Random(_ context.Context, n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := rand.Read(b)
	return b, err
}

func (e effects) Query(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	return e.DB.Query(ctx, atomic, statements...)
}

func (effects) DeriveKey(context.Context, password.Params, []byte, []byte) ([]byte, error) {
	return nil, password.ErrDeclined
}

func (effects) Yield(context.Context) error { return nil }

func site(t *testing.T, release string) (*url.URL, effects, *djsession.Store, *djuser.Users) {
	t.Helper()
	v, err := version.Parse(release)
	if err != nil {
		t.Fatal(err)
	}
	u := testservers.MySQL(t)
	db, err := sqldb.OpenMySQL(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	keys := signing.DeriveKeys("", secret, nil)
	store, err := djsession.New(djsession.Settings{Version: v, Dialect: query.MySQL, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	hashers, err := password.New(password.Config{PBKDF2Iterations: 1000})
	if err != nil {
		t.Fatal(err)
	}
	users, err := djuser.New(djuser.Settings{Version: v, Dialect: query.MySQL, Keys: keys, Hashers: hashers}, store)
	if err != nil {
		t.Fatal(err)
	}
	return u, effects{DB: db}, store, users
}

// MySQL's collations find keys and names that only resemble what is stored.
func TestMySQLComparesExactly(t *testing.T) {
	_, fx, store, users := site(t, "5.2")
	ctx := t.Context()
	if err := sqldb.CreateDjangoSchema(ctx, fx.DB); err != nil {
		t.Fatal(err)
	}
	const key = "abcdefgh12345678"
	data, err := store.Encode([]djsession.Item{{Key: "a", Raw: "1"}}, fx.Now())
	if err != nil {
		t.Fatal(err)
	}
	insert := query.Statement{Name: "insert", SQL: "INSERT INTO `django_session` VALUES (?, ?, ?)",
		Args: []query.Value{query.Text(key), query.Text(data), query.Time(fx.Now().Add(time.Hour))}}
	if _, err := fx.Query(ctx, false, insert); err != nil {
		t.Fatal(err)
	}
	if sess, err := store.Load(ctx, fx, key); err != nil || sess.Key() != key || sess.Len() != 1 {
		t.Fatalf("%v, %v", sess, err)
	}
	for _, loose := range []string{"ABCDEFGH12345678", "Abcdefgh12345678", key + " ", key + "   ", "äbcdefgh12345678", "ａbcdefgh12345678"} {
		results, err := fx.Query(ctx, false, store.LoadStatement(loose, fx.Now()))
		if err != nil {
			t.Fatal(err)
		}
		if len(results[0].Rows) != 1 && !strings.HasPrefix(loose, "ａ") {
			t.Errorf("%q: the database is stricter than this test needs", loose)
		}
		if sess, err := store.Load(ctx, fx, loose); err != nil || sess.Key() != "" || sess.Len() != 0 {
			t.Errorf("%q: loaded %v, %v", loose, sess, err)
		}
	}

	const pass = "correct horse battery staple"
	if _, err := users.Register(ctx, fx, "Zoé", "zoe@example.com", pass); err != nil {
		t.Fatal(err)
	}
	if u, err := users.Authenticate(ctx, fx, "Zoé", pass); err != nil || u.Username() != "Zoé" || !u.IsActive() || u.IsStaff() {
		t.Fatalf("%v, %v", u, err)
	}
	for _, loose := range []string{"zoé", "ZOÉ", "Zoe", "zoe", "Zoé ", "zoe  "} {
		if u, err := users.Authenticate(ctx, fx, loose, pass); err == nil || u != nil {
			t.Errorf("%q logged in as %v", loose, u)
		}
	}
	// The database's own rule keeps names apart that it takes for one.
	if _, err := users.Register(ctx, fx, "zoe", "", pass); err == nil || !strings.Contains(err.Error(), "username_taken") {
		t.Errorf("registered beside Zoé: %v", err)
	}
}
