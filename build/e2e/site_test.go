package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// site is a Django site and a djedge on the same database.
type site struct {
	t      testing.TB
	db     *database
	django *django
	edge   *edge
}

var (
	kinds   = []string{"sqlite", "postgres"}
	engines = []string{"wasm", "native"}
)

// everySite runs a test for both databases and both engines, on sites that all tests share. djedge is given nothing but the
// database's URL and the key.
func everySite(t *testing.T, test func(t *testing.T, s *site)) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for _, engine := range engines {
				t.Run(engine, func(t *testing.T) {
					t.Parallel()
					s := sharedSite(t, kind, engine)
					t.Cleanup(func() {
						tellOnFailure(t, s.django.server)
						tellOnFailure(t, s.edge.server)
					})
					test(t, &site{t, s.db, s.django, s.edge})
				})
			}
		})
	}
}

var sites struct {
	sync.Mutex
	byName map[string]*site
}

// sharedSite is the site of one kind of database and one engine; the Django is the same for both engines.
func sharedSite(t testing.TB, kind, engine string) *site {
	t.Helper()
	sites.Lock()
	defer sites.Unlock()
	if sites.byName == nil {
		sites.byName = map[string]*site{}
	}
	if s := sites.byName[kind+engine]; s != nil {
		return s
	}
	base := sites.byName[kind]
	if base == nil {
		db := newDatabase(t, kind, current)
		base = &site{db: db, django: launchDjango(t, current, db, settings{"SECRET_KEY": secretKey})}
		share(base.django.server)
		sites.byName[kind] = base
	}
	e := launchEdge(t, base.db.url, edgeOptions{engine: engine})
	share(e.server)
	s := &site{db: base.db, django: base.django, edge: e}
	sites.byName[kind+engine] = s
	return s
}

// visitor is a new browser, with no cookies.
func (s *site) visitor() *visitor { return newVisitor(s.t, s) }

// user is what a person types in to log in.
type user struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

var users atomic.Int64

// newName is a user name that nobody has yet.
func newName() string { return fmt.Sprintf("user%d@example.com", users.Add(1)) }

// newUser is a user made by Django, with the fields given.
func (s *site) newUser(fields ...any) user {
	s.t.Helper()
	u := user{newName(), "correct horse battery staple"}
	args := arguments{"username": u.Username, "encoded": s.encoded(u.Password)}
	for i := 0; i+1 < len(fields); i += 2 {
		args[fields[i].(string)] = fields[i+1]
	}
	s.django.control(s.t, "create_user", args, nil)
	return u
}

var encodings sync.Map

// encoded is Django's hash of a password, made once since it is slow on purpose.
func (s *site) encoded(password string) string {
	s.t.Helper()
	if e, ok := encodings.Load(s.django.version + password); ok {
		return e.(string)
	}
	var e string
	s.django.control(s.t, "make_password", arguments{"password": password}, &e)
	encodings.Store(s.django.version+password, e)
	return e
}

// row is a user's row; the values are as JSON has them.
func (s *site) row(u user) map[string]any {
	s.t.Helper()
	var row map[string]any
	s.django.control(s.t, "user", arguments{"username": u.Username}, &row)
	return row
}

// stored is a session as the database and Django have it.
type stored struct {
	Key  string
	Live bool
	Data map[string]any
	User string
}

// session is the stored session of a key, or nil.
func (s *site) session(key string) *stored {
	s.t.Helper()
	var found *stored
	s.django.control(s.t, "session", arguments{"key": key}, &found)
	return found
}
