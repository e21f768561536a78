package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host"
	httpserve "github.com/djedge/djedge/host/serve"
	"github.com/djedge/djedge/host/sqldb"
)

// demoIterations makes the demo start fast: a twentieth of Django 5.2's.
const demoIterations = 50_000

// demoUsers log in with the password "demo-" and their name. Whoever can
// connect is on this machine, and all that there is to see is the demo.
var demoUsers = []struct {
	name                     string
	active, staff, superuser bool
}{
	{"admin", true, true, true},
	{"staff", true, true, false},
	{"plain", true, false, false},
	{"inactive", false, false, false},
}

func demoPassword(name string) string { return "demo-" + name }

// openDemo makes a database in a temporary directory, which closing removes,
// and sets c to open everything on it.
func openDemo(ctx context.Context, c *config, log *slog.Logger) (host.DB, func() error, error) {
	switch {
	case c.database != "":
		return nil, nil, configf("demo has a database of its own: it refuses database")
	case c.secretKey != "" || len(c.host.SecretKeyFallbacks) > 0:
		return nil, nil, configf("demo has a key of its own: it refuses secret_key")
	case !isLoopback(c.listen):
		return nil, nil, configf("listen: demo listens on a loopback address only, such as 127.0.0.1:8080")
	}
	if len(c.api) > 0 {
		log.Warn("demo opens every endpoint, whatever api says")
	}
	key, err := randomBytes(ctx, 32)
	if err != nil {
		return nil, nil, err
	}
	c.secretKey = base64.RawURLEncoding.EncodeToString(key)
	c.api = httpserve.Endpoints()
	c.host.PBKDF2Iterations = demoIterations

	dir, err := os.MkdirTemp("", "djedge-demo-")
	if err != nil {
		return nil, nil, fmt.Errorf("demo: %w", err)
	}
	remove := func() error { return os.RemoveAll(dir) }
	db, err := sqldb.CreateSQLite(ctx, filepath.Join(dir, "db.sqlite3"))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("demo: %w", err), remove())
	}
	clean := func() error { return errors.Join(db.Close(), remove()) }
	if err := fillDemo(ctx, db, c); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("demo: %w", err), clean())
	}
	return db, clean, nil
}

// fillDemo creates Django's tables and the users.
func fillDemo(ctx context.Context, db *sqldb.DB, c *config) error {
	if err := sqldb.CreateDjangoSchema(ctx, db); err != nil {
		return err
	}
	hashers, err := c.hashers()
	if err != nil {
		return err
	}
	dialect := db.Dialect()
	now := time.Now()
	var inserts []query.Statement
	for _, user := range demoUsers {
		encoded, err := hashers.Make(ctx, inPlace{}, randomBytes, demoPassword(user.name), "")
		if err != nil {
			return err
		}
		inserts = append(inserts, query.Statement{
			Name: "demo_user",
			SQL: "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)" +
				" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			Args: []query.Value{
				query.Text(encoded), dialect.Bool(user.superuser), query.Text(user.name), query.Text("Demo"), query.Text("User"),
				query.Text(user.name + "@example.com"), dialect.Bool(user.staff), dialect.Bool(user.active), dialect.Time(now),
			},
		})
	}
	_, err = db.Query(ctx, true, inserts...)
	return err
}

// announceDemo says where to point a browser, and as whom.
func announceDemo(log *slog.Logger, address string) {
	log.Info("demo: open this address in a browser", "url", "http://"+address+"/")
	for _, user := range demoUsers {
		log.Info("demo user", "username", user.name, "password", demoPassword(user.name),
			"active", user.active, "staff", user.staff, "superuser", user.superuser)
	}
}

// hashers are the configured ones.
func (c *config) hashers() (*password.Hashers, error) {
	release, err := parseVersion(c.host.DjangoVersion)
	if err != nil {
		return nil, configf("version: %w", err)
	}
	hashers, err := password.New(password.Config{
		Version: release, Hashers: c.host.PasswordHashers, Bcrypt: c.host.BcryptVersion,
		Limits: c.host.Limits, PBKDF2Iterations: c.host.PBKDF2Iterations,
	})
	if err != nil {
		return nil, configf("%w", err)
	}
	return hashers, nil
}

// randomBytes is the system's randomness.
func randomBytes(_ context.Context, n int) ([]byte, error) {
	b := make([]byte, n)
	rand.Read(b) // never fails: see crypto/rand
	return b, nil
}

// inPlace is the key derivation of a command: it declines, so that the
// hashers do the work themselves.
type inPlace struct{}

func (inPlace) DeriveKey(context.Context, password.Params, []byte, []byte) ([]byte, error) {
	return nil, password.ErrDeclined
}

func (inPlace) Yield(ctx context.Context) error { return ctx.Err() }
