package sqldb_test

import (
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/build/compat/record"
	"github.com/djedge/djedge/host/internal/testservers"
)

// djangoProgram is an ordinary site with its admin; what it does is appended.
const djangoProgram = `
import json, sys
import pymysql
pymysql.install_as_MySQLdb()
import django
from django.conf import settings
settings.configure(
    USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.AutoField", ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"], STATIC_URL="/static/",
    PASSWORD_HASHERS=["__main__.QuickHasher"],
    INSTALLED_APPS=["django.contrib." + a for a in ("admin", "auth", "contenttypes", "sessions", "messages")],
    MIDDLEWARE=["django.contrib." + m for m in ("sessions.middleware.SessionMiddleware", "auth.middleware.AuthenticationMiddleware", "messages.middleware.MessageMiddleware")],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {"context_processors": [
        "django.template.context_processors.request", "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages"]}}],
    **json.loads(sys.argv[1]))
django.setup()
from django.contrib import admin
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.test import Client
from django.urls import path
class QuickHasher(PBKDF2PasswordHasher):
    iterations = 1000 # as the other side's
User = get_user_model()
urlpatterns = [path("admin/", admin.site.urls)]
args = sys.argv[2:]
`

// django runs the program on the database.
func django(t *testing.T, release string, u *url.URL, program string, args ...string) string {
	t.Helper()
	pass, _ := u.User.Password()
	settings, err := json.Marshal(map[string]any{
		"SECRET_KEY": secret,
		"DATABASES": map[string]any{"default": map[string]any{"ENGINE": "django.db.backends.mysql", "NAME": strings.TrimPrefix(u.Path, "/"),
			"HOST": u.Hostname(), "PORT": u.Port(), "USER": u.User.Username(), "PASSWORD": pass,
			"OPTIONS": map[string]any{"charset": "utf8mb4"}}}, // by default since 5.0
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python(t, release), append([]string{"-W", "ignore", "-c", djangoProgram + program, string(settings)}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Django: %v\n%s", err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

func python(t *testing.T, release string) string {
	t.Helper()
	return testservers.Component(t, "django"+strings.ReplaceAll(release, ".", "")+"/bin/python")
}

// Both sides read what the other wrote into MariaDB, and log in whom the
// other registered.
func TestMySQLWithDjango(t *testing.T) {
	for _, release := range []string{"2.2", "3.2", "4.2", "5.2", "6.0", "6.1"} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			record.Passed(t, record.Cell{Python: python(t, release), Engine: "db", Database: "mysql"})
			testMySQLWithDjango(t, release)
		})
	}
}

func testMySQLWithDjango(t *testing.T, release string) {
	u, fx, store, users := site(t, release)
	ctx := t.Context()
	key := django(t, release, u, `
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
	if _, err := users.Register(ctx, fx, "Nëw", "new@example.com", "a new horse"); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(django(t, release, u, `
s = SessionStore(args[0])
u = User.objects.get(username="Zoé🦄")
old = SessionStore(args[1])
ours = Client()
ours.cookies["sessionid"] = args[0]
User.objects.filter(username="Nëw").update(is_staff=True)
registered = Client()
form = registered.post("/admin/login/", {"username": "Nëw", "password": "a new horse"})
print(s["name"], s["_auth_user_id"] == str(u.pk), s["_auth_user_hash"] == u.get_session_auth_hash(),
    old.exists(args[1]), u.last_login is not None, ours.get("/admin/").status_code, authenticate(username="Nëw", password="a horse"),
    form.status_code, registered.get("/admin/").status_code, registered.cookies["sessionid"].value, sep="|")
s["n"] = 2
s.save()
s.save() # changes no byte but the time
`, sess.Key(), key), "|")
	theirs := got[len(got)-1]
	if got, want := strings.Join(got[:len(got)-1], "|"), "Zoé 🦄|True|True|False|True|200|None|302|200"; got != want {
		t.Errorf("Django reads %s, want %s", got, want)
	}

	// The login of Django's admin is one here, too.
	admin, err := store.Load(ctx, fx, theirs)
	if err != nil {
		t.Fatal(err)
	}
	if who, reason, err := users.GetUser(ctx, fx, admin); err != nil || who == nil || who.Username() != "Nëw" {
		t.Errorf("the session of Django's admin belongs to %v: %v, %v", who, reason, err)
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
}
