package postgres

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host/internal/crowd"
	"github.com/djedge/djedge/host/postgres/postgrestest"
)

// The statements of a check, as djsession and djuser write them.
const (
	checkSession = `SELECT "session_key", "session_data" FROM "django_session" WHERE "session_key" = $1 AND "expire_date" > $2`
	checkUser    = `SELECT "id", "password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined" FROM "auth_user" WHERE "id" = CAST($1 AS bigint) LIMIT 21`
)

func sessionKey(i int) string { return fmt.Sprintf("%032d", i) }

func check(i int) []query.Statement {
	return []query.Statement{sessionOf(sessionKey(i)), userOf(query.Int(int64(i)))}
}

func sessionOf(key string) query.Statement {
	return query.Statement{Name: "session_load", SQL: checkSession, Args: []query.Value{query.Text(key), query.Time(time.Now())}}
}

func userOf(id query.Value) query.Statement {
	return query.Statement{Name: "user_by_id", SQL: checkUser, Args: []query.Value{id}}
}

// populate makes n users and a session of each, whose rows tell whose they are.
func populate(t testing.TB, server string, n int) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(context.Background(), fmt.Sprintf(`
		INSERT INTO "auth_user" SELECT i, 'pbkdf2_sha256$1000000$salt$' || md5(i::text), CASE WHEN i %% 2 = 0 THEN now() END, false, 'user' || i, '', '', 'user' || i || '@example.com', false, true, now()
			FROM generate_series(1, %[1]d) AS i;
		INSERT INTO "django_session" SELECT lpad(i::text, 32, '0'), 'data of ' || i || ' ' || repeat('x', 200), now() + interval '10 days' FROM generate_series(1, %[1]d) AS i;
		ANALYZE`, n))
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkCheck prints the CPU time of one check, here and in PostgreSQL, when
// 32 requests are checked at once: each alone, and in batches.
func BenchmarkCheck(b *testing.B) {
	const sessions = 10_000
	server := postgrestest.URL(b)
	populate(b, server, sessions)
	for _, c := range []struct {
		name string
		size int
	}{{"alone", 1}, {"batched", 0}} {
		for _, hinted := range []bool{true, false} {
			name := c.name
			if !hinted {
				name += "/two phases"
			}
			b.Run(name, func(b *testing.B) {
				db, err := New(b.Context(), Config{URL: server, BatchSize: c.size})
				if err != nil {
					b.Fatal(err)
				}
				defer db.Close()
				crowd.Checks(b, db, 2000, sessions, hinted, check)
				b.ReportAllocs()
				before, beforeServer := crowd.ProcessTime(), serverTime(b, server)
				b.ResetTimer()
				crowd.Checks(b, db, b.N, sessions, hinted, check)
				b.StopTimer()
				b.ReportMetric(float64(crowd.ProcessTime()-before)/float64(b.N), "ns-here/op")
				b.ReportMetric(float64(serverTime(b, server)-beforeServer)/float64(b.N), "ns-postgres/op")
			})
		}
	}
}

// serverTime is the CPU time of the connections to this database.
func serverTime(b *testing.B, server string) time.Duration {
	conn, err := pgx.Connect(context.Background(), server)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(context.Background(), `SELECT pid::text FROM pg_stat_activity WHERE application_name = 'djedge' AND datname = current_database()`)
	if err != nil {
		b.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		b.Fatal(err)
	}
	var sum int64
	for _, pid := range pids {
		text, err := os.ReadFile("/proc/" + pid + "/schedstat")
		if err != nil {
			b.Logf("PostgreSQL's time is unknown: %v", err)
			return 0
		}
		first, _, _ := strings.Cut(string(text), " ")
		n, _ := strconv.ParseInt(first, 10, 64)
		sum += n
	}
	return time.Duration(sum)
}
