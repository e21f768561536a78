package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// database is one database with the tables of a Django site, and both ways to name it.
type database struct {
	kind   string         // sqlite or postgres
	url    string         // for djedge
	django map[string]any // for Django's DATABASES
}

var databases atomic.Int64

// newDatabase makes a fresh database, as `migrate` of that Django version leaves it.
func newDatabase(t testing.TB, kind, version string) *database {
	t.Helper()
	name := fmt.Sprintf("site%d", databases.Add(1))
	switch kind {
	case "sqlite":
		template := migrated(t, sqliteDatabase("template"+version), version)
		db := sqliteDatabase(name)
		data, err := os.ReadFile(template.path())
		if err == nil {
			err = os.WriteFile(db.path(), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return db
	case "postgres":
		s := postgres(t)
		migrated(t, postgresDatabase(s, "template"+version), version)
		if err := execPostgres(s, "CREATE DATABASE "+name+" TEMPLATE template"+version); err != nil {
			t.Fatal(err)
		}
		return postgresDatabase(s, name)
	}
	t.Fatalf("no database is called %s", kind)
	return nil
}

func sqliteDatabase(name string) *database {
	path := filepath.Join(scratch, name+".sqlite3")
	return &database{
		kind: "sqlite",
		url:  "sqlite://" + path,
		django: map[string]any{
			"ENGINE":  "django.db.backends.sqlite3",
			"NAME":    path,
			"OPTIONS": map[string]any{"timeout": 20},
		},
	}
}

func postgresDatabase(s *server, name string) *database {
	host, port, _ := strings.Cut(s.addr, ":")
	return &database{
		kind: "postgres",
		url:  postgresURL(s.addr, name),
		django: map[string]any{
			"ENGINE": "django.db.backends.postgresql",
			"NAME":   name, "USER": "postgres", "PASSWORD": postgresPassword, "HOST": host, "PORT": port,
			"CONN_MAX_AGE": 600,
		},
	}
}

// path is an SQLite database's file.
func (db *database) path() string { return strings.TrimPrefix(db.url, "sqlite://") }

var migrations struct {
	sync.Mutex
	done map[string]error
}

// migrated runs Django's migrations on a template database, once for every template.
func migrated(t testing.TB, template *database, version string) *database {
	t.Helper()
	migrations.Lock()
	defer migrations.Unlock()
	err, done := migrations.done[template.url]
	if !done {
		err = migrate(t, template, version)
		if migrations.done == nil {
			migrations.done = map[string]error{}
		}
		migrations.done[template.url] = err
	}
	if err != nil {
		t.Fatal(err)
	}
	return template
}

func migrate(t testing.TB, db *database, version string) error {
	if db.kind == "postgres" {
		name, _ := db.django["NAME"].(string)
		if err := execPostgres(postgres(t), "CREATE DATABASE "+name); err != nil {
			return err
		}
	}
	cmd := python(t, version, db, settings{"SECRET_KEY": secretKey}, "-m", "django", "migrate", "-v", "0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate: %w\n%s", err, out)
	}
	return nil
}
