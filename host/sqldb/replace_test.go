package sqldb

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/djedge/djedge/djsession/query"
)

// beside makes a database next to path with one session, and returns its path.
func beside(t *testing.T, path, data string) string {
	t.Helper()
	other := filepath.Join(filepath.Dir(path), data+".sqlite3")
	db, err := CreateSQLite(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	if err := CreateDjangoSchema(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	mustQuery(t, db, false, session("aaaaaaaa", data))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return other
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// both reads the session by a reader and by the writer.
func both(t *testing.T, db *DB) (reader, writer string) {
	t.Helper()
	read := statement(selectSession, query.Text("aaaaaaaa"))
	return mustQuery(t, db, false, read)[0].Rows[0][1].Text(), mustQuery(t, db, true, read)[0].Rows[0][1].Text()
}

func TestReplacedFile(t *testing.T) {
	db, path := newDB(t)
	mustQuery(t, db, false, session("aaaaaaaa", "first"))
	if r, w := both(t, db); r != "first" || w != "first" {
		t.Fatalf("%q, %q", r, w)
	}
	second := beside(t, path, "second")
	move(t, path, path+".old")
	move(t, second, path)
	if r, w := both(t, db); r != "second" || w != "second" {
		t.Errorf("after the replacement: %q by a reader, %q by the writer", r, w)
	}
	// Over it, as rename(2) does; the writer is the first to see it.
	move(t, beside(t, path, "third"), path)
	mustQuery(t, db, false, session("bbbbbbbb", "new"))
	if r, w := both(t, db); r != "third" || w != "third" {
		t.Errorf("after the second: %q by a reader, %q by the writer", r, w)
	}
	old, err := OpenSQLite(t.Context(), path+".old")
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if n := len(mustQuery(t, old, false, statement(`SELECT "session_key" FROM "django_session"`))[0].Rows); n != 1 {
		t.Errorf("the first file has %d sessions", n)
	}
}

func TestMissingFile(t *testing.T) {
	db, path := newDB(t)
	mustQuery(t, db, false, session("aaaaaaaa", "first"))
	move(t, path, path+".old")
	for _, atomic := range []bool{false, true} {
		if _, err := db.Query(t.Context(), atomic, statement(selectSession, query.Text("aaaaaaaa"))); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without its file: %v", err)
		}
	}
	if err := db.Ping(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ping without the file: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a new file was made")
	}
	move(t, path+".old", path)
	if r, w := both(t, db); r != "first" || w != "first" {
		t.Errorf("back again: %q, %q", r, w)
	}
}

// A query that began in the old file ends there, and none that reads fails,
// also in a transaction. (A write at that very moment is refused by SQLite:
// SQLITE_READONLY_DBMOVED.)
func TestReplacedUnderLoad(t *testing.T) {
	db, path := newDB(t)
	mustQuery(t, db, false, session("aaaaaaaa", "0"))
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			for ctx.Err() == nil {
				s := statement(selectSession, query.Text("aaaaaaaa"))
				r, err := db.Query(context.WithoutCancel(ctx), i%2 == 0, s, s)
				if err != nil || len(r[0].Rows) != 1 {
					t.Errorf("%v, %v", r, err)
					return
				}
			}
		})
	}
	for _, data := range []string{"1", "2", "3", "4", "5"} {
		move(t, beside(t, path, data), path)
		if r, w := both(t, db); r != data || w != data {
			t.Errorf("%q by a reader, %q by the writer, want %q", r, w, data)
		}
	}
	stop()
	wg.Wait()
}

func TestOneStatementEach(t *testing.T) {
	db, _ := newDB(t)
	mustQuery(t, db, false, session("aaaaaaaa", "x"))
	for _, text := range []string{
		`SELECT 1; PRAGMA query_only(0); DELETE FROM "django_session"`,
		"SELECT 1;\nDELETE FROM \"django_session\"", `UPDATE "django_session" SET "session_data" = ''; SELECT 1`, "SELECT 1;;",
	} {
		for _, atomic := range []bool{false, true} {
			if _, err := db.Query(t.Context(), atomic, statement(text)); err == nil {
				t.Errorf("%q was run", text)
			}
		}
	}
	mustQuery(t, db, false, statement("SELECT 1; \n"))
	if r, _ := both(t, db); r != "x" {
		t.Errorf("the session is %q", r)
	}
}
