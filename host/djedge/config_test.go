package main

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Whatever is wrong with the configuration is named, and the exit code is 78.
func TestConfigErrors(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	key := file(t, "key", "k\n")
	site := "--database=sqlite://" + siteDatabase(t, t.TempDir())
	for _, test := range []struct {
		args   string
		config string
		env    []string
		stderr string
	}{
		{stderr: "database is missing"},
		{args: "--listen nope", stderr: "listen: must be HOST:PORT.*nope"}, // before the database is looked for
		{args: "--listen 127.0.0.1:99999", stderr: "listen: must be HOST:PORT.*99999"},
		{args: "--admin-listen [::1:80", stderr: "admin_listen: must be HOST:PORT"},
		{args: "--database sqlite:///nowhere/canar.db", stderr: "database: .*canar.db"},
		{args: "--database sqlite://relative.db", stderr: "three slashes"},
		{args: "--database sqlite:///a.db?mode=rw", stderr: "three slashes"},
		{args: "--database oracle://root:canary@localhost/x", stderr: "database must be a URL"},
		{args: "--database mysql://root:canary@localhost/x?wrong=1", stderr: "database: .*wrong"},
		{args: "--database canary", stderr: "database must be a URL"},
		{args: "--database-file " + file(t, "empty", "\n"), stderr: "--database-file: .*empty is empty"},
		{args: "--database-file " + file(t, "large", strings.Repeat("canary", 20000)), stderr: "larger than"},
		{args: "--secret-key-file " + file(t, "blank", " \n\t\n"), stderr: "--secret-key-file: .*blank holds white space only"},
		{args: "--secret-key-file " + file(t, "blank", "canary \n"), stderr: "--secret-key-file: .*white space at an end"},
		{args: "--secret-key-file " + file(t, "blank", "\tcanary"), stderr: "--secret-key-file: .*white space at an end"},
		{args: "--secret-key-file " + file(t, "blank", "canary\n\n"), stderr: "--secret-key-file: .*white space at an end"},
		{args: "--secret-key-fallbacks-file " + file(t, "blank", "\n\n\n"), stderr: "--secret-key-fallbacks-file: .*white space only"},
		{env: []string{"DJEDGE_SECRET_KEY=  "}, stderr: "DJEDGE_SECRET_KEY is white space only$"},
		{args: "--secret-key-file /nowhere", stderr: "--secret-key-file: .*nowhere"},
		{args: "--config /nowhere.toml", stderr: "config: .*nowhere.toml"},
		{config: "[django]\nsecret_key = canary\n", stderr: "line 2"},
		{config: "[site]\nx = 1\n", stderr: "unknown key site$"},
		{config: "demo = true\n", stderr: "unknown key demo$"},
		{config: "[django]\nsesion_cookie_name = 's'\n", stderr: "unknown key django.sesion_cookie_name$"},
		{config: "[django]\nlisten = ':1'\n", stderr: "unknown key django.listen$"},
		{config: "[django.x]\ny = 1\n", stderr: "unknown key django.x$"},
		{config: "[serve]\napi = 'me'\n", stderr: "serve.api must be a list of strings$"},
		{config: "[serve]\napi = ['me', 1]\n", stderr: "serve.api must be a list of strings$"},
		{config: "[serve]\ndemo = 'true'\n", stderr: "serve.demo must be true or false$"},
		{config: "[serve]\nlisten = 8080\n", stderr: "serve.listen must be a string$"},
		{config: "[django]\nsession_cookie_age = '1000'\n", stderr: "django.session_cookie_age must be a whole number$"},
		{config: "[django]\nsecret_key = 'canary'\nsecret_key_file = 'key'\n", stderr: "django.secret_key and django.secret_key_file are both given$"},
		{args: "--hint-entries many", stderr: "--hint-entries must be a whole number$"},
		{args: "--limit-bcrypt-cost -1", stderr: "--limit-bcrypt-cost must not be negative$"},
		{args: "--limit-user-failures -5", stderr: "--limit-user-failures must not be negative$"},
		{config: "[serve]\nlimit_password_requests = -1\n", stderr: "serve.limit_password_requests must not be negative$"},
		{args: "--session-cookie-age 0", stderr: "--session-cookie-age must be a number of seconds from 1 "},
		{args: "--session-cookie-age -1", stderr: "--session-cookie-age must be a number of seconds from 1 "},
		{env: []string{"DJEDGE_SESSION_COOKIE_AGE=0"}, stderr: "DJEDGE_SESSION_COOKIE_AGE must be a number of seconds from 1 "},
		{config: "[django]\nsession_cookie_age = 0\n", stderr: "django.session_cookie_age must be a number of seconds from 1 "},
		{args: "--query-timeout 5", stderr: "--query-timeout must be a duration"},
		{args: "--demo=maybe", stderr: "--demo must be true or false$"},
		{env: []string{"DJEDGE_SESSION_COOKIE_SECURE=canary"}, stderr: "DJEDGE_SESSION_COOKIE_SECURE must be true or false$"},
		{env: []string{"DJEDGE_DATABSE=canary"}, stderr: "unknown environment variable DJEDGE_DATABSE$"},
		{env: []string{"DJEDGE_DATABSE="}, stderr: "unknown environment variable DJEDGE_DATABSE$"},
		{env: []string{"DJEDGE_DATABASE=canary", "DJEDGE_DATABASE_FILE=canary"}, stderr: "DJEDGE_DATABASE and DJEDGE_DATABASE_FILE are both given$"},
		{args: "--log-level loud", stderr: "log_level must be"},
		{args: "--log-format xml", stderr: "log_format must be"},

		{args: site, stderr: "secret_key_file is missing"},
		{args: site, config: "[django]\nkey_session = ['canary']\n", stderr: "key_session"},
		{args: site + " --secret-key-file " + key, env: []string{"DJEDGE_KEY_SESSION=sha256:" + strings.Repeat("0", 64)}, stderr: "both given"},

		{args: "--demo " + site, stderr: "refuses database"},
		{args: "--demo --secret-key-file " + key, stderr: "refuses secret_key"},
		{args: "--demo --listen 0.0.0.0:0", stderr: "loopback"},
		{args: "--demo --listen :0", stderr: "loopback"},
		{args: "--demo --listen example.com:0", stderr: "loopback"},
		{args: "--demo --engine nothing", stderr: "engine must be wasm or native"},
		{args: "--demo --engine native --kdf nothing", stderr: "kdf must be host or module"},
		{args: "--demo --engine native --trusted-proxies everybody", stderr: `trusted_proxies: "everybody"`},
		{args: "--demo --engine native --session-cookie-samesite Sometimes", stderr: "session_cookie_samesite"},
		{args: "--demo --engine native --public-origins example.com", stderr: "public_origin"},
		{args: "--demo --engine native --django-version 9.9", stderr: "version"},
		{args: "--demo --engine native --user-table auth_user;DROP", stderr: "user_table"},
		{args: "--demo --engine native --user-table nowhere", stderr: "user_table"},
		{args: "--demo --engine native --session-table nowhere", stderr: "session_table"},
		{args: site + " --engine native --api nothing --secret-key-file " + key, stderr: "api: \"nothing\" is not one of"},
		{args: site + " --engine native --api page,me --secret-key-file " + key, stderr: "api: \"page\" needs"},
	} {
		args := append([]string{"serve"}, words(test.args)...)
		if test.config != "" {
			args = append(args, "--config", file(t, "djedge.toml", test.config))
		}
		invocation{args: args, env: test.env, code: 78, stderr: test.stderr}.try(t)
	}
	if left, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "djedge-demo-*")); len(left) > 0 {
		t.Errorf("%s is left", left)
	}
}

// A database that can never be opened is a wrong configuration.
func TestDatabaseErrors(t *testing.T) {
	key := file(t, "key", "k\n")
	for _, i := range []invocation{
		{args: []string{"serve", "--database", "sqlite://" + file(t, "db", "this is not a database, and it is long enough to tell"), "--secret-key-file", key, "--engine", "native"}, code: 78, stderr: "database: "},
		{args: []string{"serve", "--database", "sqlite://" + t.TempDir(), "--secret-key-file", key}, code: 78, stderr: "database: .* not a file"},
		{args: []string{"serve", "--database", "sqlite:///no/such/file.db", "--secret-key-file", key}, code: 78, stderr: "database: .* no such file"},
		{args: []string{"serve", "--database", "postgres://u:canary@[::1/x", "--secret-key-file", key}, code: 78, stderr: "database: .* cannot be read"},
		{args: []string{"serve", "--database", "postgres://u:canary@h:port/x", "--secret-key-file", key}, code: 78, stderr: "database: .* cannot be read"},
		{args: []string{"serve", "--database", "postgres://u:canary@h/x?sslmode=maybe", "--secret-key-file", key}, code: 78, stderr: "database: .* cannot be read"},
		{args: []string{"serve", "--database", "postgres://u:canary@h/x?sslmode=verify-full&sslrootcert=/no/such/ca.pem", "--secret-key-file", key}, code: 78, stderr: "database: .* no such file"},
	} {
		i.try(t)
	}
}

// What only a run can tell is exit code 1.
func TestRuntimeErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	key := file(t, "key", "k\n")
	for _, i := range []invocation{
		{args: []string{"serve", "--database", "postgres://u:canary@127.0.0.1:1/x", "--secret-key-file", key, "--engine", "native"}, code: 1, stderr: "database: "},
		{args: words("serve --demo --engine native --listen " + taken.Addr().String()), code: 1, stderr: "listen: .*in use"},
	} {
		i.try(t)
	}
}

// A flag wins over a variable, a variable over the file, and the file over the default.
func TestPrecedence(t *testing.T) {
	path := file(t, "djedge.toml", `
[django]
secret_key = "from file"
secret_key_fallbacks = ["a,b", "c"]
database_file = "/nowhere"
version = "4.2"
session_cookie_age = 60
session_cookie_httponly = false
password_hashers = ["argon2", "scrypt"]

[serve]
listen = "127.0.0.1:1"
query_timeout = "1s"
limit_pbkdf2_iterations = 4294967295
api = ["me"]
`)
	secret := file(t, "secret", "from flag")
	_, err := loadConfig(&process{args: []string{"--config", path}})
	if err == nil || !strings.Contains(err.Error(), "django.database_file: ") {
		t.Errorf("the file of a secret cannot be read: %v", err)
	}
	c, err := loadConfig(&process{
		env: []string{"DJEDGE_CONFIG=" + path, "DJEDGE_LISTEN=127.0.0.1:2", "DJEDGE_DATABASE=from variable", "DJEDGE_API=me,login",
			"DJEDGE_DJANGO_VERSION=5.0", "DJEDGE_SECRET_KEY=from variable", "DJEDGE_TEST_X=1", "OTHER=2"},
		args: []string{"--django-version", "5.2", "--secret-key-file", secret, "--demo", "--trusted-proxies", "10.0.0.0/8, ::1", "--trusted-proxies=192.0.2.1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []struct{ got, want any }{
		{c.listen, "127.0.0.1:2"},
		{c.database, "from variable"},
		{c.secretKey, "from flag"},
		{c.host.DjangoVersion, "5.2"},
		{c.host.SessionCookieAge, time.Minute},
		{c.host.SessionCookieNotHTTPOnly, true},
		{c.host.SessionCookieName, "sessionid"},
		{c.host.QueryTimeout, time.Second},
		{c.host.Limits.PBKDF2Iterations, uint32(4294967295)},
		{c.demo, true},
		{c.engine, "wasm"},
		{c.kdf, "host"},
	} {
		if check.got != check.want {
			t.Errorf("%v, want %v", check.got, check.want)
		}
	}
	for _, check := range []struct{ got, want []string }{
		{c.host.SecretKeyFallbacks, []string{"a,b", "c"}},
		{c.host.PasswordHashers, []string{"argon2", "scrypt"}},
		{c.api, []string{"me", "login"}},
		{c.trustedProxies, []string{"10.0.0.0/8", "::1", "192.0.2.1"}},
	} {
		if !slices.Equal(check.got, check.want) {
			t.Errorf("%q, want %q", check.got, check.want)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:1": true, "127.9.9.9:1": true, "[::1]:1": true, "localhost:1": true, "LOCALHOST:1": true,
		":1": false, "0.0.0.0:1": false, "[::]:1": false, "192.0.2.1:1": false, "example.com:1": false, "127.0.0.1": false, "": false,
	} {
		if got := isLoopback(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}
