package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host/internal/bound"
	"github.com/djedge/djedge/host/internal/crowd"
	"github.com/djedge/djedge/host/postgres/postgrestest"
)

// within is a context as requests have it.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// question is a check of user i, some of whom do not exist, and what it must
// be answered.
func question(i, sessions int) (statements []query.Statement, right func([]query.Result) bool) {
	session := func(r query.Result) bool {
		if i > sessions {
			return len(r.Rows) == 0
		}
		return len(r.Rows) == 1 && r.Rows[0][0].Text() == sessionKey(i) && strings.HasPrefix(r.Rows[0][1].Text(), fmt.Sprintf("data of %d ", i))
	}
	user := func(r query.Result) bool {
		if i > sessions {
			return len(r.Rows) == 0
		}
		return len(r.Rows) == 1 && r.Rows[0][0].Int() == int64(i) && r.Rows[0][4].Text() == fmt.Sprintf("user%d", i) && r.Rows[0][2].IsNull() == (i%2 == 1)
	}
	all := check(i)
	switch rand.IntN(4) {
	case 0:
		return all[:1], func(r []query.Result) bool { return len(r) == 1 && session(r[0]) }
	case 1:
		return all[1:], func(r []query.Result) bool { return len(r) == 1 && user(r[0]) }
	case 2: // three results, of which two are equal
		return append(all, all[0]), func(r []query.Result) bool { return len(r) == 3 && session(r[0]) && user(r[1]) && session(r[2]) }
	}
	return all, func(r []query.Result) bool { return len(r) == 2 && session(r[0]) && user(r[1]) }
}

func TestBatchesAnswerEachItsOwn(t *testing.T) {
	const sessions = 500
	server := postgrestest.URL(t)
	populate(t, server, sessions)
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			db := openTest(t, server+"?default_query_exec_mode="+mode, Config{BatchSize: 20})
			requests := 10_000
			if mode != "cache_statement" {
				requests = 2000
			}
			crowd.Run(requests, func(int) {
				i := 1 + rand.IntN(sessions+50)
				if rand.IntN(2) == 0 {
					i = 1 + rand.IntN(3) // often the same
				}
				statements, right := question(i, sessions)
				results, err := db.Query(within(t, 20*time.Second), false, statements...)
				if err != nil || !right(results) {
					t.Errorf("%d: %v %v", i, results, err)
				}
			})
			if (db.batches == nil) != (mode == "simple_protocol") {
				t.Errorf("batches: %v", db.batches)
			}
		})
	}
}

// Whatever the key's type and the columns', the answer is the one that each
// request gets alone.
func TestBatchesOfEveryType(t *testing.T) {
	server := postgrestest.URL(t)
	alone := openTest(t, server, Config{BatchSize: 1})
	mustQuery(t, alone, false, statement(`CREATE TYPE mood AS ENUM ('glad', 'sad')`))
	mustQuery(t, alone, false, statement(`CREATE DOMAIN code AS varchar(20)`))
	uuid := func(i int) query.Value { return query.Text(fmt.Sprintf("0f8fad5b-d9cb-469f-a165-%012d", i)) }
	number := func(i int) query.Value { return query.Int(int64(i)) }
	digits := func(i int) query.Value { return query.Text(fmt.Sprint(i)) }
	text := func(i int) query.Value { return query.Text(fmt.Sprintf("Zoé %d", i)) }
	for _, c := range []struct {
		name, column, of, mark string
		key                    func(int) query.Value
		batched                bool
	}{
		{"smallint", "int2", "i", "?", number, true},
		{"int", "int4", "i", "CAST(? AS bigint)", number, true},
		{"int by text", "int4", "i", "?", digits, true},
		{"bigint", "int8", "i", "CAST(? AS bigint)", number, true},
		{"uuid", "uuid", "('0f8fad5b-d9cb-469f-a165-' || lpad(i::text, 12, '0'))::uuid", "?", uuid, true},
		{"varchar", "varchar(40)", "'Zoé ' || i", "?", text, true},
		{"text", "text", "'Zoé ' || i", "?", text, true},
		{"char", "char(12)", "'Zoé ' || i", "?", text, true},
		{"domain", "code", "'Zoé ' || i", "?", text, true},
		{"numeric", "numeric(20)", "i", "?", digits, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := `"it's $1 ` + c.name + `"`
			mustQuery(t, alone, false, statement(`DROP TABLE IF EXISTS `+table))
			mustQuery(t, alone, false, statement(`CREATE TABLE `+table+` ("pk" `+c.column+`, "n" int4, "p1" text, "mood" mood, "day" date, "json" jsonb, "list" int4[], "raw" bytea,
				"at" timestamptz, "time" time, "money" numeric(8,2), "code" code, "float" float8, "yes" bool, "address" inet)`))
			mustQuery(t, alone, false, statement(`INSERT INTO `+table+` SELECT `+c.of+`, i, repeat('é', i), CASE WHEN i % 2 = 0 THEN 'glad'::mood END, '2026-11-23'::date + i, '{"a": 1}', ARRAY[i, 2], '\xff00',
				now(), '12:30', i + 0.5, NULLIF('c' || i, 'c3'), i / 3.0, i % 2 = 0, '10.0.0.1' FROM generate_series(1, 40) i`))
			mustQuery(t, alone, false, statement(`INSERT INTO `+table+` SELECT * FROM `+table+` WHERE "n" = 7`)) // no key, then
			db := openTest(t, server, Config{})
			sql := query.PostgreSQL.Rebind(`SELECT "pk", "n", "p1", "mood", "day", "json", "list", "raw", "at", "time", "money", "code", "float", "yes", "address" FROM ` +
				strings.ReplaceAll(table, "$1", "$n") + ` WHERE "pk" = ` + c.mark + ` LIMIT 21`)
			sql = strings.ReplaceAll(sql, "$n", "$1") // in the name
			l := newLane(db.batches)
			var all []query.Statement
			for range 100 {
				i := 1 + rand.IntN(45)
				s := query.Statement{Name: "row", SQL: sql, Args: []query.Value{c.key(i)}}
				if w := db.batches.request(within(t, 20*time.Second), []query.Statement{s}); (w != nil) != c.batched {
					t.Fatalf("batched: %v", w)
				} else if w != nil {
					all, l.batch = append(all, s), append(l.batch, w)
				}
				got, want := mustQueryWithin(t, db, s), mustQuery(t, alone, false, s)
				if !equal(got, want) {
					t.Errorf("%d: %v, want %v", i, got, want)
				}
				if rows := len(want[0].Rows); i <= 40 && i != 7 && rows != 1 || i == 7 && rows != 2 || i > 40 && rows != 0 {
					t.Errorf("%d: %d rows", i, rows)
				}
			}
			l.started = time.Now()
			l.ask()
			for i, w := range l.batch {
				if want := mustQuery(t, alone, false, all[i]); w.err != nil || !equal(w.results, want) {
					t.Errorf("%v: %v %v, want %v", all[i].Args, w.results, w.err, want)
				}
			}
		})
	}
}

func mustQueryWithin(t *testing.T, db *DB, statements ...query.Statement) []query.Result {
	t.Helper()
	results, err := db.Query(within(t, 20*time.Second), false, statements...)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// equal does not tell no rows from none.
func equal(got, want []query.Result) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if len(got[i].Rows)+len(want[i].Rows) > 0 && !reflect.DeepEqual(got[i], want[i]) {
			return false
		}
	}
	return true
}

// A bad argument fails alone.
func TestPoison(t *testing.T) {
	server := postgrestest.URL(t)
	populate(t, server, 50)
	db := openTest(t, server, Config{})
	poison := [][]query.Statement{
		{sessionOf("nul\x00byte")}, {sessionOf("\xff\xfe")}, {userOf(query.Text("canary"))}, {userOf(query.Text("99999999999999999999"))},
		{sessionOf(sessionKey(1)), userOf(query.Text(""))}, {sessionOf("\x00"), userOf(query.Int(1))},
		{{Name: "session_load", SQL: checkSession, Args: []query.Value{query.Text("a"), query.Text("yesterday or so")}}},
		{{Name: "session_load", SQL: checkSession, Args: []query.Value{query.Text("a")}}}, // too few
		{{Name: "user_by_id", SQL: checkUser}},
	}
	forms := func() [2]*form {
		a, _ := db.batches.forms.get(checkSession)
		b, _ := db.batches.forms.get(checkUser)
		return [2]*form{a, b}
	}
	mustQuery(t, db, false, check(1)...)
	if _, err := db.Query(within(t, time.Second), false, check(1)...); err != nil || forms()[0] == nil {
		t.Fatal(err, forms())
	}
	before := forms()
	crowd.Run(2000, func(worker int) {
		if worker%4 == 0 {
			if r, err := db.Query(within(t, 20*time.Second), false, poison[rand.IntN(len(poison))]...); err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("%v %v", r, err)
			}
			return
		}
		statements, right := question(1+rand.IntN(50), 50)
		if results, err := db.Query(within(t, 20*time.Second), false, statements...); err != nil || !right(results) {
			t.Error(results, err)
		}
	})
	if forms() != before {
		t.Error("bad arguments failed a batch")
	}
	// What is no mistake but has another form is answered.
	for _, s := range []query.Statement{userOf(query.Text("7")), userOf(query.Text(" 7")), userOf(query.Text("+7"))} {
		if r, err := db.Query(within(t, time.Second), false, s); err != nil || len(r[0].Rows) != 1 {
			t.Error(r, err)
		}
	}
	if r, err := db.Query(within(t, time.Second), false, userOf(query.Null())); err != nil || len(r[0].Rows) != 0 {
		t.Error(r, err)
	}
}

// An argument that only the server can refuse fails its batch, and of those in
// it only the one who sent it.
func TestPoisonOfTheServer(t *testing.T) {
	server := postgrestest.URL(t)
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	name := strings.ToLower(conn.Config().Database) + "_latin1"
	if _, err := conn.Exec(t.Context(), `CREATE DATABASE `+name+` ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`); err != nil {
		t.Fatal(err)
	}
	defer conn.Exec(context.Background(), `DROP DATABASE `+name+` WITH (FORCE)`)
	server = strings.Replace(server, conn.Config().Database, name, 1)
	db := openTest(t, server, Config{})
	mustQuery(t, db, false, statement(`CREATE TABLE "django_session" ("session_key" varchar(40) PRIMARY KEY, "session_data" text, "expire_date" timestamptz)`))
	mustQuery(t, db, false, session("Zoé", "hers"))
	var refused atomic.Int64
	crowd.Run(2000, func(worker int) {
		if worker == 0 {
			if _, err := db.Query(within(t, 20*time.Second), false, sessionOf("日本")); err == nil {
				t.Error("a character that is not in LATIN1 was found")
			}
			refused.Add(1)
			return
		}
		if r, err := db.Query(within(t, 20*time.Second), false, sessionOf("Zoé")); err != nil || len(r[0].Rows) != 1 || r[0].Rows[0][1].Text() != "hers" {
			t.Error(r, err)
		}
	})
	if refused.Load() == 0 {
		t.Error("nothing was refused")
	}
}

// What was committed before a request came is in its answer.
func TestBatchesAreFresh(t *testing.T) {
	server := postgrestest.URL(t)
	populate(t, server, 100)
	db, writer := openTest(t, server, Config{}), openTest(t, server, Config{BatchSize: 1})
	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 16 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := db.Query(within(t, 20*time.Second), false, check(1+rand.IntN(100))...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 300 {
		data := fmt.Sprint("version ", i)
		mustQuery(t, writer, false, statement(`UPDATE "django_session" SET "session_data" = $1 WHERE "session_key" = $2`, query.Text(data), query.Text(sessionKey(7))))
		r, err := db.Query(within(t, 20*time.Second), false, check(7)...)
		if err != nil || len(r[0].Rows) != 1 || r[0].Rows[0][1].Text() != data {
			t.Fatalf("%d: %v %v", i, r, err)
		}
		mustQuery(t, writer, false, session("short", data))
		mustQuery(t, writer, false, statement(`DELETE FROM "django_session" WHERE "session_key" = 'short'`))
		if r, err := db.Query(within(t, 20*time.Second), false, sessionOf("short")); err != nil || len(r[0].Rows) != 0 {
			t.Fatalf("%d: %v %v", i, r, err)
		}
	}
	close(stop)
	load.Wait()
}

// Each gets about as much as the others.
func TestBatchesAreFair(t *testing.T) {
	server := postgrestest.URL(t)
	populate(t, server, 100)
	db := openTest(t, server, Config{BatchSize: 8}) // of 32 who ask
	var served [32]atomic.Int64
	const requests = 9600
	crowd.Run(requests, func(worker int) {
		if _, err := db.Query(within(t, 20*time.Second), false, check(1+rand.IntN(100))...); err != nil {
			t.Error(err)
		}
		served[worker].Add(1)
	})
	for i := range served {
		if n := served[i].Load(); n < requests/32/4 {
			t.Errorf("one of 32 got %d answers of %d", n, requests)
		}
	}
}

// Those who give up do so at once, and nobody else notices.
func TestBatchesOutliveClients(t *testing.T) {
	server := postgrestest.URL(t)
	populate(t, server, 50)
	db := openTest(t, server, Config{})
	var gaveUp atomic.Int64
	crowd.Run(5000, func(worker int) {
		ctx := within(t, 20*time.Second)
		if worker%2 == 0 {
			short, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(400))*time.Microsecond)
			defer cancel()
			if rand.IntN(2) == 0 {
				short, cancel = context.WithCancel(ctx)
				time.AfterFunc(time.Duration(rand.IntN(400))*time.Microsecond, cancel)
			}
			ctx = short
		}
		i := 1 + rand.IntN(50)
		statements, right := question(i, 50)
		results, err := db.Query(ctx, false, statements...)
		switch {
		case err == nil && right(results):
		case worker%2 == 0 && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
			gaveUp.Add(1)
		default:
			t.Error(results, err)
		}
	})
	if gaveUp.Load() == 0 {
		t.Error("nobody gave up")
	}
}

// Those whose contexts have no timer are told when their time is over, each of
// them, before and after they were sent; and answers that come then are nobody's.
func TestBatchesKeepDeadlines(t *testing.T) {
	server := postgrestest.URL(t)
	populate(t, server, 50)
	db := openTest(t, server, Config{})
	var gaveUp atomic.Int64
	ask := func(d time.Duration) {
		start := time.Now()
		ctx := bound.New(t.Context(), start.Add(d))
		defer ctx.Stop()
		statements, right := question(1+rand.IntN(50), 50)
		results, err := db.Query(ctx, false, statements...)
		switch took := time.Since(start); {
		case took > d+time.Second:
			t.Errorf("waited %v for %v", took, d)
		case errors.Is(err, context.DeadlineExceeded):
			gaveUp.Add(1)
		case err != nil || !right(results):
			t.Error(results, err)
		}
	}
	crowd.Run(3000, func(worker int) {
		if worker%2 == 0 {
			ask(time.Duration(rand.IntN(2000)) * time.Microsecond)
		} else {
			ask(20 * time.Second)
		}
	})
	if gaveUp.Load() == 0 {
		t.Error("nobody gave up")
	}
	gaveUp.Store(0)
	other, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	if _, err := other.Exec(t.Context(), "BEGIN; LOCK TABLE django_session, auth_user IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	crowd.Run(32, func(worker int) { ask(time.Duration(100+10*worker) * time.Millisecond) })
	if n := gaveUp.Load(); n != 32 {
		t.Errorf("%d of 32 gave up", n)
	}
	if _, err := other.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	crowd.Run(100, func(int) { ask(20 * time.Second) })
}

func TestBatchSize(t *testing.T) {
	server := postgrestest.URL(t)
	for _, c := range []struct {
		url  string
		size int
		want int // 0: none
	}{{"", 0, defaultBatchSize}, {"", 1, 0}, {"", 7, 7}, {"?pool_batch_size=5", 0, 5}, {"?pool_batch_size=1", 0, 0}, {"?pool_batch_size=5", 9, 9}} {
		db := openTest(t, server+c.url, Config{BatchSize: c.size})
		got := 0
		if db.batches != nil {
			got = db.batches.size
		}
		if got != c.want {
			t.Errorf("%s and %d: %d, want %d", c.url, c.size, got, c.want)
		}
	}
	for _, url := range []string{"?pool_batch_size=0", "?pool_batch_size=many"} {
		if _, err := Open(t.Context(), server+url); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
