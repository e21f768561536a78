package host_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/sqldb"
)

func emptySQLite(t testing.TB) *sqldb.DB {
	t.Helper()
	db, err := sqldb.CreateSQLite(t.Context(), filepath.Join(t.TempDir(), "db.sqlite3"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := sqldb.CreateDjangoSchema(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return db
}

// A site that is configured wrongly does not start, and hears what is wrong.
func TestNewNamesTheSetting(t *testing.T) {
	keys := signing.DeriveKeys("", secret, nil)
	for _, c := range []struct {
		setting string
		set     func(*host.Config)
	}{
		{"database", func(c *host.Config) { c.DB = nil }},
		{"secret_key", func(c *host.Config) { c.SecretKey = "" }},
		{"secret_key", func(c *host.Config) { c.Keys = &keys }},
		{"secret_key_fallbacks", func(c *host.Config) { c.SecretKeyFallbacks = []string{"canary-old", ""} }},
		{"session_salt_class", func(c *host.Config) { c.SecretKey, c.Keys, c.SessionSaltClass = "", &keys, "MyStore" }},
		{"key_auth_hash", func(c *host.Config) { c.SecretKey, c.Keys = "", &signing.Keys{Session: keys.Session} }},
		{"key_session", func(c *host.Config) { c.SecretKey, c.Keys = "", &signing.Keys{AuthHash: keys.AuthHash} }},
		{"version", func(c *host.Config) { c.DjangoVersion = "1.11" }},
		{"user_table", func(c *host.Config) { c.UserTable = "users" }},
		{"user_table", func(c *host.Config) { c.UserTable = `auth_user"; DROP TABLE auth_user; --` }},
		{"user_table", func(c *host.Config) {
			c.UserTable = "django_session"
			c.UserPK = "session_key"
			c.UsernameField = "session_data"
		}},
		{"user_pk", func(c *host.Config) { c.UserPK = "uuid" }},
		{"username_field", func(c *host.Config) { c.UsernameField = "login" }},
		{"session_table", func(c *host.Config) { c.SessionTable = "sessions" }},
		{"session_table", func(c *host.Config) { c.SessionTable = "auth_group" }},
		{"session_cookie_name", func(c *host.Config) { c.SessionCookieName = "a b" }},
		{"session_cookie_samesite", func(c *host.Config) { c.SessionCookieSameSite = "sometimes" }},
		{"session_cookie_age", func(c *host.Config) { c.SessionCookieAge = 1500 * time.Millisecond }},
		{"session_cookie_age", func(c *host.Config) { c.SessionCookieAge = -time.Hour }},
		{"session_max_bytes", func(c *host.Config) { c.SessionMaxBytes = -1 }},
		{"session_engine", func(c *host.Config) { c.SessionEngine = "django.contrib.sessions.backends.db" }},
		{"session_storage", func(c *host.Config) { c.SessionEngine = "cached_db" }},
		{"session_storage", func(c *host.Config) { c.SessionEngine = "file" }},
		{"cache_format", func(c *host.Config) { c.CacheFormat = "locmem" }},
		{"cache_serializer", func(c *host.Config) { c.CacheSerializer = "json" }},
		{"cache_compressor", func(c *host.Config) { c.CacheCompressor = "zlib" }},
		{"cache_version", func(c *host.Config) { c.CacheVersion = -1 }},
		{"cache_key_prefix", func(c *host.Config) { c.CacheFormat, c.CacheKeyPrefix = "memcached", "a b" }},
		{"time_zone", func(c *host.Config) { c.NotUseTZ, c.TimeZone = true, "Mars/Olympus" }},
		{"password_hashers", func(c *host.Config) { c.PasswordHashers = []string{"rot13"} }},
		{"bcrypt_version", func(c *host.Config) { c.BcryptVersion = 7 }},
		{"public_origin", func(c *host.Config) { c.PublicOrigins = []string{"example.com"} }},
		{"header_user", func(c *host.Config) { c.HeaderUser = "Remote User" }},
		{"header_user", func(c *host.Config) { c.HeaderUser = "Cookie" }},
		{"user_groups_table", func(c *host.Config) { c.PermissionTables.UserGroups = "auth_nowhere" }},
		{"user_m2m_column", func(c *host.Config) { c.PermissionTables.UserColumn = "a.user_id" }},
		{"permission_table", func(c *host.Config) { c.PermissionTables.Permission = "a;b" }},
		{"csrf_cookie_name", func(c *host.Config) { c.CSRFCookieName = "a(b)" }},
		{"csrf_cookie_name", func(c *host.Config) { c.CSRFCookieName = "sessionid" }},
		{"csrf_cookie_samesite", func(c *host.Config) { c.CSRFCookieSameSite = "sometimes" }},
		{"query_timeout", func(c *host.Config) { c.QueryTimeout = -1 }},
		{"hash_queue_timeout", func(c *host.Config) { c.HashQueueTimeout = -1 }},
		{"hash_concurrency", func(c *host.Config) { c.HashConcurrency = -1 }},
		{"hash_memory", func(c *host.Config) { c.HashMemory = -1 }},
		{"kdf", func(c *host.Config) { c.KDF = 9 }},
	} {
		config := host.Config{DB: emptySQLite(t), SecretKey: secret}
		c.set(&config)
		_, err := host.New(t.Context(), config)
		if err == nil {
			t.Errorf("%s: no error", c.setting)
		} else if !strings.Contains(err.Error(), c.setting) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", c.setting, err)
		}
	}
}

func TestNewWithoutADatabase(t *testing.T) {
	db := emptySQLite(t)
	_ = db.Close()
	_, err := host.New(t.Context(), host.Config{DB: db, SecretKey: secret})
	if err == nil || !strings.Contains(err.Error(), "database: cannot be reached") {
		t.Error(err)
	}

	empty, err := sqldb.CreateSQLite(t.Context(), filepath.Join(t.TempDir(), "empty.sqlite3"))
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	_, err = host.New(t.Context(), host.Config{DB: empty, SecretKey: secret})
	if err == nil || !strings.Contains(err.Error(), "user_table") || !strings.Contains(err.Error(), "migrations") {
		t.Error(err)
	}

	slow := &database{DB: emptySQLite(t), fault: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	start := time.Now()
	_, err = host.New(t.Context(), host.Config{DB: slow, SecretKey: secret, QueryTimeout: 100 * time.Millisecond})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
		t.Errorf("slow database: %v after %v", err, time.Since(start))
	}
}

type closing struct {
	host.Engine
	closed *int
}

func (c closing) Close(ctx context.Context) error {
	*c.closed++
	return c.Engine.Close(ctx)
}

func TestEngineIsClosed(t *testing.T) {
	closed := 0
	config := host.Config{DB: emptySQLite(t), SecretKey: secret, Engine: closing{host.Native(), &closed}, UserTable: "users"}
	if _, err := host.New(t.Context(), config); err == nil || closed != 1 {
		t.Errorf("New failed with %v and closed its engine %d times", err, closed)
	}
	config.UserTable = ""
	h := newHost(t, config)
	if err := h.Close(); err != nil || closed != 2 {
		t.Errorf("Close: %v, %d times", err, closed)
	}
	if err := config.DB.Ping(t.Context()); err != nil {
		t.Errorf("the database was closed: %v", err)
	}
}

func TestConfigIsNotPrinted(t *testing.T) {
	keys := signing.DeriveKeys("", secret, nil)
	c := host.Config{SecretKey: secret, SecretKeyFallbacks: []string{"canary-old"}, Keys: &keys}
	var text strings.Builder
	slog.New(slog.NewTextHandler(&text, nil)).Info("x", "config", c, "pointer", &c)
	fmt.Fprintf(&text, "%v %+v %#v %s %q %x %v %+v", c, c, c, c, c, c, &c, &c)
	if strings.Contains(text.String(), "canary") || strings.Contains(text.String(), fmt.Sprintf("%x", "canary")) {
		t.Errorf("printed: %s", text.String())
	}
}

// Derived keys are as good as the secret that they come from, fallbacks too.
func TestKeys(t *testing.T) {
	derived := signing.DeriveKeys("", secret, nil)
	rotated := signing.DeriveKeys("", "canary-new-secret", []string{secret})
	for name, config := range map[string]host.Config{
		"derived":          {Keys: &derived},
		"derived fallback": {Keys: &rotated},
		"secret fallback":  {SecretKey: "canary-new-secret", SecretKeyFallbacks: []string{"canary-another", secret}},
	} {
		config.DB = openSQLite(t)
		if d := check(newHost(t, config), "alice").Decision; d.Outcome != gate.Allow {
			t.Errorf("%s: %+v", name, d)
		}
	}
	wrong := newHost(t, host.Config{DB: openSQLite(t), SecretKey: "canary-new-secret"})
	if d := check(wrong, "alice").Decision; d.Status != 401 {
		t.Errorf("wrong key: %+v", d)
	}
}

// A user model of a site's own: other names, a UUID for a key, more columns.
func TestCustomUser(t *testing.T) {
	everywhere(t, func(t *testing.T, db *database, config host.Config) {
		// As Django declares and stores a UUIDField.
		id := map[query.Dialect]string{query.PostgreSQL: "uuid", query.SQLite: "char(32)"}[db.Dialect()]
		stored := query.Dialect.UUID(db.Dialect(), "0f8fad5b-d9cb-469f-a165-70867728950e").Text()
		boolean := map[query.Dialect]string{query.PostgreSQL: "boolean", query.SQLite: "bool"}[db.Dialect()]
		born := map[query.Dialect]string{query.PostgreSQL: "DATE '1985-07-09'", query.SQLite: "'1985-07-09'"}[db.Dialect()]
		db.exec(t, `CREATE TABLE shop_customer (uid `+id+` PRIMARY KEY, password varchar(128) NOT NULL, email varchar(254) NOT NULL UNIQUE, is_active `+boolean+` NOT NULL, points integer NULL, born date NULL)`)
		db.exec(t, `INSERT INTO shop_customer (uid, password, email, is_active, points, born) SELECT CAST('`+stored+`' AS `+id+`), password, 'Ann@example.com', is_active, 7, `+born+` FROM auth_user WHERE id = 2`)
		config.UserTable, config.UserPK, config.UsernameField = "shop_customer", "uid", "email"
		h := newHost(t, config)

		in := login(h, "Ann@example.com", "canary-PASSWORD-of-bob")
		if d := in.Decision; d.Outcome != gate.Allow || d.Identity.ID != "0f8fad5b-d9cb-469f-a165-70867728950e" {
			t.Fatalf("login: %+v", d)
		}
		if n := db.trips(func() {
			if d := bySession(h, in.SessionKey).Decision; d.Outcome != gate.Allow || d.Identity.Name != "Ann@example.com" {
				t.Errorf("check: %+v", d)
			}
		}); n != 1 {
			t.Errorf("%d round trips", n)
		}
		r := bySession(h, in.SessionKey)
		row := map[string]query.Value{}
		for i, c := range h.Columns() {
			row[c.Name] = r.User[i]
		}
		if row["points"] != query.Int(7) || row["born"] != query.Text("1985-07-09") || !row["password"].IsNull() {
			t.Errorf("row %v", row)
		}
	})
}
