package e2e

import (
	"context"
	"database/sql"
	"net/http"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// While PostgreSQL is away, does not answer or talks nonsense, djedge answers 503, never "anonymous" and never with a user; when
// it is back, djedge is right again without a restart.
func TestDatabaseOutage(t *testing.T) {
	t.Parallel()
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			db := newDatabase(t, "postgres", current)
			w := newWire(t, postgres(t).addr)
			s := &site{t, db, startDjango(t, current, db, settings{"SECRET_KEY": secretKey}),
				startEdge(t, postgresURL(w.addr(), db.django["NAME"].(string)), edgeOptions{engine: engine, args: []string{"--query-timeout", "500ms"}})}
			u, v := s.newUser(), s.visitor()
			v.loginAtEdge(u)
			v.wantUser(u.Username)

			for name, mode := range map[string]wireMode{"away": refuse, "silent": hang, "garbage": garbage} {
				w.set(mode)
				wantOutage(t, name, v, u)
				w.set(pass)
				wantRecovery(t, name, v, u)
			}
		})
	}
}

func wantOutage(t *testing.T, name string, v *visitor, u user) {
	t.Helper()
	for range 3 {
		for _, try := range []struct {
			method, path string
			body         any
		}{
			{"GET", "/auth", nil},
			{"GET", "/api/me", nil},
			{"POST", "/api/login", u},
			{"POST", "/api/register", user{newName(), "a new user's password"}},
			{"POST", "/api/change-password", map[string]string{"password": "another password"}},
			{"POST", "/api/logout", nil},
		} {
			began := time.Now()
			a := v.edge(try.method, try.path, try.body)
			if a.status != http.StatusServiceUnavailable {
				t.Errorf("database %s: %s answers %d %s", name, try.path, a.status, a.body)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("database %s: %s takes %v", name, try.path, took)
			}
			if a.header.Get("Set-Cookie") != "" || a.header.Get("Remote-User") != "" {
				t.Errorf("database %s: %s answers with the header %v", name, try.path, a.header)
			}
		}
	}
}

func wantRecovery(t *testing.T, name string, v *visitor, u user) {
	t.Helper()
	eventually(t, "djedge is right again after the database was "+name, 10*time.Second, func(context.Context) bool {
		a, err := v.try("GET", v.site.edge.url("/auth"), nil)
		return err == nil && a.status == http.StatusOK
	})
	v.wantUser(u.Username)
	again := v.site.visitor()
	again.loginAtEdge(u)
	again.wantUser(u.Username)
}

// A writer that holds SQLite's lock for too long is the same.
func TestLockedSQLite(t *testing.T) {
	t.Parallel()
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := startSite(t, "sqlite", current, settings{}, edgeOptions{engine: engine, args: []string{"--query-timeout", "500ms"}})
			u, v := s.newUser(), s.visitor()
			v.loginAtEdge(u)

			db, err := sql.Open("sqlite", s.db.path())
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
				t.Fatal(err)
			}
			wantOutage(t, "locked", v, u)
			if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
				t.Fatal(err)
			}
			wantRecovery(t, "locked", v, u)
		})
	}
}
