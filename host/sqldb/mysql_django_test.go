package sqldb_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/build/compat/record"
	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
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

func site(t *testing.T) (*url.URL, effects, *djsession.Store, *djuser.Users) {
	t.Helper()
	u := testservers.MySQL(t)
	db, err := sqldb.OpenMySQL(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	keys := signing.DeriveKeys("", secret, nil)
	store, err := djsession.New(djsession.Settings{Dialect: query.MySQL, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	hashers, err := password.New(password.Config{PBKDF2Iterations: 1000})
	if err != nil {
		t.Fatal(err)
	}
	users, err := djuser.New(djuser.Settings{Dialect: query.MySQL, Keys: keys, Hashers: hashers}, store)
	if err != nil {
		t.Fatal(err)
	}
	return u, effects{DB: db}, store, users
}

// MySQL's collations find keys and names that only resemble what is stored.
func TestMySQLComparesExactly(t *testing.T) {
	_, fx, store, users := site(t)
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

// django runs Django on the database, with its tables migrated.
func django(t *testing.T, u *url.URL, program string, args ...string) string {
	t.Helper()
	pass, _ := u.User.Password()
	settings, err := json.Marshal(map[string]any{
		"SECRET_KEY": secret, "USE_TZ": true, "DEFAULT_AUTO_FIELD": "django.db.models.AutoField",
		"PASSWORD_HASHERS": []string{"django.contrib.auth.hashers.PBKDF2PasswordHasher"},
		"INSTALLED_APPS":   []string{"django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"},
		"DATABASES": map[string]any{"default": map[string]any{"ENGINE": "django.db.backends.mysql", "NAME": strings.TrimPrefix(u.Path, "/"),
			"HOST": u.Hostname(), "PORT": u.Port(), "USER": u.User.Username(), "PASSWORD": pass}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return testservers.Django(t, `
import json, sys
import pymysql
pymysql.install_as_MySQLdb()
import django
from django.conf import settings
s = json.loads(sys.argv[1])
settings.configure(**{k: v for k, v in s.items()})
django.setup()
from django.contrib.auth import authenticate, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
User = get_user_model()
args = sys.argv[2:]
`+program, append([]string{string(settings)}, args...)...)
}

// Both sides read what the other wrote into MariaDB.
func TestMySQLWithDjango(t *testing.T) {
	u, fx, store, users := site(t)
	record.Passed(t, record.Cell{Python: testservers.Component(t, "caches/bin/python"), Engine: "db", Database: "mysql"})
	ctx := t.Context()
	key := django(t, u, `
call_command("migrate", verbosity=0)
User.objects.create_user("Zoé🦄", "zoe@example.com", "correct horse", is_staff=True)
s = SessionStore()
s["name"] = "Zoé 🦄"
s.create()
print(s.session_key)
`)
	sess, err := store.Load(ctx, fx, key)
	if err != nil {
		t.Fatal(err)
	}
	if name, ok := sess.Text("name"); !ok || name != "Zoé 🦄" {
		t.Errorf("Django's session: %q", name)
	}
	user, err := users.Authenticate(ctx, fx, "Zoé🦄", "correct horse")
	if err != nil || !user.IsStaff() || user.IsSuperuser() || !user.IsActive() {
		t.Fatalf("Django's user: %v, %v", user, err)
	}
	if joined, _ := user.Get("date_joined"); time.Since(joined.Time()).Abs() > time.Minute {
		t.Errorf("joined %v", joined.Time())
	}

	if err := users.Login(ctx, fx, sess, user); err != nil {
		t.Fatal(err)
	}
	if sess.Key() == key {
		t.Error("the key of the session was kept")
	}
	if _, err := users.Register(ctx, fx, "new", "new@example.com", "a new horse"); err != nil {
		t.Fatal(err)
	}
	got := django(t, u, `
s = SessionStore(args[0])
old = SessionStore(args[1])
u = User.objects.get(username="Zoé🦄")
print(s["name"], s["_auth_user_id"] == str(u.pk), s["_auth_user_hash"] == u.get_session_auth_hash(),
    old.exists(args[1]), u.last_login is not None, authenticate(username="new", password="a new horse"), sep="|")
s["n"] = 2
s.save()
s.save() # changes no byte but the time
`, sess.Key(), key)
	if want := "Zoé 🦄|True|True|False|True|new"; got != want {
		t.Errorf("Django reads %s, want %s", got, want)
	}
	if sess, err = store.Load(ctx, fx, sess.Key()); err != nil {
		t.Fatal(err)
	}
	if n, _ := sess.Get("n"); n != "2" {
		t.Errorf("n = %s", n)
	}
	if err := store.Save(ctx, fx, sess); err != nil {
		t.Errorf("saving what is there already: %v", err)
	}
	django(t, u, `SessionStore(args[0]).delete()`, sess.Key())
	if err := store.Save(ctx, fx, sess); err == nil {
		t.Error("a deleted session was saved")
	}
}
