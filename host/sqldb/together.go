package sqldb

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/host/internal/rows"
)

// together answers reads that come at the same time in one transaction of one
// [reader]: SQLite locks its file, and looks whether it changed, once for all of
// them. The transaction begins after they came, so that they see all that was
// committed before.
//
// One of them reads for the others, after it let go of the processor once: who
// has come as far by then is taken along. Nobody waits for a time.
type together struct {
	db    *DB
	lanes int // most that read at once

	pool sync.Pool // of *waiting

	mu        sync.Mutex
	queue     []*waiting
	gathering bool // somebody is about to take the queue
	out       int  // lanes that gather or read
}

// maxTogether bounds for how long a transaction lasts, and so a writer waits.
const maxTogether = 64

// waiting is one request.
type waiting struct {
	statements []query.Statement
	results    []query.Result
	err        error
	taken      atomic.Bool   // by who answers it, or by who does not wait any more
	done       chan struct{} // has room for one
}

// errAlone is the answer to what must be asked another way.
var errAlone = errors.New("to be asked alone")

func newTogether(db *DB) *together {
	t := &together{db: db, lanes: runtime.GOMAXPROCS(0)}
	t.pool.New = func() any { return &waiting{done: make(chan struct{}, 1)} }
	return t
}

// query is [DB.Query] for reads; asked is false for those that it cannot answer.
func (t *together) query(ctx context.Context, statements []query.Statement) (results []query.Result, asked bool, err error) {
	for i := range statements {
		if s := &statements[i]; s.AdHoc || !reads(*s) || strings.Contains(s.SQL, "*") || !single(s.SQL) {
			return nil, false, nil
		}
	}
	if ctx.Err() != nil {
		return nil, false, nil
	}
	w := t.pool.Get().(*waiting)
	w.statements, w.results, w.err = statements, rows.Results(len(statements)), nil
	w.taken.Store(false)
	t.mu.Lock()
	t.queue = append(t.queue, w)
	lead := !t.gathering && t.out < t.lanes
	if lead {
		t.gathering = true
		t.out++
	}
	t.mu.Unlock()
	if lead {
		t.lead()
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		if w.taken.CompareAndSwap(false, true) {
			return nil, true, ctx.Err()
		}
		<-w.done // its statements are being read, and the caller's again only then
	}
	results, err = w.results, w.err
	w.statements, w.results = nil, nil
	t.pool.Put(w)
	return results, !errors.Is(err, errAlone), err
}

// lead takes what is queued, and answers it.
func (t *together) lead() {
	runtime.Gosched()
	t.mu.Lock()
	n := min(len(t.queue), maxTogether)
	batch := make([]*waiting, 0, n)
	for _, w := range t.queue[:n] {
		if w.taken.CompareAndSwap(false, true) {
			batch = append(batch, w)
		}
	}
	rest := copy(t.queue, t.queue[n:])
	clear(t.queue[rest:])
	t.queue = t.queue[:rest]
	t.gathering = false
	t.mu.Unlock()

	t.answer(batch)
	for _, w := range batch {
		w.done <- struct{}{}
	}

	t.mu.Lock()
	more := len(t.queue) > 0 && !t.gathering
	if more {
		t.gathering = true
	} else {
		t.out--
	}
	t.mu.Unlock()
	if more {
		go t.lead()
	}
}

func (t *together) answer(batch []*waiting) {
	if len(batch) == 0 {
		return
	}
	p, err := t.db.acquire()
	if err != nil {
		fail(batch, err)
		return
	}
	defer p.release()
	r, err := p.reader()
	if err != nil {
		fail(batch, errAlone)
		return
	}
	defer p.giveBack(r)
	if len(batch) == 1 && len(batch[0].statements) == 1 {
		r.answer(batch)
	} else if r.transaction(func() { r.answer(batch) }) != nil {
		fail(batch, errAlone)
	}
}

// answer stops at the first error: what comes after it would wait for the same.
func (r *reader) answer(batch []*waiting) {
	for i, w := range batch {
		for j := range w.statements {
			if err := r.read(&w.statements[j], &w.results[j]); err != nil {
				fail(batch[i:], errAlone)
				return
			}
		}
	}
}

func fail(batch []*waiting, err error) {
	for _, w := range batch {
		w.err = err
	}
}
