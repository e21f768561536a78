package sqldb

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
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
				ask := func(statements ...query.Statement) {
					ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
					defer cancel()
					results, err := db.Query(ctx, false, statements...)
					if err != nil || len(results[0].Rows) != 1 {
						b.Error(results, err)
					}
				}
				run := func(n int) {
					var left atomic.Int64
					left.Store(int64(n))
					var workers sync.WaitGroup
					for range 32 {
						workers.Go(func() {
							for left.Add(-1) >= 0 {
								if all := check(1 + rand.IntN(sessions)); hinted {
									ask(all...)
								} else {
									ask(all[0])
									ask(all[1])
								}
							}
						})
					}
					workers.Wait()
				}
				run(2000)
				b.ReportAllocs()
				before := processTime()
				b.ResetTimer()
				run(b.N)
				b.StopTimer()
				b.ReportMetric(float64(processTime()-before)/float64(b.N), "ns-cpu/op")
			})
		}
	}
}

// processTime is the CPU time of this process.
func processTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
