package postgres

import (
	"context"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host/internal/crowd"
	"github.com/djedge/djedge/host/postgres/postgrestest"
)

// wire is a network between us and the server that can fail.
type wire struct {
	listener net.Listener
	server   string

	mu     sync.Mutex
	moved  *sync.Cond
	paused bool // nothing gets through, and nobody is told
	down   bool // connections are refused
	conns  map[net.Conn]bool
}

// through is the server's URL by way of a wire.
func through(t *testing.T, server string) (*wire, string) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, server: u.Host, conns: map[net.Conn]bool{}}
	w.moved = sync.NewCond(&w.mu)
	t.Cleanup(func() {
		_ = listener.Close()
		w.set(false, false)
		w.cut()
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go w.serve(client)
		}
	}()
	u.Host = listener.Addr().String()
	return w, u.String() + "?sslmode=disable"
}

func (w *wire) serve(client net.Conn) {
	w.mu.Lock()
	down := w.down
	w.conns[client] = true
	w.mu.Unlock()
	server, err := net.Dial("tcp", w.server)
	if down || err != nil {
		_ = client.Close()
		return
	}
	go w.copy(server, client)
	w.copy(client, server)
}

func (w *wire) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		w.mu.Lock()
		for w.paused {
			w.moved.Wait()
		}
		w.mu.Unlock()
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

func (w *wire) set(paused, down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused, w.down = paused, down
	w.moved.Broadcast()
}

// cut ends every connection.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		_ = c.Close()
		delete(w.conns, c)
	}
}

// traffic asks from 16 goroutines until it is stopped. No answer may be wrong;
// errors are counted.
type traffic struct {
	db             *DB
	answers, fails atomic.Int64
	stopped        chan struct{}
	workers        sync.WaitGroup
}

const trafficUsers = 100

func start(t *testing.T, db *DB, timeout time.Duration) *traffic {
	tr := &traffic{db: db, stopped: make(chan struct{})}
	for range 16 {
		tr.workers.Go(func() {
			for {
				select {
				case <-tr.stopped:
					return
				default:
				}
				i := 1 + rand.IntN(trafficUsers+5)
				statements, right := question(i, trafficUsers)
				ctx, cancel := context.WithTimeout(context.Background(), timeout)
				results, err := db.Query(ctx, false, statements...)
				cancel()
				switch {
				case err != nil:
					tr.fails.Add(1)
				case !right(results):
					t.Errorf("%d: %v", i, results)
				default:
					tr.answers.Add(1)
				}
			}
		})
	}
	return tr
}

// more waits for n further answers.
func (tr *traffic) more(t *testing.T, n int64) {
	t.Helper()
	want := tr.answers.Load() + n
	for limit := time.Now().Add(30 * time.Second); tr.answers.Load() < want; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%d answers and %d errors: it does not go on", tr.answers.Load(), tr.fails.Load())
		}
	}
}

func (tr *traffic) stop() {
	close(tr.stopped)
	tr.workers.Wait()
}

// Backends are killed while batches run: requests are answered from other
// connections.
func TestKilledBackends(t *testing.T) {
	server := postgrestest.URL(t)
	populate(t, server, trafficUsers)
	db := openTest(t, server, Config{})
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	tr := start(t, db, 20*time.Second)
	for range 20 {
		tr.more(t, 200)
		if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'djedge' AND datname = current_database()`); err != nil {
			t.Fatal(err)
		}
	}
	tr.more(t, 200)
	tr.stop()
	// Who asks for the third time when the next ones are killed is out of luck.
	if n := tr.fails.Load(); n > tr.answers.Load()/100 {
		t.Errorf("%d errors for %d answers", n, tr.answers.Load())
	}
}

// The server goes away and comes back: errors meanwhile, answers after.
func TestServerRestarts(t *testing.T) {
	server := postgrestest.URL(t)
	populate(t, server, trafficUsers)
	w, address := through(t, server)
	db := openTest(t, address, Config{})
	tr := start(t, db, 5*time.Second)
	for range 3 {
		tr.more(t, 200)
		failed := tr.fails.Load()
		w.set(false, true)
		w.cut()
		for limit := time.Now().Add(20 * time.Second); tr.fails.Load() < failed+20; time.Sleep(time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatal("no errors without a server")
			}
		}
		w.set(false, false)
	}
	tr.more(t, 200)
	tr.stop()
}

// Nothing comes back any more: each request ends at its deadline, and when the
// server answers again, so do we.
func TestServerPauses(t *testing.T) {
	server := postgrestest.URL(t)
	populate(t, server, trafficUsers)
	w, address := through(t, server)
	db := openTest(t, address, Config{AcquireTimeout: 200 * time.Millisecond})
	tr := start(t, db, 300*time.Millisecond)
	for _, cut := range []bool{false, true} {
		tr.more(t, 200)
		failed := tr.fails.Load()
		w.set(true, false)
		for limit := time.Now().Add(20 * time.Second); tr.fails.Load() < failed+50; time.Sleep(time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatal("no errors while nothing is answered")
			}
		}
		if cut {
			w.cut() // what was sent into the hole is lost
		}
		w.set(false, false)
		tr.more(t, 500)
	}
	tr.stop()
	settle(t, db.batches)
	if n := db.pool.Stat().TotalConns(); n > db.pool.Stat().MaxConns() {
		t.Errorf("%d connections", n)
	}
}

// A batch that hangs holds up nobody but those in it.
func TestSlowLane(t *testing.T) {
	server := postgrestest.URL(t)
	populate(t, server, trafficUsers)
	db := openTest(t, server, Config{MaxConns: 4})
	mustQueryWithin(t, db, check(1)...)
	mustQueryWithin(t, db, check(1)...)
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	lock, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(t.Context(), `LOCK TABLE "auth_user" IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	var hanging sync.WaitGroup
	hanging.Go(func() {
		if r, err := db.Query(within(t, 30*time.Second), false, userOf(query.Int(1))); err != nil || len(r[0].Rows) != 1 {
			t.Error(r, err)
		}
	})
	for { // it waits for the lock
		var n int
		if err := lock.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE NOT granted`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	crowd.Run(500, func(int) {
		if r, err := db.Query(within(t, 20*time.Second), false, sessionOf(sessionKey(7))); err != nil || len(r[0].Rows) != 1 {
			t.Error(r, err)
		}
	})
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	hanging.Wait()
	if n := settle(t, db.batches); n < 2 {
		t.Errorf("%d lanes were opened", n)
	}
}

// settle waits until every lane is back, and tells how many there are.
func settle(t *testing.T, b *batches) int {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		b.mu.Lock()
		queued, out, late, lanes := len(b.queue), b.out, b.late, len(b.idle)
		b.mu.Unlock()
		switch {
		case queued == 0 && out == 0 && late == 0:
			return lanes
		case time.Now().After(limit):
			t.Fatalf("%d are queued, %d lanes are out, %d late", queued, out, late)
		}
	}
}
