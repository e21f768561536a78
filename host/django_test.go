package host_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/djedge/djedge/build/compat/record"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/internal/testservers"
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

func newDjangoSite(t *testing.T, release, kind, model string, backends []string) *djangoSite {
	t.Helper()
	s := &djangoSite{t: t, model: model, directory: t.TempDir(), python: testservers.Component(t, venv(release)+"/bin/python")}
	server, char32 := strings.CutSuffix(kind, "-char32")
	db, settings := newDatabase(t, server)
	settings["TEST"] = map[string]any{"char32": char32}
	s.db = &database{DB: db}
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

// userSite is a kind of site whose users are compared.
type userSite struct {
	name, kind, model string
	config            host.Config
}

// Of users, groups and grants made at random Django and djedge say the same,
// and each takes the other's sessions, whatever the user model is like.
func TestUserModelsOfDjango(t *testing.T) {
	const allowAll = djuser.AllowAllUsersModelBackend
	for _, c := range []userSite{
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
			c.test(t, "5.2", "native", "module")
		})
	}
}

// The same of the ordinary user model in every release.
func TestUsersOfEveryDjango(t *testing.T) {
	for _, release := range djangos {
		for kind := range dialects {
			t.Run(release+"/"+kind, func(t *testing.T) {
				t.Parallel()
				through := []string{"native"}
				if kind == "sqlite" { // what the module asks of the others is compared above
					through = append(through, "module")
				}
				userSite{kind: kind, model: "auth.User"}.test(t, release, through...)
			})
		}
	}
}

// test compares them through the engines named.
func (c userSite) test(t *testing.T, release string, through ...string) {
	if c.config.AuthenticationBackends == nil {
		c.config.AuthenticationBackends = []string{djuser.ModelBackend}
	}
	s := newDjangoSite(t, release, c.kind, c.model, c.config.AuthenticationBackends)
	record.Passed(t, record.Cell{Python: s.python, Engine: "db", Database: c.kind})
	var people []person
	s.django(&people, "fill", "20261123")
	if len(people) == 0 {
		t.Fatal("Django made no users")
	}
	c.config.DB, c.config.SecretKey, c.config.DjangoVersion, c.config.PasswordHashers = s.db, secret, release, []string{"md5"}
	for _, name := range through {
		t.Run(name, func(t *testing.T) {
			config := c.config
			config.Engine = engines[name]()
			s.compare(t, newHost(t, config), people)
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
