package djuser_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/password"
)

const (
	secret    = "an insecure key for tests"
	oldSecret = "the key before"
	backend   = "django.contrib.auth.backends.ModelBackend"
	// iterations make a hash cheap; the work is counted, not timed.
	iterations = 1000
)

var now = time.Date(2026, 11, 23, 3, 11, 2, 606468000, time.UTC)

// fake is a host: a database of two tables in memory that knows the named
// statements, a clock that stands still, and a KDF that counts.
type fake struct {
	mu         sync.Mutex
	users      []map[string]query.Value
	sessions   map[string]string // session_data by key
	log        []string          // names of statements
	trips      int               // calls of Query
	units      uint64            // PBKDF2 iterations asked for
	fail       string            // the statement with this name fails
	noRandom   bool
	loose      bool // names are compared as a careless collation does
	beforeCAS  func(*fake)
	columns    []query.Column
	statements map[string]string
	answers    map[string]query.Result // to other statements
	storage    func(djsession.StorageOp) (djsession.StorageResult, error)
}

var errDown = errors.New("the database is down")

func (f *fake) Now() time.Time { return now }

func (f *fake) Random(_ context.Context, n int) ([]byte, error) {
	if f.noRandom {
		return nil, djsession.ErrNoRandomness
	}
	b := make([]byte, n)
	_, err := rand.Read(b)
	return b, err
}

func (f *fake) DeriveKey(_ context.Context, p password.Params, _, _ []byte) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.units += uint64(p.Iterations)
	return nil, password.ErrDeclined
}

func (f *fake) Yield(context.Context) error { return nil }

func (f *fake) Storage(_ context.Context, op djsession.StorageOp) (djsession.StorageResult, error) {
	if f.storage == nil {
		return djsession.StorageResult{}, errDown
	}
	f.log = append(f.log, "storage")
	return f.storage(op)
}

func (f *fake) Query(_ context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trips++
	var results []query.Result
	for _, s := range statements {
		f.log = append(f.log, s.Name)
		if sql, known := f.statements[s.Name]; !s.AdHoc && (!known || sql != s.SQL) {
			return nil, fmt.Errorf("%s is not a known statement: %s", s.Name, s.SQL)
		}
		if s.Name == f.fail {
			return nil, errDown
		}
		r, err := f.run(s)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

func (f *fake) run(s query.Statement) (query.Result, error) {
	switch s.Name {
	case "session_load":
		if data, ok := f.sessions[s.Args[0].Text()]; ok {
			return query.Result{Rows: [][]query.Value{{s.Args[0], query.Text(data)}}}, nil
		}
	case "session_insert":
		f.sessions[s.Args[0].Text()] = s.Args[1].Text()
		return query.Result{Affected: 1}, nil
	case "session_update":
		if _, ok := f.sessions[s.Args[2].Text()]; ok {
			f.sessions[s.Args[2].Text()] = s.Args[0].Text()
			return query.Result{Affected: 1}, nil
		}
	case "session_delete":
		delete(f.sessions, s.Args[0].Text())
	case "user_by_id":
		return f.read(func(row map[string]query.Value) bool { return row["id"] == s.Args[0] }), nil
	case "user_by_name":
		want := s.Args[0].Text()
		return f.read(func(row map[string]query.Value) bool {
			have := row["username"].Text()
			return have == want || f.loose && strings.EqualFold(have, strings.TrimRight(want, " "))
		}), nil
	case "user_insert":
		row := map[string]query.Value{"id": query.Int(int64(len(f.users) + 1))}
		_, names, _ := strings.Cut(s.SQL, "(")
		names, _, _ = strings.Cut(names, ")")
		for i, name := range strings.Split(names, ", ") {
			row[strings.Trim(name, `"`)] = s.Args[i]
		}
		for _, other := range f.users {
			if other["username"] == row["username"] {
				return query.Result{}, fmt.Errorf("insert: %w", query.ErrDuplicate)
			}
		}
		f.users = append(f.users, row)
		return query.Result{Affected: 1}, nil
	case "user_password":
		return f.update(s.Args[1], query.Null(), "password", s.Args[0]), nil
	case "user_password_cas":
		if f.beforeCAS != nil {
			f.beforeCAS(f)
		}
		return f.update(s.Args[1], s.Args[2], "password", s.Args[0]), nil
	case "user_last_login":
		return f.update(s.Args[1], query.Null(), "last_login", s.Args[0]), nil
	case "user_save":
		_, sets, _ := strings.Cut(s.SQL, " SET ")
		sets, _, _ = strings.Cut(sets, " WHERE ")
		var r query.Result
		for i, set := range strings.Split(sets, ", ") {
			r = f.update(s.Args[len(s.Args)-1], query.Null(), strings.Trim(strings.TrimSuffix(set, " = ?"), `"`), s.Args[i])
		}
		return r, nil
	default:
		if r, ok := f.answers[s.Name]; ok {
			return r, nil
		}
		return query.Result{}, fmt.Errorf("statement %q", s.Name)
	}
	return query.Result{}, nil
}

func (f *fake) read(match func(map[string]query.Value) bool) (r query.Result) {
	for _, row := range f.users {
		if match(row) {
			values := make([]query.Value, len(f.columns))
			for i, c := range f.columns {
				values[i] = row[c.Name]
			}
			r.Rows = append(r.Rows, values)
		}
	}
	return r
}

// update sets a column where the id is id and, unless null, the password is old.
func (f *fake) update(id, old query.Value, column string, v query.Value) (r query.Result) {
	for _, row := range f.users {
		if row["id"] == id && (old.IsNull() || row["password"] == old) {
			row[column] = v
			r.Affected++
		}
	}
	return r
}

// add inserts a user as SQLite keeps one, and returns the row.
func (f *fake) add(username, encoded string, active bool) map[string]query.Value {
	d := query.SQLite
	row := map[string]query.Value{
		"id": query.Int(int64(len(f.users) + 1)), "password": query.Text(encoded), "last_login": query.Null(),
		"is_superuser": d.Bool(false), "username": query.Text(username), "first_name": query.Text(""), "last_name": query.Text(""),
		"email": query.Text(username + "@example.com"), "is_staff": d.Bool(false), "is_active": d.Bool(active), "date_joined": d.Time(now),
	}
	f.users = append(f.users, row)
	return row
}

// reset forgets what was asked so far.
func (f *fake) reset() { f.log, f.trips, f.units = nil, 0, 0 }

func (f *fake) asked(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(f.log, want) {
		t.Errorf("asked %q, want %q", f.log, want)
	}
}

// site is a fake and the rules over it.
type site struct {
	*fake
	store   *djsession.Store
	users   *djuser.Users
	hashers *password.Hashers
}

// newSite makes an empty site on SQLite; change may alter its settings.
func newSite(t testing.TB, change ...func(*djuser.Settings)) *site {
	t.Helper()
	hashers, err := password.New(password.Config{PBKDF2Iterations: iterations})
	if err != nil {
		t.Fatal(err)
	}
	s := djuser.Settings{
		Version: version.Default, Dialect: query.SQLite, Hashers: hashers,
		Keys: signing.DeriveKeys("", secret, []string{oldSecret, "one more"}),
	}
	for _, c := range change {
		c(&s)
	}
	store, err := djsession.New(djsession.Settings{Version: s.Version, Dialect: s.Dialect, Keys: s.Keys})
	if err != nil {
		t.Fatal(err)
	}
	users, err := djuser.New(s, store)
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{sessions: map[string]string{}, columns: users.Columns(), statements: map[string]string{}}
	for _, s := range append(store.Statements(), users.Statements()...) {
		f.statements[s.Name] = s.SQL
	}
	return &site{f, store, users, s.Hashers}
}

// encode hashes a password at the site's own cost.
func (s *site) encode(t testing.TB, secret string) string {
	t.Helper()
	encoded, err := s.hashers.Make(t.Context(), s.fake, s.Random, secret, "")
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// put stores a session of these items and returns its key.
func (s *site) put(t testing.TB, items ...djsession.Item) string {
	t.Helper()
	data, err := s.store.Encode(items, now)
	if err != nil {
		t.Fatal(err)
	}
	key := fmt.Sprintf("session%025d", len(s.sessions))
	s.sessions[key] = data
	return key
}

// putLogin stores a session of the user with this id and password column.
func (s *site) putLogin(t testing.TB, id, encoded string, more ...djsession.Item) string {
	t.Helper()
	return s.put(t, append([]djsession.Item{
		{Key: "_auth_user_id", Raw: `"` + id + `"`},
		{Key: "_auth_user_backend", Raw: `"` + backend + `"`},
		{Key: "_auth_user_hash", Raw: `"` + s.users.SessionAuthHash(encoded) + `"`},
	}, more...)...)
}

func (s *site) load(t testing.TB, key string) *djsession.Session {
	t.Helper()
	sess, err := s.store.Load(t.Context(), s.fake, key)
	if err != nil {
		t.Fatal(err)
	}
	return sess
}
