package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host/internal/crowd"
)

// right reports whether r answers check(i), when there are so many users.
func right(i, users int, r []query.Result) bool {
	if len(r) != 2 {
		return false
	}
	if i > users {
		return len(r[0].Rows)+len(r[1].Rows) == 0
	}
	return len(r[0].Rows) == 1 && r[0].Rows[0][0].Text() == sessionKey(i) && strings.HasPrefix(r[0].Rows[0][1].Text(), fmt.Sprintf("data of %d ", i)) &&
		len(r[1].Rows) == 1 && r[1].Rows[0][0].Int() == int64(i) && r[1].Rows[0][4].Text() == fmt.Sprintf("user%d", i) && r[1].Rows[0][2].IsNull() == (i%2 == 1)
}

func TestReadsTogether(t *testing.T) {
	const users = 300
	for _, journal := range []string{"delete", "wal"} {
		db := populate(t, journal, users)
		crowd.Run(10_000, func(worker int) {
			ctx := t.Context()
			if worker%4 == 0 { // gives up, which nobody else may notice
				short, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(100))*time.Microsecond)
				defer cancel()
				ctx = short
			}
			i := 1 + rand.IntN(users+20)
			var bad []query.Statement
			if worker%4 == 1 && rand.IntN(10) == 0 {
				bad = []query.Statement{statement(`SELECT "nothing" FROM "nowhere" WHERE "a" = ?`, query.Int(1))}
			}
			r, err := db.Query(ctx, false, append(bad, check(i)...)...)
			switch {
			case bad != nil && err != nil, worker%4 == 0 && errors.Is(err, context.DeadlineExceeded):
			case err != nil || !right(i, users, r):
				t.Errorf("%s: %d: %v %v", journal, i, r, err)
			}
		})
	}
}

// What was committed before a read came is in its answer, whoever wrote it.
func TestReadsAreFresh(t *testing.T) {
	for _, journal := range []string{"delete", "wal"} {
		db := populate(t, journal, 20)
		other, err := sql.Open("sqlite", "file:"+db.path+"?_pragma=busy_timeout(5000)")
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		stop := make(chan struct{})
		var load sync.WaitGroup
		for range 8 {
			load.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if _, err := db.Query(t.Context(), false, check(1+rand.IntN(20))...); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for i := range 200 {
			data := fmt.Sprint("version ", i)
			if i%2 == 0 {
				mustQuery(t, db, false, statement(`UPDATE "django_session" SET "session_data" = ? WHERE "session_key" = ?`, query.Text(data), query.Text(sessionKey(7))))
			} else if _, err := other.Exec(`UPDATE "django_session" SET "session_data" = ? WHERE "session_key" = ?`, data, sessionKey(7)); err != nil {
				t.Fatal(err)
			}
			if r := mustQuery(t, db, false, check(7)...); len(r[0].Rows) != 1 || r[0].Rows[0][1].Text() != data {
				t.Fatalf("%s: %d: %v", journal, i, r)
			}
		}
		close(stop)
		load.Wait()
	}
}

// A read waits for a lock as long as Django does, or to its own deadline.
func TestReadsWaitForALock(t *testing.T) {
	db := populate(t, "delete", 20)
	other, err := sql.Open("sqlite", "file:"+db.path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := db.Query(ctx, false, check(1)...); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("locked: %v", err)
	}
	time.AfterFunc(100*time.Millisecond, func() { _, _ = other.Exec("ROLLBACK") })
	crowd.Run(100, func(int) {
		i := 1 + rand.IntN(20)
		if r, err := db.Query(t.Context(), false, check(i)...); err != nil || !right(i, 20, r) {
			t.Errorf("%d: %v %v", i, r, err)
		}
	})
}

// A migration changes a table under statements that are prepared, and a column
// that is no longer there is an error, not text.
func TestMigrationWhileReading(t *testing.T) {
	db := populate(t, "delete", 20)
	for i := range 3 {
		if r := mustQuery(t, db, false, check(7)...); !right(7, 20, r) {
			t.Fatalf("%d: %v", i, r)
		}
		mustQuery(t, db, false, statement(fmt.Sprintf(`ALTER TABLE "auth_user" ADD COLUMN "more%d" integer`, i)))
	}
	mustQuery(t, db, false, statement(`ALTER TABLE "auth_user" RENAME COLUMN "is_staff" TO "was_staff"`))
	if r, err := db.Query(t.Context(), false, check(7)...); err == nil {
		t.Errorf("a column that is not there: %v", r)
	}
}

func TestReadsAfterClose(t *testing.T) {
	db := populate(t, "wal", 20)
	mustQuery(t, db, false, check(7)...)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Query(t.Context(), false, check(7)...); !errors.Is(err, errClosed) {
		t.Errorf("closed: %v", err)
	}
}
