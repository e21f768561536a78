package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host/postgres/postgrestest"
)

const (
	insertSession = `INSERT INTO "django_session" ("session_key", "session_data", "expire_date") VALUES ($1, $2, $3)`
	selectSession = `SELECT "session_key", "session_data", "expire_date" FROM "django_session" WHERE "session_key" = $1`
	insertGroup   = `INSERT INTO "auth_user_groups" ("user_id", "group_id") VALUES (7, 7)`
)

var expires = query.Time(time.Date(2126, 12, 7, 3, 11, 2, 627332000, time.UTC))

func openTest(t *testing.T, url string, config Config) *DB {
	t.Helper()
	config.URL = url
	db, err := New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func statement(sql string, args ...query.Value) query.Statement {
	name, _, _ := strings.Cut(sql, " ")
	return query.Statement{Name: strings.ToLower(name), SQL: sql, Args: args}
}

func session(key, data string) query.Statement {
	return statement(insertSession, query.Text(key), query.Text(data), expires)
}

func load(key string) query.Statement { return statement(selectSession, query.Text(key)) }

func mustQuery(t *testing.T, db *DB, atomic bool, statements ...query.Statement) []query.Result {
	t.Helper()
	results, err := db.Query(t.Context(), atomic, statements...)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// All protocols that a URL may choose read the same values.
func TestValues(t *testing.T) {
	server := postgrestest.URL(t)
	for _, mode := range []string{"cache_statement", "cache_describe", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			db := openTest(t, server+"?default_query_exec_mode="+mode, Config{})
			when := query.Time(time.Date(2026, 11, 23, 3, 11, 2, 606468000, time.UTC))
			for _, c := range []struct {
				sql  string
				want query.Value
				kind query.Kind
			}{
				{"NULL::int4", query.Null(), query.KindInt},
				{"true", query.Bool(true), query.KindBool},
				{"false", query.Bool(false), query.KindBool},
				{"(-7)::int2", query.Int(-7), query.KindInt},
				{"(-2147483648)::int4", query.Int(-2147483648), query.KindInt},
				{"9223372036854775807::int8", query.Int(9223372036854775807), query.KindInt},
				{"1.5::float4", query.Float(1.5), query.KindFloat},
				{"1.5::float8", query.Float(1.5), query.KindFloat},
				{"'Zoé'::varchar(150)", query.Text("Zoé"), query.KindText},
				{"'x'::char(3)", query.Text("x  "), query.KindText},
				{"''::text", query.Text(""), query.KindText},
				{"'\\xff00'::bytea", query.Bytes("\xff\x00"), query.KindBytes},
				{"'2026-11-23 03:11:02.606468+00'::timestamptz", when, query.KindTime},
				{"'2026-11-23 05:11:02.606468+02'::timestamptz", when, query.KindTime},
				{"'2026-11-23 03:11:02.606468'::timestamp", when, query.KindTime},
				{"'1999-12-31 23:59:59+00'::timestamptz", query.Time(time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)), query.KindTime},
				{"'1985-07-09'::date", query.Text("1985-07-09"), query.KindText},
				{"'12:30'::time", query.Text("12:30:00"), query.KindText},
				{"1234.50::numeric(8,2)", query.Text("1234.50"), query.KindText},
				{"'0F8FAD5B-D9CB-469F-A165-70867728950E'::uuid", query.Text("0f8fad5b-d9cb-469f-a165-70867728950e"), query.KindUUID},
				{`'{"a": 1}'::json`, query.Text(`{"a": 1}`), query.KindText},
				{`'{"a":1}'::jsonb`, query.Text(`{"a": 1}`), query.KindText},
			} {
				r := mustQuery(t, db, false, statement(`SELECT * FROM (SELECT `+c.sql+` AS "it") AS "t"`))[0]
				if got := r.Rows[0][0]; got != c.want {
					t.Errorf("%s: %v, want %v", c.sql, got, c.want)
				}
				if got := r.Columns[0]; got.Name != "it" || got.Kind != c.kind {
					t.Errorf("%s: column %v, want kind %d", c.sql, got, c.kind)
				}
			}
			for _, sql := range []string{"'infinity'::timestamptz", "'{1,2}'::int4[]", "'10.0.0.1'::inet", "'00:01'::interval"} {
				if v := mustQuery(t, db, false, statement("SELECT "+sql))[0].Rows[0][0]; v.Kind() != query.KindText || v.Text() == "" {
					t.Errorf("%s: %v, want some text", sql, v)
				}
			}
		})
	}
}

func TestArguments(t *testing.T) {
	db := openTest(t, postgrestest.URL(t), Config{})
	when := time.Date(2026, 11, 23, 3, 11, 2, 606468000, time.UTC)
	want := []query.Value{query.Null(), query.Bool(true), query.Int(-1 << 62), query.Float(1.5), query.Text("Zoé"), query.Bytes("\xff\x00"), query.Time(when)}
	r := mustQuery(t, db, false, statement(`SELECT $1::text, $2::bool, $3::int8, $4::float8, $5::text, $6::bytea, $7::timestamptz`, want...))[0]
	for i, v := range r.Rows[0] {
		if v != want[i] {
			t.Errorf("argument %d: %v, want %v", i, v, want[i])
		}
	}
	// A primary key as a session holds it.
	r = mustQuery(t, db, false, statement(`SELECT $1::int4 = 7, $2::uuid = '0f8fad5b-d9cb-469f-a165-70867728950e'`,
		query.Text("7"), query.Text("0f8fad5b-d9cb-469f-a165-70867728950e")))[0]
	if !r.Rows[0][0].Bool() || !r.Rows[0][1].Bool() {
		t.Errorf("keys as text: %v", r.Rows[0])
	}
}

func TestColumnsOfDjango(t *testing.T) {
	db := openTest(t, postgrestest.URL(t), Config{})
	want := map[string]query.Kind{
		"id": query.KindInt, "password": query.KindText, "last_login": query.KindTime, "is_superuser": query.KindBool,
		"username": query.KindText, "first_name": query.KindText, "last_name": query.KindText, "email": query.KindText,
		"is_staff": query.KindBool, "is_active": query.KindBool, "date_joined": query.KindTime,
	}
	r := mustQuery(t, db, false, statement(`SELECT * FROM "auth_user" WHERE 1 = 0`))[0]
	if len(r.Columns) != len(want) {
		t.Errorf("%d columns", len(r.Columns))
	}
	for _, c := range r.Columns {
		if want[c.Name] != c.Kind {
			t.Errorf("%s: kind %d, want %d", c.Name, c.Kind, want[c.Name])
		}
	}
	if r := mustQuery(t, db, false, load("nobody"))[0]; r.Columns != nil || r.Rows != nil {
		t.Errorf("columns that nobody asked for: %v", r)
	}
}

func TestDuplicate(t *testing.T) {
	db := openTest(t, postgrestest.URL(t), Config{})
	mustQuery(t, db, false, session("abcdefgh12345678", "canary-of-the-row"))
	for _, statements := range [][]query.Statement{
		{session("abcdefgh12345678", "canary")},
		{load("abcdefgh12345678"), session("abcdefgh12345678", "canary")},
	} {
		_, err := db.Query(t.Context(), true, statements...)
		if !errors.Is(err, query.ErrDuplicate) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "abcdefgh") {
			t.Errorf("%d statements: %v", len(statements), err)
		}
	}
}

func TestSeveralStatementsAreOneTransaction(t *testing.T) {
	db := openTest(t, postgrestest.URL(t), Config{})
	for _, mode := range []bool{false, true} {
		if _, err := db.Query(t.Context(), mode, session("aaaaaaaa", ""), session("bbbbbbbb", ""), session("aaaaaaaa", "")); !errors.Is(err, query.ErrDuplicate) {
			t.Fatalf("atomic %v: %v", mode, err)
		}
		if r := mustQuery(t, db, false, statement(`SELECT "session_key" FROM "django_session"`))[0]; len(r.Rows) != 0 {
			t.Errorf("atomic %v: %d rows were left", mode, len(r.Rows))
		}
	}
	r := mustQuery(t, db, true, session("aaaaaaaa", "1"), session("bbbbbbbb", "2"), load("bbbbbbbb"),
		statement(`UPDATE "django_session" SET "session_data" = "session_data"`), statement(`DELETE FROM "django_session" WHERE "session_key" = $1`, query.Text("nobody")))
	if r[0].Affected != 1 || r[2].Rows[0][1] != query.Text("2") || r[2].Affected != 0 || r[3].Affected != 2 || r[4].Affected != 0 {
		t.Errorf("results %v", r)
	}
}

// Django's foreign keys are checked when the transaction ends: after every
// statement was answered.
func TestDeferredConstraint(t *testing.T) {
	db := openTest(t, postgrestest.URL(t), Config{})
	for _, statements := range [][]query.Statement{
		{statement(insertGroup)},
		{session("aaaaaaaa", ""), statement(insertGroup)},
	} {
		_, err := db.Query(t.Context(), true, statements...)
		if err == nil || errors.Is(err, query.ErrDuplicate) || !strings.Contains(err.Error(), "23503") {
			t.Errorf("%d statements: %v", len(statements), err)
		}
		if r := mustQuery(t, db, false, load("aaaaaaaa"))[0]; len(r.Rows) != 0 {
			t.Error("a transaction that failed left a row")
		}
	}
}

func TestErrorsNameNoValues(t *testing.T) {
	db := openTest(t, postgrestest.URL(t), Config{})
	const canary = "canary-7f3a"
	for name, s := range map[string]query.Statement{
		"type":     statement(`SELECT $1::int4`, query.Text(canary)),
		"encode":   statement(`SELECT $1::timestamptz`, query.Bytes(canary)),
		"range":    statement(`SELECT $1::int4`, query.Int(31415926535897)),
		"length":   statement(insertSession, query.Text(strings.Repeat(canary, 10)), query.Text(canary), expires),
		"null":     statement(`INSERT INTO "django_session" ("session_key", "session_data", "expire_date") VALUES ($1, NULL, $2)`, query.Text(canary), expires),
		"nul byte": statement(selectSession, query.Text(canary+"\x00")),
		"table":    statement(`SELECT * FROM "nonsense" WHERE "x" = $1`, query.Text(canary)),
	} {
		for _, statements := range [][]query.Statement{{s}, {s, s}} {
			_, err := db.Query(t.Context(), false, statements...)
			if err == nil {
				t.Errorf("%s was answered", name)
			} else if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "31415926535897") {
				t.Errorf("%s: the error tells the value: %v", name, err)
			}
		}
	}
	if n := db.pool.Stat().NewConnsCount(); n > 2 {
		t.Errorf("errors of statements cost %d connections", n)
	}
}

func TestErrorsNameNoPassword(t *testing.T) {
	const canary = "canary-7f3a"
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	urls := []string{
		"postgres://app:" + canary + "@127.0.0.1:" + fmt.Sprint(closed.Addr().(*net.TCPAddr).Port) + "/site",
		"postgres://app:" + canary + "@127.0.0.1:port/site",
		"postgres://app:" + canary + "@127.0.0.1/site?sslmode=" + canary,
		"postgres://app:" + canary + "%zz@127.0.0.1/site",
		"postgres://app:a/" + canary + "@127.0.0.1/site",
		"postgres://app:a#" + canary + "@127.0.0.1/site",
		"host=127.0.0.1 password='" + canary + " port=1",
		"mysql://app:" + canary + "@127.0.0.1/site",
		"postgres://app:" + canary + "@127.0.0.1/site?sslmode=verify-full&sslrootcert=/nonexistent.pem",
	}
	for _, url := range urls {
		_, err := New(t.Context(), Config{URL: url, ConnectTimeout: time.Second})
		if err == nil {
			t.Errorf("%s: connected", url)
		} else if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
			t.Errorf("%s: the error tells the password: %v", url, err)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v %s", Config{URL: urls[0]}, &Config{URL: urls[0]}, Config{URL: urls[0]}, Config{URL: urls[0]}); strings.Contains(text, canary) {
		t.Error("printing a Config tells the password")
	}
}

func TestWrongPassword(t *testing.T) {
	u, err := url.Parse(postgrestest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), "canary-7f3a")
	_, err = Open(t.Context(), u.String())
	if err == nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the server trusts everybody, so that nothing is tested")
		}
		t.Skip("the server trusts everybody")
	}
	if strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "authentication failed") {
		t.Error(err)
	}
}

// counting is a network that counts what is sent to the server.
type counting struct {
	mu     sync.Mutex
	writes int
	conns  []net.Conn
}

type countedConn struct {
	net.Conn
	c *counting
}

func (c countedConn) Write(b []byte) (int, error) {
	c.c.mu.Lock()
	c.c.writes++
	c.c.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *counting) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, conn)
	return countedConn{conn, c}, nil
}

func (c *counting) count(f func()) int {
	c.mu.Lock()
	before := c.writes
	c.mu.Unlock()
	f()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes - before
}

func TestOneRoundTrip(t *testing.T) {
	var network counting
	db := openTest(t, postgrestest.URL(t)+"?sslmode=disable", Config{MaxConns: 1, DialFunc: network.dial})
	reads := []query.Statement{load("aaaaaaaa"), statement(`SELECT "id", "username" FROM "auth_user" WHERE "id" = $1`, query.Int(7))}
	mustQuery(t, db, false, reads...) // prepares them
	mustQuery(t, db, false, load("aaaaaaaa"))
	for name, statements := range map[string][]query.Statement{"one": reads[:1], "two": reads} {
		if n := network.count(func() { mustQuery(t, db, false, statements...) }); n != 1 {
			t.Errorf("%s: %d messages to the server", name, n)
		}
	}
	time.Sleep(1100 * time.Millisecond) // after which pgx would ask whether the connection is alive
	if n := network.count(func() { mustQuery(t, db, false, reads...) }); n != 1 {
		t.Errorf("after a pause: %d messages to the server", n)
	}
}

// A restart of PostgreSQL ends every connection of the pool at once.
func TestRestart(t *testing.T) {
	server := postgrestest.URL(t)
	db := openTest(t, server, Config{MaxConns: 4})
	kill := func() {
		t.Helper()
		fill(t, db, 4)
		conn, err := pgx.Connect(t.Context(), server)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'djedge' AND datname = current_database()`); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	kill()
	mustQuery(t, db, false, load("aaaaaaaa"))
	kill()
	mustQuery(t, db, false, load("aaaaaaaa"), load("bbbbbbbb"))
	kill()
	mustQuery(t, db, false, session("aaaaaaaa", ""))
	kill()
	mustQuery(t, db, true, load("aaaaaaaa"), session("bbbbbbbb", ""))
	kill()
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// fill makes n idle connections.
func fill(t *testing.T, db *DB, n int) {
	t.Helper()
	for range n {
		conn, err := db.connection(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
	}
}

// A write whose connection is lost while it runs may have happened: it is not sent again.
func TestWriteIsNotRepeated(t *testing.T) {
	server := postgrestest.URL(t)
	db := openTest(t, server, Config{})
	mustQuery(t, db, false, statement(`CREATE FUNCTION die() RETURNS int LANGUAGE sql AS 'SELECT pg_terminate_backend(pg_backend_pid())::int'`))
	mustQuery(t, db, false, statement(`CREATE SEQUENCE attempts`))
	before := db.pool.Stat().NewConnsCount()
	_, err := db.Query(t.Context(), true, statement(`UPDATE "django_session" SET "session_data" = '' WHERE nextval('attempts') < 0`),
		statement(`INSERT INTO "django_session" SELECT 'k' || nextval('attempts') || die(), '', now()`))
	if err == nil {
		t.Fatal("no error")
	}
	if row := mustQuery(t, db, false, statement(`SELECT last_value, is_called FROM attempts`))[0].Rows[0]; row[0].Int() != 1 || !row[1].Bool() {
		t.Errorf("the write was not sent once: %v", row)
	}
	if n := db.pool.Stat().NewConnsCount() - before; n > 1 {
		t.Errorf("%d new connections", n)
	}
}

func TestFullPool(t *testing.T) {
	db := openTest(t, postgrestest.URL(t), Config{MaxConns: 1, AcquireTimeout: 100 * time.Millisecond})
	conn, err := db.connection(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := db.Query(t.Context(), false, load("aaaaaaaa")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("full pool: %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("waited %v", took)
	}
	conn.Release()
	mustQuery(t, db, false, load("aaaaaaaa"))
}

func TestDeadline(t *testing.T) {
	db := openTest(t, postgrestest.URL(t), Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := db.Query(ctx, false, statement(`SELECT pg_sleep(10)`)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow query: %v", err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("waited %v", took)
	}
	mustQuery(t, db, false, load("aaaaaaaa"))
}

// Clients that go away while their query runs cost no connection.
func TestClientGone(t *testing.T) {
	db := openTest(t, postgrestest.URL(t), Config{MaxConns: 1})
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		time.AfterFunc(20*time.Millisecond, cancel)
		if _, err := db.Query(ctx, false, statement(`SELECT pg_sleep(0.1)`)); err != nil {
			t.Error(err)
		}
		if _, err := db.Query(ctx, false, load("aaaaaaaa")); !errors.Is(err, context.Canceled) {
			t.Errorf("a query began for a client that had gone: %v", err)
		}
	}
	if n := db.pool.Stat().NewConnsCount(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
}

func TestBlackHole(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	start := time.Now()
	if _, err := New(t.Context(), Config{URL: "postgres://app@" + listener.Addr().String() + "/site", ConnectTimeout: 200 * time.Millisecond}); err == nil {
		t.Error("connected")
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("waited %v", took)
	}
}

func TestLookup(t *testing.T) {
	u, err := url.Parse(postgrestest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	host := u.Hostname()
	u.Host = net.JoinHostPort("database.invalid", u.Port())
	var lookup pgconn.LookupFunc = func(_ context.Context, name string) ([]string, error) {
		if name != "database.invalid" {
			return nil, errors.New("asked for " + name)
		}
		return []string{host}, nil
	}
	db := openTest(t, u.String(), Config{LookupFunc: lookup})
	mustQuery(t, db, false, load("aaaaaaaa"))
}

// A migration changes a column under a statement that is prepared.
func TestMigration(t *testing.T) {
	db := openTest(t, postgrestest.URL(t), Config{MaxConns: 1})
	s := statement(`SELECT "email" FROM "auth_user"`)
	mustQuery(t, db, false, s)
	mustQuery(t, db, false, statement(`ALTER TABLE "auth_user" ALTER COLUMN "email" TYPE text`))
	mustQuery(t, db, false, s)
}

func TestConcurrent(t *testing.T) {
	db := openTest(t, postgrestest.URL(t), Config{MaxConns: 3})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			key := fmt.Sprintf("session-%d", i)
			if _, err := db.Query(t.Context(), false, session(key, key)); err != nil {
				t.Error(err)
				return
			}
			for range 30 {
				r, err := db.Query(t.Context(), false, load(key), load("nobody"))
				if err != nil || len(r[0].Rows) != 1 || r[0].Rows[0][1].Text() != key || len(r[1].Rows) != 0 {
					t.Errorf("%v %v", r, err)
					return
				}
			}
		})
	}
	wg.Wait()
}
