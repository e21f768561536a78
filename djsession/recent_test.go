package djsession_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
)

const window = 2 * time.Second

// counted is a database whose rows say how often it was asked.
type counted struct {
	sync.Mutex
	n      int
	err    error
	during func()
}

func (c *counted) ask(_ context.Context, _ bool, statements ...query.Statement) ([]query.Result, error) {
	c.Lock()
	c.n++
	n, err := c.n, c.err
	c.Unlock()
	if c.during != nil {
		c.during()
	}
	results := make([]query.Result, len(statements))
	for i := range results {
		results[i].Rows = [][]query.Value{{query.Int(int64(n))}}
	}
	return results, err
}

func read(key string, now time.Time) query.Statement {
	return query.Statement{Name: "session_load", SQL: "SELECT 1", Args: []query.Value{query.Text(key), query.Time(now)}}
}

var (
	user  = query.Statement{Name: "user_by_id", SQL: "SELECT 1", Args: []query.Value{query.Int(1)}}
	other = query.Statement{Name: "user_by_name", SQL: " select 1", Args: []query.Value{query.Text("zoe")}}
	write = query.Statement{Name: "session_delete", SQL: "DELETE"}
)

func TestRecent(t *testing.T) {
	db := &counted{}
	r := djsession.NewRecent(window, 1<<20, "session_load", "user_by_id")
	at := start
	got := func(fresh, atomic bool, statements ...query.Statement) string {
		t.Helper()
		results, old, err := r.Query(ctx, at, fresh, db.ask, atomic, statements...)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(results[len(results)-1].Rows[0][0].Int(), old)
	}
	want := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	both := func() []query.Statement { return []query.Statement{read("a", at), user} }
	want(got(false, false, both()...), "1 false")
	at = start.Add(window - 1)
	want(got(false, false, both()...), "1 true")
	want(got(false, false, user), "1 true") // alone too
	want(got(false, false, read("b", at), user), "2 false")
	want(got(false, false, both()...), "2 true") // the user as just read
	at = start.Add(window)
	want(got(false, false, both()...), "3 false") // the session is too old
	want(got(true, false, user), "4 false")
	want(got(false, false, user), "4 true")
	at = start // the clock went back
	want(got(false, false, user), "5 false")
	want(got(false, false, other), "6 false") // not kept
	want(got(false, false, other), "7 false")
	want(got(false, false, user), "5 true") // and no write
	want(got(false, true, user), "8 false")
	want(got(false, false, user), "5 true")

	want(got(false, false, write), "9 false")
	want(got(false, false, user), "10 false")
	adHoc := write
	adHoc.AdHoc = true
	for i, statements := range [][]query.Statement{{write}, {user, write}, {adHoc}, {{Name: "user_by_id", AdHoc: true, SQL: "UPDATE"}}} {
		got(false, false, user)
		got(false, false, statements...)
		before := db.n
		if got(false, false, user); db.n == before {
			t.Errorf("write %d: the row was kept", i)
		}
	}

	db.err = errors.New("down")
	r.Drop()
	want(got(false, false, user), "down")
	db.err = nil
	if r.Bytes() != 0 {
		t.Error("an error was kept")
	}

	// A write between a read's question and its answer.
	db.during = func() { db.during = nil; got(false, false, write) }
	got(false, false, user)
	before := db.n
	if got(false, false, user); db.n == before {
		t.Error("a row from before a write was kept")
	}
	// A read between a write's question and its answer.
	db.during = func() { db.during = nil; got(true, false, user) }
	got(false, false, write)
	before = db.n
	if got(false, false, user); db.n == before {
		t.Error("a row from during a write was kept")
	}
}

func TestRecentIsBounded(t *testing.T) {
	const limit = 100_000
	r := djsession.NewRecent(window, limit, "session_load", "user_by_id")
	db := &counted{}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 2000 {
				results, _, err := r.Query(ctx, start, false, db.ask, false, read(fmt.Sprint(i%700, w%2), start), user)
				if err != nil || len(results) != 2 {
					t.Error(results, err)
				}
				if i%600 == 599 {
					r.Drop()
				}
			}
		}()
	}
	wg.Wait()
	if n := r.Bytes(); n > limit || n < limit/8 {
		t.Errorf("%d bytes are kept", n)
	}
	// What is too old goes with the next that comes.
	if _, _, err := r.Query(ctx, start.Add(window), false, db.ask, false, user); err != nil || r.Bytes() > 1000 {
		t.Errorf("%d bytes are kept of what is too old (%v)", r.Bytes(), err)
	}
}
