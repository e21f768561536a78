package sqldb

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
)

const (
	insertSession = `INSERT INTO "django_session" ("session_key", "session_data", "expire_date") VALUES (?, ?, ?)`
	selectSession = `SELECT "session_key", "session_data", "expire_date" FROM "django_session" WHERE "session_key" = ?`
)

func newDB(t *testing.T) (*DB, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db.sqlite3")
	db, err := CreateSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := CreateDjangoSchema(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return db, path
}

func statement(sql string, args ...query.Value) query.Statement {
	name, _, _ := strings.Cut(sql, " ")
	return query.Statement{Name: strings.ToLower(name), SQL: sql, Args: args}
}

func mustQuery(t *testing.T, db *DB, atomic bool, statements ...query.Statement) []query.Result {
	t.Helper()
	results, err := db.Query(t.Context(), atomic, statements...)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func session(key, data string) query.Statement {
	return statement(insertSession, query.Text(key), query.Text(data), query.Text("2126-12-07 03:11:02.627332"))
}

func TestOpenSQLiteNeedsADatabase(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.sqlite3")
	if _, err := OpenSQLite(t.Context(), missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a missing file was created")
	}
	if _, err := OpenSQLite(t.Context(), dir); err == nil {
		t.Error("a directory was opened")
	}
	text := filepath.Join(dir, "settings.py")
	if err := os.WriteFile(text, []byte(strings.Repeat("DATABASES = {}\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSQLite(t.Context(), text); err == nil || !strings.Contains(err.Error(), "not a database") {
		t.Errorf("text file: %v", err)
	}
}

func TestOddPaths(t *testing.T) {
	for _, name := range []string{"a b", "100%41", "what?mode=ro", "x#y", "ü;DROP"} {
		path := filepath.Join(t.TempDir(), name)
		db, err := CreateSQLite(t.Context(), path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := CreateDjangoSchema(t.Context(), db); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_ = db.Close()
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: the file at this very path was not used: %v", name, err)
		}
	}
}

func TestCreatedFileIsPrivate(t *testing.T) {
	_, path := newDB(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestSchemaTwice(t *testing.T) {
	db, _ := newDB(t)
	if err := CreateDjangoSchema(t.Context(), db); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("second schema: %v", err)
	}
}

// The text forms are those that Django 5.2 writes (its own SQL trace).
func TestValuesOfDjango(t *testing.T) {
	db, _ := newDB(t)
	mustQuery(t, db, false, statement(`INSERT INTO "auth_user" ("password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined")
		VALUES ('!', NULL, 0, 'alice', '', 'Ä', 'A@ex.com', 0, 1, '2026-11-23 03:11:02.606468'), ('!', '2026-11-23 03:11:02', 1, 'bob', '', '', '', 1, 1, '2026-11-23 03:11:02')`))
	r := mustQuery(t, db, false, statement(`SELECT * FROM "auth_user" ORDER BY "id"`))[0]

	kinds := map[string]query.Kind{}
	at := map[string]int{}
	for i, c := range r.Columns {
		kinds[c.Name], at[c.Name] = c.Kind, i
	}
	for name, want := range map[string]query.Kind{
		"id": query.KindInt, "password": query.KindText, "last_login": query.KindTime, "is_superuser": query.KindBool,
		"username": query.KindText, "first_name": query.KindText, "last_name": query.KindText, "email": query.KindText,
		"is_staff": query.KindBool, "is_active": query.KindBool, "date_joined": query.KindTime,
	} {
		if kinds[name] != want {
			t.Errorf("%s: kind %d, want %d", name, kinds[name], want)
		}
	}
	if len(r.Rows) != 2 {
		t.Fatalf("%d rows", len(r.Rows))
	}
	get := func(row int, name string) query.Value {
		return query.Coerce(r.Rows[row][at[name]], kinds[name])
	}
	if v := get(0, "last_login"); !v.IsNull() {
		t.Errorf("last_login %v", v)
	}
	if v := get(0, "date_joined"); !v.Time().Equal(time.Date(2026, 11, 23, 3, 11, 2, 606468000, time.UTC)) {
		t.Errorf("date_joined %v", v.Time())
	}
	if v := get(1, "last_login"); !v.Time().Equal(time.Date(2026, 11, 23, 3, 11, 2, 0, time.UTC)) {
		t.Errorf("last_login %v", v.Time())
	}
	if !get(0, "is_active").Bool() || get(0, "is_staff").Bool() || get(1, "id").Int() != 2 || get(0, "last_name").Text() != "Ä" {
		t.Errorf("rows %v", r.Rows)
	}
}

func TestArguments(t *testing.T) {
	db, _ := newDB(t)
	when := time.Date(2026, 11, 23, 3, 11, 2, 606468000, time.UTC)
	r := mustQuery(t, db, false, statement(`SELECT ?, ?, ?, ?, ?, ?, ?, ?`, query.Null(), query.Bool(true), query.Int(-1<<62), query.Float(1.5),
		query.Text("a\x00b"), query.Bytes("\xff\x00"), query.Time(when), query.Time(when.Truncate(time.Second))))[0]
	want := []query.Value{query.Null(), query.Int(1), query.Int(-1 << 62), query.Float(1.5), query.Text("a\x00b"), query.Bytes("\xff\x00"),
		query.Text("2026-11-23 03:11:02.606468"), query.Text("2026-11-23 03:11:02")}
	for i, v := range r.Rows[0] {
		if v != want[i] {
			t.Errorf("argument %d: %v, want %v", i, v, want[i])
		}
	}
}

func TestDateStaysText(t *testing.T) {
	db, _ := newDB(t)
	mustQuery(t, db, false, statement(`CREATE TABLE person (born date NULL, height decimal NULL, at time NULL)`))
	mustQuery(t, db, false, statement(`INSERT INTO person VALUES ('1985-07-09', 1.82, '12:30:00')`))
	r := mustQuery(t, db, false, statement(`SELECT * FROM person`))[0]
	if row := r.Rows[0]; row[0] != query.Text("1985-07-09") || row[2] != query.Text("12:30:00") || row[1] != query.Float(1.82) {
		t.Errorf("row %v", row)
	}
	if r.Columns[0].Kind != query.KindText || r.Columns[1].Kind != query.KindNull {
		t.Errorf("columns %v", r.Columns)
	}
}

func TestDuplicate(t *testing.T) {
	db, _ := newDB(t)
	mustQuery(t, db, false, session("abcdefgh12345678", "canary-of-the-row"))
	for _, atomic := range []bool{false, true} {
		_, err := db.Query(t.Context(), atomic, session("abcdefgh12345678", "canary-of-the-row"))
		if !errors.Is(err, query.ErrDuplicate) || strings.Contains(err.Error(), "canary") {
			t.Errorf("primary key, atomic %v: %v", atomic, err)
		}
	}
	group := statement(`INSERT INTO "auth_group" ("name") VALUES (?)`, query.Text("staff"))
	mustQuery(t, db, false, group)
	if _, err := db.Query(t.Context(), false, group); !errors.Is(err, query.ErrDuplicate) {
		t.Errorf("unique column: %v", err)
	}
	_, err := db.Query(t.Context(), false, statement(`INSERT INTO "auth_user_groups" ("user_id", "group_id") VALUES (7, 7)`))
	if err == nil || errors.Is(err, query.ErrDuplicate) || !strings.Contains(err.Error(), "FOREIGN KEY") {
		t.Errorf("foreign key: %v", err)
	}
}

func TestSeveralWritesAreOneTransaction(t *testing.T) {
	db, _ := newDB(t)
	for _, atomic := range []bool{false, true} {
		_, err := db.Query(t.Context(), atomic, session("aaaaaaaa", ""), session("bbbbbbbb", ""), session("aaaaaaaa", ""))
		if !errors.Is(err, query.ErrDuplicate) {
			t.Fatalf("atomic %v: %v", atomic, err)
		}
		if r := mustQuery(t, db, false, statement(`SELECT "session_key" FROM "django_session"`))[0]; len(r.Rows) != 0 {
			t.Errorf("atomic %v: %d rows were left", atomic, len(r.Rows))
		}
	}
	r := mustQuery(t, db, true, session("aaaaaaaa", "1"), session("bbbbbbbb", "2"), statement(selectSession, query.Text("bbbbbbbb")),
		statement(`UPDATE "django_session" SET "session_data" = "session_data"`), statement(`DELETE FROM "django_session" WHERE "session_key" = ?`, query.Text("nobody")))
	if r[0].Affected != 1 || r[2].Rows[0][1] != query.Text("2") || r[3].Affected != 2 || r[4].Affected != 0 {
		t.Errorf("results %v", r)
	}
}

func TestSiteSettingsAreKept(t *testing.T) {
	for _, mode := range []string{"wal", "delete"} {
		db, path := newDB(t)
		if mode == "wal" { // the only one that is kept in the file
			if _, err := db.current.writer.Exec("PRAGMA journal_mode=wal"); err != nil {
				t.Fatal(err)
			}
			again, err := OpenSQLite(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			db = again
		}
		mustQuery(t, db, true, session("aaaaaaaa", ""), session("bbbbbbbb", ""))
		want := map[string]string{"journal_mode": "delete", "foreign_keys": "1", "busy_timeout": "5000"}
		if mode == "wal" {
			want["journal_mode"] = "wal"
		}
		for pragma, value := range want {
			var got1, got2 string
			err1 := db.current.readers.QueryRow("PRAGMA " + pragma).Scan(&got1)
			err2 := db.current.writer.QueryRow("PRAGMA " + pragma).Scan(&got2)
			if err1 != nil || err2 != nil || got1 != value || got2 != value {
				t.Errorf("%s: %q and %q, want %q (%v, %v)", pragma, got1, got2, value, err1, err2)
			}
		}
	}
}

func TestReadersCannotWrite(t *testing.T) {
	db, _ := newDB(t)
	if _, err := db.current.readers.Exec(`DELETE FROM "auth_user"`); err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("a reader wrote: %v", err)
	}
}

func TestMissingNames(t *testing.T) {
	db, _ := newDB(t)
	for _, sql := range []string{`SELECT "nonsense" FROM "auth_user"`, `SELECT "id" FROM "nonsense"`} {
		if _, err := db.Query(t.Context(), false, statement(sql)); err == nil {
			t.Errorf("%s was answered", sql)
		}
	}
}

// Django waits for a lock, and so do we, but not longer than the caller does.
func TestLockedDatabase(t *testing.T) {
	db, path := newDB(t)
	other, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.current.writer.Begin() // BEGIN IMMEDIATE: nobody else may write
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := db.Query(ctx, false, session("aaaaaaaa", "")); err == nil {
		t.Error("wrote to a locked database")
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("waited %v beyond a deadline of 200 ms", took)
	}
	if _, err := db.Query(t.Context(), false, statement(selectSession, query.Text("aaaaaaaa"))); err != nil {
		t.Errorf("a reader was locked out: %v", err)
	}
	time.AfterFunc(300*time.Millisecond, func() { _ = tx.Rollback() })
	for _, atomic := range []bool{false, true} {
		if _, err := db.Query(t.Context(), atomic, session("bbbbbbbb"+map[bool]string{true: "x"}[atomic], ""), session("cccccccc"+map[bool]string{true: "x"}[atomic], "")); err != nil {
			t.Errorf("after the lock was given back: %v", err)
		}
	}
}

func TestConcurrentReadsAndWrites(t *testing.T) {
	db, path := newDB(t)
	other, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	const writers, rounds = 4, 25
	var wg sync.WaitGroup
	for w := range writers {
		for _, db := range []*DB{db, other} {
			wg.Go(func() {
				key := string(rune('a'+w)) + map[bool]string{true: "-one", false: "-two"}[db == other] + "-key"
				if _, err := db.Query(t.Context(), false, session(key, "")); err != nil {
					t.Error(err)
				}
				for range rounds {
					results, err := db.Query(t.Context(), true,
						statement(selectSession, query.Text(key)),
						statement(`UPDATE "django_session" SET "session_data" = "session_data" || 'x' WHERE "session_key" = ?`, query.Text(key)))
					if err != nil || len(results[0].Rows) != 1 || results[1].Affected != 1 {
						t.Errorf("write: %v %v", results, err)
						return
					}
					if _, err := db.Query(t.Context(), false, statement(selectSession, query.Text(key)), statement(selectSession, query.Text("nobody"))); err != nil {
						t.Error(err)
						return
					}
				}
				r, err := db.Query(t.Context(), false, statement(selectSession, query.Text(key)))
				if err != nil || r[0].Rows[0][1].Text() != strings.Repeat("x", rounds) {
					t.Errorf("%s: %v %v", key, r, err)
				}
			})
		}
	}
	wg.Wait()
}

func TestStatementsKept(t *testing.T) {
	db, _ := newDB(t)
	for range 3 {
		mustQuery(t, db, false, statement(selectSession, query.Text("aaaaaaaa")))
		s := statement(`SELECT "id" FROM "auth_user"`)
		s.AdHoc = true
		mustQuery(t, db, false, s)
	}
	kept := func() int { return len(db.current.free[0].stmts) }
	if n := kept() + len(db.current.stmts.made); n != 1 {
		t.Errorf("%d statements are kept", n)
	}
	for i := range 2*maxStatements + 1 {
		mustQuery(t, db, false, statement("SELECT "+strings.Repeat("1+", i)+"1"))
	}
	if n, others := kept(), len(db.current.stmts.made); n != maxStatements || others != maxStatements {
		t.Errorf("%d and %d statements are kept", n, others)
	}
}

func TestClosed(t *testing.T) {
	db, _ := newDB(t)
	_ = db.Close()
	if _, err := db.Query(t.Context(), false, statement(selectSession, query.Text("aaaaaaaa"))); err == nil {
		t.Error("a closed database answered")
	}
	if err := db.Ping(t.Context()); err == nil {
		t.Error("a closed database answered a ping")
	}
}
