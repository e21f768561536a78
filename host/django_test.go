package host_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/djedge/djedge/build/compat/record"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/internal/testservers"
	"github.com/djedge/djedge/host/postgres"
	"github.com/djedge/djedge/host/postgres/postgrestest"
	"github.com/djedge/djedge/host/sqldb"
)

// djangoSite is a site of testdata/models.py: real Django with a user model of
// its own, on a database of its own.
type djangoSite struct {
	t                                  *testing.T
	python, settings, model, directory string
	db                                 *database
}

// person is what Django says of one of its users.
type person struct {
	Session, Name       string
	ID                  *string // nil: the session is nobody's
	Permissions, Groups []string
	Asked, Has          []string
}

func newDjangoSite(t *testing.T, kind, model string, backends []string) *djangoSite {
	t.Helper()
	s := &djangoSite{t: t, model: model, directory: t.TempDir(), python: testservers.Component(t, "django52/bin/python")}
	var db host.DB
	var err error
	var settings map[string]any
	server := func(engine string, u *url.URL) map[string]any {
		password, _ := u.User.Password()
		return map[string]any{"ENGINE": "django.db.backends." + engine, "NAME": strings.TrimPrefix(u.Path, "/"),
			"HOST": u.Hostname(), "PORT": u.Port(), "USER": u.User.Username(), "PASSWORD": password}
	}
	switch kind {
	case "sqlite":
		path := filepath.Join(s.directory, "db.sqlite3")
		settings = map[string]any{"ENGINE": "django.db.backends.sqlite3", "NAME": path}
		db, err = sqldb.CreateSQLite(t.Context(), path)
	case "mysql", "mysql-char32":
		s.python = testservers.Component(t, "caches/bin/python")
		u := testservers.MySQL(t)
		settings = server("mysql", u)
		settings["TEST"] = map[string]any{"char32": kind == "mysql-char32"}
		db, err = sqldb.OpenMySQL(t.Context(), u.String())
	case "postgres":
		var u *url.URL
		if u, err = url.Parse(postgrestest.URL(t)); err != nil {
			t.Fatal(err)
		}
		settings = server("postgresql", u)
		db, err = postgres.Open(t.Context(), u.String())
	}
	if err != nil {
		t.Fatal(err)
	}
	s.db = &database{DB: db}
	t.Cleanup(func() { _ = db.(interface{ Close() error }).Close() })
	if kind == "postgres" { // Django itself makes the tables
		s.db.exec(t, "DROP SCHEMA public CASCADE")
		s.db.exec(t, "CREATE SCHEMA public")
	}
	text, err := json.Marshal(map[string]any{
		"SECRET_KEY": secret, "AUTHENTICATION_BACKENDS": backends, "DATABASES": map[string]any{"default": settings},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.settings = string(text)
	return s
}

// django runs a command of testdata/models.py and reads its answer.
func (s *djangoSite) django(into any, command string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(s.python, append([]string{"testdata/models.py", s.settings, s.model, s.directory, command}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		s.t.Fatalf("Django: %v\n%s", err, stderr.String())
	}
}

// Of users, groups and grants made at random Django and djedge say the same,
// and each takes the other's sessions, whatever the user model is like.
func TestUserModelsOfDjango(t *testing.T) {
	const allowAll = djuser.AllowAllUsersModelBackend
	for _, c := range []struct {
		name, kind, model string
		config            host.Config
	}{
		{"default", "sqlite", "auth.User", host.Config{}},
		{"those who are not active too", "sqlite", "auth.User", host.Config{AuthenticationBackends: []string{allowAll, djuser.ModelBackend}}},
		{"remote users", "sqlite", "auth.User", host.Config{AuthenticationBackends: []string{djuser.RemoteUserBackend, djuser.ModelBackend}}},
		{"UUID", "sqlite", "Customer", host.Config{UserTable: "shop_customer"}},
		{"UUID", "postgres", "Customer", host.Config{UserTable: "shop_customer"}},
		{"UUID", "mysql", "Customer", host.Config{UserTable: "shop_customer"}},
		{"UUID", "mysql-char32", "Customer", host.Config{UserTable: "shop_customer"}},
		{"other names", "sqlite", "Person", host.Config{UserTable: "people", UserPK: "number", UsernameField: "mail", EmailField: "mail"}},
		{"other names", "postgres", "Person", host.Config{UserTable: "people", UserPK: "number", UsernameField: "mail", EmailField: "mail"}},
		{"inherited table", "sqlite", "Courier", host.Config{UserTable: "shop_base"}},
		{"text", "sqlite", "Member", host.Config{UserTable: "shop_member", UserPK: "nick", UsernameField: "nick"}},
	} {
		t.Run(c.kind+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			if c.config.AuthenticationBackends == nil {
				c.config.AuthenticationBackends = []string{djuser.ModelBackend}
			}
			s := newDjangoSite(t, c.kind, c.model, c.config.AuthenticationBackends)
			record.Passed(t, record.Cell{Python: s.python, Engine: "db", Database: c.kind})
			var people []person
			s.django(&people, "fill", "20261123")
			if len(people) == 0 {
				t.Fatal("Django made no users")
			}
			for name, engine := range engines {
				t.Run(name, func(t *testing.T) {
					config := c.config
					config.DB, config.SecretKey, config.Engine, config.PasswordHashers = s.db, secret, engine(), []string{"md5"}
					s.compare(t, newHost(t, config), people)
				})
			}
		})
	}
}

func (s *djangoSite) compare(t *testing.T, h *host.Host, people []person) {
	var keys []string
	var ids []*string
	for _, p := range people {
		s.comparePermissions(t, h, p)
		in := login(h, p.Name, "pw "+p.Name)
		if p.ID == nil {
			if in.Decision.Reason != gate.ReasonUserInactive {
				t.Errorf("%s, who is not active, logs in: %+v", p.Name, in.Decision)
			}
			continue
		}
		if in.Decision.Identity == nil || in.Decision.Identity.ID != *p.ID || in.Decision.Identity.Name != p.Name {
			t.Errorf("%s is not logged in: %+v", p.Name, in.Decision)
			continue
		}
		keys, ids = append(keys, in.SessionKey), append(ids, p.ID)
	}
	var owners []*string
	s.django(&owners, "owners", keys...)
	if got, want := list(owners), list(ids); !slices.Equal(got, want) {
		t.Errorf("to Django the sessions belong to %q, want %q", got, want)
	}
}

func list(ids []*string) (texts []string) {
	for _, id := range ids {
		if id == nil {
			texts = append(texts, "nobody")
		} else {
			texts = append(texts, *id)
		}
	}
	return texts
}

func (s *djangoSite) comparePermissions(t *testing.T, h *host.Host, p person) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "sessionid="+p.Session)
	serve(h.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx, user := r.Context(), host.User(r)
		if id, err := user.ID(ctx); p.ID == nil && err != host.ErrAnonymous || p.ID != nil && (id != *p.ID || err != nil) {
			t.Errorf("%s is %q, %v", p.Name, id, err)
		}
		var permissions, groups []string
		trips := s.db.trips(func() {
			var err error
			if permissions, err = user.Permissions(ctx); err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
			if groups, err = user.Groups(ctx); err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
		})
		if p.ID != nil && trips > 2 { // one for session and user, one for the rest
			t.Errorf("%s: %d round trips", p.Name, trips)
		}
		slices.Sort(p.Permissions) // as bytes
		slices.Sort(p.Groups)
		if !slices.Equal(permissions, p.Permissions) || !slices.Equal(groups, p.Groups) {
			t.Errorf("%s: permissions %q of groups %q,\nwant %q of %q", p.Name, permissions, groups, p.Permissions, p.Groups)
		}
		for _, permission := range p.Asked {
			if has, err := user.HasPerm(ctx, permission); err != nil || has != slices.Contains(p.Has, permission) {
				t.Errorf("%s: %q: %v, %v", p.Name, permission, has, err)
			}
		}
	})), r)
}
