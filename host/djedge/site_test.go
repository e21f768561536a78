package main

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"path/filepath"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host/sqldb"
)

// siteDatabase makes a Django database with the user bob, whose password is
// "canary-password", stored with 10 iterations.
func siteDatabase(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "db.sqlite3")
	db, err := sqldb.CreateSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := sqldb.CreateDjangoSchema(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	key, err := pbkdf2.Key(sha256.New, "canary-password", []byte("abcdefghijklmnopqrstuv"), 10, sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	encoded := "pbkdf2_sha256$10$abcdefghijklmnopqrstuv$" + base64.StdEncoding.EncodeToString(key)
	if _, err := db.Query(t.Context(), false, query.Statement{
		Name: "bob", AdHoc: true, Args: []query.Value{query.Text(encoded)},
		SQL: `INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
			VALUES (?, 0, 'bob', '', '', '', 0, 1, '2024-01-01 00:00:00')`,
	}); err != nil {
		t.Fatal(err)
	}
	return path
}
