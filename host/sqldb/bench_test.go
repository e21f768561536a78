package sqldb

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host/internal/crowd"
)

// The statements of a check, as djsession and djuser write them.
const (
	checkSession = `SELECT "session_key", "session_data" FROM "django_session" WHERE "session_key" = ? AND "expire_date" > ?`
	checkUser    = `SELECT "id", "password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined" FROM "auth_user" WHERE "id" = ? LIMIT 21`
)

func sessionKey(i int) string { return fmt.Sprintf("%032d", i) }

func check(i int) []query.Statement {
	return []query.Statement{
		{Name: "session_load", SQL: checkSession, Args: []query.Value{query.Text(sessionKey(i)), query.SQLite.Time(time.Now())}},
		{Name: "user_by_id", SQL: checkUser, Args: []query.Value{query.Int(int64(i))}},
	}
}

// populate makes a database with n users and a session of each, whose rows
// tell whose they are.
func populate(t testing.TB, journal string, n int) *DB {
	t.Helper()
	db, err := CreateSQLite(context.Background(), filepath.Join(t.TempDir(), "db.sqlite3"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := CreateDjangoSchema(context.Background(), db); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`PRAGMA journal_mode = ` + journal,
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO "auth_user" ("id", "password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined")
			SELECT i, 'pbkdf2_sha256$1000000$salt$abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq=', CASE WHEN i %% 2 = 0 THEN '2026-11-23 03:11:02.606468' END, 0, 'user' || i, '', '', 'user' || i || '@example.com', 0, 1, '2026-11-23 03:11:02' FROM n`, n),
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO "django_session" ("session_key", "session_data", "expire_date") SELECT printf('%%032d', i), 'data of ' || i || ' ' || hex(zeroblob(100)), '2126-11-23 03:11:02.606468' FROM n`, n),
	} {
		if _, err := db.current.writer.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// BenchmarkCheck prints the CPU time of one check when 32 requests are
// checked at once.
func BenchmarkCheck(b *testing.B) {
	const sessions = 10_000
	for _, journal := range []string{"delete", "wal"} {
		for _, hinted := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/hinted=%v", journal, hinted), func(b *testing.B) {
				db := populate(b, journal, sessions)
				crowd.Checks(b, db, 2000, sessions, hinted, check)
				b.ReportAllocs()
				before := crowd.ProcessTime()
				b.ResetTimer()
				crowd.Checks(b, db, b.N, sessions, hinted, check)
				b.StopTimer()
				b.ReportMetric(float64(crowd.ProcessTime()-before)/float64(b.N), "ns-cpu/op")
			})
		}
	}
}
