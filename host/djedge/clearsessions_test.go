package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host/sqldb"
)

func TestClearSessions(t *testing.T) {
	dir := t.TempDir()
	path := siteDatabase(t, dir)
	db, err := sqldb.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for key, expires := range map[string]time.Duration{"old1": -time.Second, "old2": -24 * time.Hour, "live": time.Hour} {
		if _, err := db.Query(t.Context(), false, query.Statement{
			Name: "test", SQL: "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?, '', ?)", AdHoc: true,
			Args: []query.Value{query.Text(key), query.SQLite.Time(time.Now().Add(expires))},
		}); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	command := append(words("clearsessions --engine native --log-level error --secret-key-file"), file(t, "key", "canary-secret"), "--database", "sqlite://"+path)
	invocation{args: command, stdout: `^2 expired sessions deleted$`}.try(t)
	invocation{args: command, stdout: `^0 expired sessions deleted$`}.try(t)
	invocation{args: append(command, words("--session-engine signed_cookies")...), stdout: `^0 expired`}.try(t)

	// Session files do not say when they expire; what is no session is left alone.
	folder := t.TempDir()
	names := []string{"sessionidoldoldold", "sessionidnewnewnew", "sessionidnewnewnew_out_x", "sessionidUPPERCASE", "sessionidshort", "other"}
	for _, name := range names {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte("no session, but as old as the file is"), 0o600); err != nil {
			t.Fatal(err)
		}
		if name != "sessionidnewnewnew" {
			if err := os.Chtimes(file, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
	}
	command = append(command, "--session-engine", "file", "--session-file-path", folder, "--session-cookie-age", "600")
	invocation{args: command, stdout: `^1 expired sessions deleted$`}.try(t)
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != len(names)-1 || slices.ContainsFunc(left, func(e os.DirEntry) bool { return e.Name() == "sessionidoldoldold" }) {
		t.Errorf("%v %v", left, err)
	}

	invocation{args: words("clearsessions --help"), stdout: `^Usage: djedge clearsessions `}.try(t)
	invocation{args: words("clearsessions now"), code: 2, stderr: "unexpected argument"}.try(t)
	invocation{args: words("clearsessions --engine native"), code: 78, stderr: "database is missing"}.try(t)
}
