package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host/internal/bound"
)

// batches answers many requests with one statement: whatever queued while the
// last one was out goes out together, at once and without a timer. A request
// that finds nothing out is asked by its own goroutine, as if there were no
// batches.
//
// A lane is a connection of the pool that is out with a batch. There is one,
// since two would halve the batches, until it is slow: then another opens. So a
// request is always answered by a statement that was sent after it came.
type batches struct {
	db     *DB
	size   int  // most requests of one batch
	lanes  int  // most lanes
	unsafe bool // nothing can stay prepared on a connection (PgBouncer)
	forms  forms

	describing sync.Mutex
	pool       sync.Pool // of *waiting

	mu    sync.Mutex
	queue []*waiting // in order of arrival
	idle  []*lane
	out   int           // lanes that are out
	late  int           // those of them that are slow
	usual time.Duration // what a batch takes
	all   []*lane
	alarm *time.Timer // for the first deadline of those who wait, if it is set
	first time.Time   // that deadline; zero when it is not set
}

const (
	defaultBatchSize = 128
	maxLanes         = 4
	// maxOut bounds how long a batch may be out. Those who can wait longer are
	// asked alone after it: one of them may wait for a lock that the others do not
	// need.
	maxOut = 2 * time.Second
	// A lane is slow after four times what is usual, within these bounds.
	minPatience, maxPatience = 2 * time.Millisecond, 10 * time.Millisecond
)

// newBatches is nil when nothing is to be batched.
func newBatches(db *DB, size int, conns int32, mode pgx.QueryExecMode) *batches {
	if size == 1 || mode == pgx.QueryExecModeSimpleProtocol {
		return nil
	}
	if size == 0 {
		size = defaultBatchSize
	}
	b := &batches{db: db, size: size, lanes: max(1, min(int(conns)-1, maxLanes)), unsafe: mode != pgx.QueryExecModeCacheStatement}
	b.pool.New = func() any {
		w := &waiting{done: make(chan struct{}, 1)}
		w.turn.Store(1)
		return w
	}
	b.alarm = time.AfterFunc(time.Hour, b.expire)
	b.alarm.Stop()
	return b
}

// waiting is one request.
type waiting struct {
	forms    []*form // of its statements
	elements []byte  // their arguments, one after the other, each with its length
	at       int     // how much of elements a lane has read
	deadline time.Time
	until    atomic.Int64  // deadline, for who does not know whether this is still the same request
	turn     atomic.Uint64 // odd once it is answered, and before it is asked; each request has the next

	results []query.Result
	err     error
	expired bool          // its deadline came first
	done    chan struct{} // has room for one
}

// claim reports whether the request of this turn is the caller's to answer:
// nobody has, and nobody else will.
func (w *waiting) claim(turn uint64) bool { return turn%2 == 0 && w.turn.CompareAndSwap(turn, turn+1) }

// waits reports whether it was not answered yet, as it is when its time is over.
func (w *waiting) waits() bool { return w.turn.Load()%2 == 0 }

// errAlone is the answer to a request whose batch failed.
var errAlone = errors.New("to be asked alone")

// query is [DB.Query] for what can be asked together with others; asked is false
// for what cannot, or not any more.
func (b *batches) query(ctx context.Context, statements []query.Statement) (results []query.Result, asked bool, err error) {
	w := b.request(ctx, statements)
	if w == nil {
		return nil, false, nil
	}
	turn := w.turn.Load()
	b.enter(w)
	if bound.IsPatient(ctx) {
		<-w.done
	} else {
		select {
		case <-w.done:
		case <-ctx.Done():
			if w.claim(turn) { // a lane may still look at it, so it is not used again
				return nil, true, fmt.Errorf("%s: %w", names(statements), clean(ctx.Err()))
			}
			<-w.done
		}
	}
	if w.expired {
		return nil, true, fmt.Errorf("%s: %w", names(statements), context.DeadlineExceeded)
	}
	results, err = w.results, w.err
	w.results, w.err = nil, nil
	b.pool.Put(w)
	return results, !errors.Is(err, errAlone), err
}

// request is nil unless all statements have forms, and all arguments are beyond
// doubt.
func (b *batches) request(ctx context.Context, statements []query.Statement) *waiting {
	deadline, ok := ctx.Deadline()
	if !ok || ctx.Err() != nil {
		return nil
	}
	w := b.pool.Get().(*waiting)
	w.forms, w.elements, w.at, w.deadline = w.forms[:0], w.elements[:0], 0, deadline
	w.until.Store(deadline.UnixNano())
	for i := range statements {
		s := &statements[i]
		f := b.form(ctx, s)
		ok = ok && f != nil && len(s.Args) == len(f.oids)
		for j := 0; ok && j < len(s.Args); j++ {
			w.elements, ok = encode(w.elements, f.oids[j], s.Args[j])
		}
		if !ok {
			b.pool.Put(w)
			return nil
		}
		w.forms = append(w.forms, f)
	}
	// Not before: a lane that had it last may still show it to expire.
	w.turn.Add(1)
	return w
}

// enter queues w. The lane that it may open is run here when it is for w alone.
func (b *batches) enter(w *waiting) {
	b.mu.Lock()
	b.queue = append(b.queue, w)
	if b.first.IsZero() || w.deadline.Before(b.first) {
		b.first = w.deadline
		b.alarm.Reset(time.Until(b.first))
	}
	l := b.open()
	alone := l != nil && len(b.queue) == 1
	if alone {
		b.take(l)
	}
	b.mu.Unlock()
	switch {
	case alone:
		l.ask()
		if b.again(l) {
			go b.run(l)
		}
	case l != nil:
		go b.start(l)
	}
}

// open is a lane for what is queued, or nil while another will soon be back for
// it. The lock is held.
func (b *batches) open() (l *lane) {
	if len(b.queue) == 0 || b.out > b.late || b.out >= b.lanes {
		return nil
	}
	b.out++
	if n := len(b.idle); n > 0 {
		l, b.idle = b.idle[n-1], b.idle[:n-1]
		return l
	}
	l = newLane(b)
	b.all = append(b.all, l)
	return l
}

// start begins in a lane that was opened and has taken nothing.
func (b *batches) start(l *lane) {
	b.mu.Lock()
	b.take(l)
	b.mu.Unlock()
	b.run(l)
}

// run goes on while there are requests. Those who were just answered run first,
// if there is no processor for them: they may ask again.
func (b *batches) run(l *lane) {
	for more := true; more; more = b.again(l) {
		l.ask()
		runtime.Gosched()
	}
}

// again takes the next batch, or closes the lane. One that was slow closes when
// another took over.
func (b *batches) again(l *lane) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l.timer.Stop(); l.late {
		l.late = false
		b.late--
	}
	b.usual += (min(time.Since(l.started), maxPatience) - b.usual) / 8
	if len(b.queue) > 0 && b.out-b.late == 1 {
		b.take(l)
		return true
	}
	l.batch = l.batch[:0]
	b.out--
	b.idle = append(b.idle, l)
	return false
}

// take gives what is queued to a lane. The lock is held.
func (b *batches) take(l *lane) {
	n := min(len(b.queue), b.size)
	l.batch = l.batch[:0]
	for _, w := range b.queue[:n] {
		if w.waits() {
			l.batch = append(l.batch, w)
		}
	}
	rest := copy(b.queue, b.queue[n:])
	clear(b.queue[rest:])
	b.queue = b.queue[:rest]
	l.started = time.Now()
	l.patience = max(minPatience, min(maxPatience, 4*b.usual))
	l.timer.Reset(l.patience)
}

// expire answers those whose deadline came before their rows, and sets the alarm
// for the next. There is one timer for all of them: hardly ever it finds
// somebody.
func (b *batches) expire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, next := time.Now(), time.Time{}
	look := func(w *waiting) {
		turn, until := w.turn.Load(), w.until.Load()
		at := time.Unix(0, until)
		switch {
		case turn%2 != 0:
		case !now.Before(at):
			if w.claim(turn) {
				w.expired = true
				w.done <- struct{}{}
			}
		case next.IsZero() || at.Before(next):
			next = at
		}
	}
	for _, w := range b.queue {
		look(w)
	}
	for _, l := range b.all {
		for _, w := range l.batch {
			look(w)
		}
	}
	if b.first = next; !next.IsZero() {
		b.alarm.Reset(next.Sub(now))
	}
}

// slow is called when a lane may have been out for too long.
func (b *batches) slow(l *lane) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(l.batch) == 0 || l.late || time.Since(l.started) < l.patience {
		return // it came back meanwhile
	}
	l.late = true
	b.late++
	if other := b.open(); other != nil {
		go b.start(other)
	}
}
