// Package examples tests the programs in the folders beside it.
package examples

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/djedge/djedge/build/modules"
	"github.com/djedge/djedge/djsession/signing"
)

// need is the one installed file that fits a pattern; where there is none the test is skipped, or fails in CI.
func need(t *testing.T, pattern string) string {
	t.Helper()
	components := os.Getenv("DJEDGE_TEST_COMPONENTS")
	found, err := filepath.Glob(filepath.Join(components, pattern))
	if components != "" && err == nil && len(found) == 1 {
		return found[0]
	}
	why := "component " + pattern + " is not installed (make components, and DJEDGE_TEST_COMPONENTS)"
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// output runs a program with this standard input.
func output(t *testing.T, input string, env []string, name string, args ...string) (string, error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	err := cmd.Run()
	if stderr.Len() > 0 {
		t.Logf("%s: %s", filepath.Base(name), stderr.Bytes())
	}
	return stdout.String(), err
}

// site is a Django with three sessions: of ann; of ann, with another signature; and of bob, who is inactive. It prints
// their cookies, or after them garbles the table of users.
const site = `
import sys
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="an insecure key for tests", USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}})
django.setup()
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client
if sys.argv[2] == "make":
    call_command("migrate", verbosity=0)
    ann, bob = User.objects.create_user("ann", password="lake"), User.objects.create_user("bob", password="sea")
    cookies = []
    for user in ann, ann, bob:
        client = Client()
        client.force_login(user)
        cookies.append(client.cookies["sessionid"].value)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    row = Session.objects.get(pk=cookies[1])
    data, signature = row.session_data.rsplit(":", 1)
    row.session_data = data + ":" + signature[:5] + ("a" if signature[5] != "a" else "b") + signature[6:]
    row.save()
    print(*cookies)
else:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE auth_user RENAME TO gone")
`

// The C host, compiled here, with a Django's own sessions.
func TestC(t *testing.T) {
	library := need(t, "wasmtime/lib/python3*/site-packages/wasmtime/*/_libwasmtime.so")
	python := need(t, "django52/bin/python")
	dir := t.TempDir()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("there is no gcc")
	}
	if _, err := output(t, "#include <sqlite3.h>\n", nil, "gcc", "-E", "-o", os.DevNull, "-"); err != nil {
		t.Skip("gcc finds no sqlite3.h (Debian: libsqlite3-dev)")
	}
	host := filepath.Join(dir, "host")
	if _, err := output(t, "", nil, "gcc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", host, "c/host.c", "-idirafter", "c",
		library, "-Wl,-rpath,"+filepath.Dir(library), "-lsqlite3"); err != nil {
		t.Fatal(err)
	}
	wasm, err := modules.WASM()
	if err != nil {
		t.Fatal(err)
	}
	module, db := filepath.Join(dir, "djedge.wasm"), filepath.Join(dir, "db.sqlite3")
	if err := os.WriteFile(module, wasm, 0o600); err != nil {
		t.Fatal(err)
	}
	django := func(what string) []string {
		out, err := output(t, "", []string{"PYTHONDONTWRITEBYTECODE=1"}, python, "-c", site, db, what)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(out)
	}
	keys := signing.DeriveKeys("", "an insecure key for tests", nil)
	check := func(env []string, cookies ...string) (string, error) {
		return output(t, strings.Join(cookies, "\n")+"\n", env, host, module, db)
	}
	env := []string{"DJEDGE_KEY_SESSION=" + keys.Session.Current.Export(), "DJEDGE_KEY_AUTH_HASH=" + keys.AuthHash.Current.Export()}

	s := django("make")
	if len(s) != 3 {
		t.Fatalf("Django made %d sessions", len(s))
	}
	last := s[0][len(s[0])-1]
	other := s[0][:len(s[0])-1] + string(rune('a'+(last-'a'+1)%26))
	got, err := check(env, "theme=dark; sessionid="+s[0], "sessionid="+s[1], "sessionid="+s[2], "sessionid="+other, "", "sessionid="+s[0])
	const want = "allow 200 1 1 ann\n" + // ok
		"deny 401 5\n" + // session_corrupt
		"deny 401 7\n" + // user_inactive
		"deny 401 4\n" + // session_unknown
		"deny 401 3\n" + // no_session
		"allow 200 1 1 ann\n"
	if err != nil || got != want {
		t.Errorf("%v, and\n%swant\n%s", err, got, want)
	}

	strange := signing.DeriveKeys("", "another key", nil)
	env[0] = "DJEDGE_KEY_SESSION=" + strange.Session.Current.Export()
	if got, err := check(env, "sessionid="+s[0]); err != nil || got != "deny 401 5\n" {
		t.Errorf("with another site's key: %q, %v", got, err)
	}
	if got, err := check([]string{"DJEDGE_KEY_SESSION="}, "sessionid="+s[0]); err == nil || got != "" {
		t.Errorf("without a key: %q", got)
	}

	env[0] = "DJEDGE_KEY_SESSION=" + keys.Session.Current.Export()
	django("garble")
	if got, err := check(env, "sessionid="+s[0]); err != nil || got != "error 503 32\n" { // database_unavailable
		t.Errorf("with a broken database: %q, %v", got, err)
	}
}
