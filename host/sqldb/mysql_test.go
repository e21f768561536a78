package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host/internal/testservers"
)

const (
	insertMySQL = "INSERT INTO `django_session` (`session_key`, `session_data`, `expire_date`) VALUES (?, ?, ?)"
	selectMySQL = "SELECT `session_key`, `session_data`, `expire_date` FROM `django_session` WHERE `session_key` = ?"
)

// openMySQLTest opens a new database with Django's tables.
func openMySQLTest(t *testing.T, u *url.URL, parameters string) *DB {
	t.Helper()
	db, err := OpenMySQL(t.Context(), u.String()+parameters)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func newMySQL(t *testing.T) *DB {
	t.Helper()
	db := openMySQLTest(t, testservers.MySQL(t), "")
	if err := CreateDjangoSchema(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return db
}

func sessionMySQL(key, data string) query.Statement {
	return statement(insertMySQL, query.Text(key), query.Text(data), query.Time(time.Date(2126, 12, 7, 3, 11, 2, 627332000, time.UTC)))
}

func loadMySQL(key string) query.Statement { return statement(selectMySQL, query.Text(key)) }

func TestMySQLValues(t *testing.T) {
	db := newMySQL(t)
	when := query.Time(time.Date(2026, 11, 23, 3, 11, 2, 606468000, time.UTC))
	whole := query.Time(time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC))
	cases := []struct {
		column, literal string
		want            query.Value
		kind            query.Kind
	}{
		{"bool NULL", "NULL", query.Null(), query.KindBool},
		{"bool", "1", query.Bool(true), query.KindBool},
		{"tinyint(1)", "0", query.Bool(false), query.KindBool},
		{"tinyint", "-7", query.Int(-7), query.KindBool}, // not a column of Django's
		{"smallint", "-7", query.Int(-7), query.KindInt},
		{"smallint unsigned", "65535", query.Int(65535), query.KindInt},
		{"integer", "-2147483648", query.Int(-2147483648), query.KindInt},
		{"integer unsigned", "4294967295", query.Int(4294967295), query.KindInt},
		{"bigint", "9223372036854775807", query.Int(9223372036854775807), query.KindInt},
		{"bigint unsigned", "9223372036854775807", query.Int(9223372036854775807), query.KindInt},
		{"bigint unsigned", "18446744073709551615", query.Text("18446744073709551615"), query.KindInt},
		{"double precision", "1.5", query.Float(1.5), query.KindFloat},
		{"float", "1.5", query.Float(1.5), query.KindFloat},
		{"varchar(150)", "'Zoé 🦄'", query.Text("Zoé 🦄"), query.KindText},
		{"char(32)", "'0f8fad5bd9cb469fa16570867728950e'", query.Text("0f8fad5bd9cb469fa16570867728950e"), query.KindText},
		{"longtext", "''", query.Text(""), query.KindText},
		{"longblob", "x'ff00'", query.Bytes("\xff\x00"), query.KindBytes},
		{"varbinary(4)", "x'ff00'", query.Bytes("\xff\x00"), query.KindBytes},
		{"datetime(6)", "'2026-11-23 03:11:02.606468'", when, query.KindTime},
		{"datetime(6) NULL", "NULL", query.Null(), query.KindTime},
		{"datetime", "'1999-12-31 23:59:59'", whole, query.KindTime},
		{"timestamp(6)", "'2026-11-23 03:11:02.606468'", when, query.KindTime},
		{"date", "'1985-07-09'", query.Text("1985-07-09"), query.KindText},
		{"time(6)", "'12:30'", query.Text("12:30:00.000000"), query.KindText},
		{"numeric(8, 2)", "1234.50", query.Text("1234.50"), query.KindText},
		{"json", `'{"a": 1}'`, query.Text(`{"a": 1}`), query.KindText},
		{"uuid", "'0F8FAD5B-D9CB-469F-A165-70867728950E'", query.Text("0f8fad5b-d9cb-469f-a165-70867728950e"), query.KindText}, // MariaDB's
	}
	if _, err := db.Query(t.Context(), false, statement("CREATE TABLE `uuids` (`it` uuid)")); err != nil {
		cases = cases[:len(cases)-1] // MySQL
	}
	var columns, literals []string
	for i, c := range cases {
		columns = append(columns, fmt.Sprintf("`c%d` %s", i, c.column))
		literals = append(literals, c.literal)
	}
	mustQuery(t, db, false, statement("CREATE TABLE `them` ("+strings.Join(columns, ", ")+")"))
	mustQuery(t, db, false, statement("INSERT INTO `them` VALUES ("+strings.Join(literals, ", ")+")"))
	r := mustQuery(t, db, false, statement("SELECT * FROM `them`"))[0]
	for i, c := range cases {
		if got := r.Rows[0][i]; got != c.want {
			t.Errorf("%s: %v, want %v", c.column, got, c.want)
		}
		if got := r.Columns[i]; got.Name != fmt.Sprintf("c%d", i) || got.Kind != c.kind {
			t.Errorf("%s: column %v, want kind %d", c.column, got, c.kind)
		}
	}
}

func TestMySQLArguments(t *testing.T) {
	db := newMySQL(t)
	mustQuery(t, db, false, statement("CREATE TABLE `args` (`b` bool, `i` bigint, `f` double, `t` longtext, `y` longblob, `d` datetime(6), `u` char(36), `n` integer)"))
	want := []query.Value{query.Bool(true), query.Int(-1 << 62), query.Float(1.5), query.Text("Zoé 🦄'\\"), query.Bytes("\xff\x00'\\"),
		query.Time(time.Date(2026, 11, 23, 3, 11, 2, 606468000, time.UTC)), query.Text("0f8fad5b-d9cb-469f-a165-70867728950e"), query.Null()}
	mustQuery(t, db, false, statement("INSERT INTO `args` VALUES (?, ?, ?, ?, ?, ?, ?, ?)", want...))
	r := mustQuery(t, db, false, statement("SELECT * FROM `args`"))[0]
	for i, v := range r.Rows[0] {
		if v != want[i] {
			t.Errorf("argument %d: %v, want %v", i, v, want[i])
		}
	}
	// A primary key as a session holds it.
	if r := mustQuery(t, db, false, statement("SELECT 1 FROM `args` WHERE `i` = ?", query.Text("-4611686018427387904")))[0]; len(r.Rows) != 1 {
		t.Error("a number as text does not match")
	}
}

func TestMySQLColumnsOfDjango(t *testing.T) {
	db := newMySQL(t)
	want := map[string]query.Kind{
		"id": query.KindInt, "password": query.KindText, "last_login": query.KindTime, "is_superuser": query.KindBool,
		"username": query.KindText, "first_name": query.KindText, "last_name": query.KindText, "email": query.KindText,
		"is_staff": query.KindBool, "is_active": query.KindBool, "date_joined": query.KindTime,
	}
	r := mustQuery(t, db, false, statement("SELECT * FROM `auth_user` WHERE 1 = 0"))[0]
	if len(r.Columns) != len(want) {
		t.Errorf("%d columns", len(r.Columns))
	}
	for _, c := range r.Columns {
		if want[c.Name] != c.Kind {
			t.Errorf("%s: kind %d, want %d", c.Name, c.Kind, want[c.Name])
		}
	}
	if r := mustQuery(t, db, false, loadMySQL("nobody"))[0]; r.Columns != nil || r.Rows != nil {
		t.Errorf("columns that nobody asked for: %v", r)
	}
}

func TestMySQLDuplicate(t *testing.T) {
	db := newMySQL(t)
	mustQuery(t, db, false, sessionMySQL("abcdefgh12345678", "canary-of-the-row"))
	for _, statements := range [][]query.Statement{
		{sessionMySQL("abcdefgh12345678", "canary")},
		{loadMySQL("abcdefgh12345678"), sessionMySQL("abcdefgh12345678", "canary")},
	} {
		_, err := db.Query(t.Context(), true, statements...)
		if !errors.Is(err, query.ErrDuplicate) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "abcdefgh") {
			t.Errorf("%d statements: %v", len(statements), err)
		}
	}
}

func TestMySQLTransactions(t *testing.T) {
	db := newMySQL(t)
	for _, atomic := range []bool{false, true} {
		if _, err := db.Query(t.Context(), atomic, sessionMySQL("aaaaaaaa", ""), sessionMySQL("bbbbbbbb", ""), sessionMySQL("aaaaaaaa", "")); !errors.Is(err, query.ErrDuplicate) {
			t.Fatalf("atomic %v: %v", atomic, err)
		}
		if r := mustQuery(t, db, false, statement("SELECT `session_key` FROM `django_session`"))[0]; len(r.Rows) != 0 {
			t.Errorf("atomic %v: %d rows were left", atomic, len(r.Rows))
		}
	}
	// The last UPDATE changes nothing, and finds two rows (CLIENT_FOUND_ROWS).
	r := mustQuery(t, db, true, sessionMySQL("aaaaaaaa", "1"), sessionMySQL("bbbbbbbb", "2"), loadMySQL("bbbbbbbb"),
		statement("UPDATE `django_session` SET `session_data` = `session_data`"), statement("DELETE FROM `django_session` WHERE `session_key` = ?", query.Text("nobody")))
	if r[0].Affected != 1 || r[2].Rows[0][1] != query.Text("2") || r[3].Affected != 2 || r[4].Affected != 0 {
		t.Errorf("results %v", r)
	}
	results := mustQuery(t, db, false, loadMySQL("aaaaaaaa"), loadMySQL("nobody"), loadMySQL("bbbbbbbb"))
	if results[0].Rows[0][1] != query.Text("1") || results[1].Rows != nil || results[2].Rows[0][1] != query.Text("2") {
		t.Errorf("reads together: %v", results)
	}
}

// What Django sets for its own connections, and what is set beside.
func TestMySQLConnection(t *testing.T) {
	u := testservers.MySQL(t)
	db := openMySQLTest(t, u, "")
	isolation := "@@transaction_isolation"
	if _, err := db.Query(t.Context(), false, statement("SELECT "+isolation)); err != nil {
		isolation = "@@tx_isolation" // MariaDB before 11.1
	}
	r := mustQuery(t, db, false, statement("SELECT "+isolation+", @@time_zone, @@character_set_client, @@character_set_results, @@sql_mode"))[0].Rows[0]
	for i, want := range []string{"READ-COMMITTED", "+00:00", "utf8mb4", "utf8mb4"} {
		if r[i].Text() != want {
			t.Errorf("%q, want %q", r[i].Text(), want)
		}
	}
	if !strings.Contains(r[4].Text(), "STRICT_TRANS_TABLES") {
		t.Errorf("mode %q", r[4].Text())
	}
	mustQuery(t, db, false, statement("SET sql_mode = CONCAT('', ',STRICT_TRANS_TABLES')")) // what a lax server makes of ours
	// Many at once do not need more than the pool has.
	small := openMySQLTest(t, u, "?pool_max_conns=2")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			one := statement("SELECT 1")
			if _, err := small.Query(ctx, false, one, one, one, one, one); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := small.current.readers.Stats().OpenConnections; n > 2 {
		t.Errorf("%d connections", n)
	}
}

// Reads that need not be atomic take the time of the slowest, not of all.
func TestMySQLReadsGoOutTogether(t *testing.T) {
	db := newMySQL(t)
	sleep := func(seconds int64) query.Statement { return statement("SELECT SLEEP(?)", query.Int(seconds)) }
	mustQuery(t, db, false, sleep(0), sleep(0), sleep(0), sleep(0)) // prepared now
	start := time.Now()
	mustQuery(t, db, false, sleep(1), sleep(1), sleep(1), sleep(1))
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestMySQLDeadline(t *testing.T) {
	db := newMySQL(t)
	for _, atomic := range []bool{false, true} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		start := time.Now()
		_, err := db.Query(ctx, atomic, statement("SELECT SLEEP(10)"))
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 3*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	}
	// A client that goes away costs no connection.
	before := db.current.readers.Stats()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := db.Query(ctx, false, statement("SELECT SLEEP(0.3)")); err != nil {
		t.Errorf("a client that went away: %v", err)
	}
	if after := db.current.readers.Stats(); after.OpenConnections < before.OpenConnections {
		t.Errorf("%d connections of %d are left", after.OpenConnections, before.OpenConnections)
	}
}

func TestMySQLErrorsNameNoValues(t *testing.T) {
	db := newMySQL(t)
	const canary = "canary-7f3a"
	expires := query.Text("2126-12-07 03:11:02")
	for name, s := range map[string]query.Statement{
		"utf-8":       statement(insertMySQL, query.Text(canary), query.Text(canary+"\xff\xfe"), expires),
		"time":        statement(insertMySQL, query.Text(canary), query.Text(canary), query.Text(canary)),
		"length":      statement(insertMySQL, query.Text(strings.Repeat(canary, 10)), query.Text(canary), expires),
		"null":        statement(insertMySQL, query.Text(canary), query.Null(), expires),
		"foreign key": statement("INSERT INTO `auth_user_groups` (`user_id`, `group_id`) VALUES (31415926, 31415926)"),
		"table":       statement("SELECT * FROM `nonsense` WHERE `x` = ?", query.Text(canary)),
		"column":      statement("SELECT `nonsense` FROM `auth_user` WHERE `username` = ?", query.Text(canary)),
	} {
		for _, statements := range [][]query.Statement{{s}, {s, s}} {
			_, err := db.Query(t.Context(), false, statements...)
			if err == nil || errors.Is(err, query.ErrDuplicate) {
				t.Errorf("%s: %v", name, err)
			} else if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "31415926") {
				t.Errorf("%s: the error tells the value: %v", name, err)
			}
		}
	}
}

func TestMySQLErrorsNameNoPassword(t *testing.T) {
	const canary = "canary-7f3a"
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for _, u := range []string{
		"mysql://app:" + canary + "@" + closed.Addr().String() + "/site",
		"mysql://app:" + canary + "@127.0.0.1:port/site",
		"mysql://app:" + canary + "@127.0.0.1/site?tls=" + canary,
		"mysql://app:" + canary + "@127.0.0.1/site?charset=latin1",
		"mysql://app:" + canary + "@127.0.0.1/site?pool_max_conns=0",
		"mysql://app:" + canary + "@127.0.0.1/site?tls=true&tls_ca=/nonexistent.pem",
		"mysql://app:" + canary + "@127.0.0.1/site?tls_ca=/nonexistent.pem",
		"mysql://app:" + canary + "@127.0.0.1/",
		"mysql://app:" + canary + "%zz@127.0.0.1/site",
		"mysql://app:a/" + canary + "@127.0.0.1/site",
		"mysql://app:a#" + canary + "@127.0.0.1/site",
		"mysql://app:" + canary + "@/site?unix_socket=/nonexistent/socket",
		"postgres://app:" + canary + "@127.0.0.1/site",
		"app:" + canary + "@tcp(127.0.0.1)/site",
	} {
		_, err := OpenMySQL(t.Context(), u)
		if err == nil {
			t.Errorf("%s: opened", u)
		} else if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
			t.Errorf("%s: the error tells the password: %v", u, err)
		}
	}
}

func TestMySQLWrongPassword(t *testing.T) {
	u := testservers.MySQL(t)
	u.User = url.UserPassword(u.User.Username(), "canary-7f3a")
	_, err := OpenMySQL(t.Context(), u.String())
	if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "1045") {
		t.Error(err)
	}
}

func TestMySQLOverTLSAndSocket(t *testing.T) {
	u := testservers.MySQL(t)
	server := testservers.SharedMySQL(t)
	for _, c := range []struct {
		parameters string
		works, tls bool
	}{
		{"", true, false},
		{"?tls=false", true, false},
		{"?tls=skip-verify", true, true},
		{"?tls=true&tls_ca=" + server.Certificate(), true, true},
		{"?tls=true", false, true}, // nobody has signed it
		{"?unix_socket=" + server.Dir + "/s", true, false},
	} {
		db, err := OpenMySQL(t.Context(), u.String()+c.parameters)
		if (err == nil) != c.works {
			t.Errorf("%s: %v", c.parameters, err)
		}
		if err != nil {
			continue
		}
		var name, value string
		if err := db.current.readers.QueryRow("SHOW SESSION STATUS LIKE 'Ssl_cipher'").Scan(&name, &value); err != nil || (value != "") != c.tls {
			t.Errorf("%s: cipher %q, %v", c.parameters, value, err)
		}
		_ = db.Close()
	}
}

func TestMySQLRestart(t *testing.T) {
	db := newMySQL(t)
	server := testservers.SharedMySQL(t)
	mustQuery(t, db, false, sessionMySQL("aaaaaaaa", ""), sessionMySQL("bbbbbbbb", ""))
	mustQuery(t, db, false, loadMySQL("aaaaaaaa"), loadMySQL("aaaaaaaa"), loadMySQL("aaaaaaaa"))
	server.Stop()
	for range 2 {
		if _, err := db.Query(t.Context(), false, loadMySQL("aaaaaaaa")); err == nil {
			t.Error("a stopped server answered")
		}
	}
	if err := db.Ping(t.Context()); err == nil {
		t.Error("a stopped server answered a ping")
	}
	server.Restart(t)
	mustQuery(t, db, true, loadMySQL("aaaaaaaa"), sessionMySQL("cccccccc", ""))
	mustQuery(t, db, false, loadMySQL("aaaaaaaa"), loadMySQL("bbbbbbbb"), loadMySQL("cccccccc"))
}
