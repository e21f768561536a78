package djsession

import (
	"context"
	"encoding/binary"
	"strings"
	"sync"
	"time"

	"github.com/djedge/djedge/djsession/query"
)

// Asker is [Effects].Query of some host.
type Asker func(ctx context.Context, atomic bool, statements ...query.Statement) ([]query.Result, error)

// Recent keeps the rows of statements that read, for a bounded time, and is
// the price of that time: so long a session that was ended elsewhere, a changed
// password or a deactivated user may go unseen. It is a decorator
// over Query and may be used by several goroutines at once.
//
// Everything is dropped with every statement that is not one of those it keeps
// and does not read, whoever sends it through the decorator; a read that was
// under way meanwhile is not kept either. Errors are never kept.
type Recent struct {
	max   time.Duration
	limit int
	kept  map[string]bool // statements, and whether only their first argument counts

	mu         sync.Mutex
	entries    map[string]*recentResult
	order      []recentKey // the oldest first; one that was asked for again comes twice
	first      int         // in order
	bytes      int
	number     uint64
	generation uint64 // of the writes
}

type recentResult struct {
	result query.Result
	asked  time.Time
	number uint64 // of its place in the order
	bytes  int
}

type recentKey struct {
	key    string
	asked  time.Time
	number uint64
}

func (k *recentKey) bytes() int { return 128 + len(k.key) }

// NewRecent keeps the results of the named statements for at most max, in at
// most limit bytes. Of a session's row only the key counts, not the time that it
// is asked at: a session that expires within max may live for as long.
func NewRecent(max time.Duration, limit int, names ...string) *Recent {
	r := &Recent{max: max, limit: limit, kept: make(map[string]bool, len(names)), entries: map[string]*recentResult{}}
	for _, name := range names {
		r.kept[name] = name == sessionLoad
	}
	return r
}

// Query answers from memory when every statement can be, and else asks. With
// fresh it always asks, and keeps what comes. old reports an answer from memory,
// whose rows are not the caller's to change.
func (r *Recent) Query(ctx context.Context, now time.Time, fresh bool, ask Asker, atomic bool, statements ...query.Statement) (results []query.Result, old bool, err error) {
	if !r.keeps(atomic, statements) {
		if !reads(statements) {
			r.Drop()
			defer r.Drop() // what was read before the write took effect
		}
		results, err = ask(ctx, atomic, statements...)
		return results, false, err
	}
	if !fresh {
		if results, ok := r.find(now, statements); ok {
			return results, true, nil
		}
	}
	r.mu.Lock()
	generation := r.generation
	r.mu.Unlock()
	results, err = ask(ctx, atomic, statements...)
	if err == nil && len(results) == len(statements) {
		r.keep(now, generation, statements, results)
	}
	return results, false, err
}

// Drop forgets everything.
func (r *Recent) Drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.generation++
	clear(r.entries)
	clear(r.order)
	r.order, r.first, r.bytes = r.order[:0], 0, 0
}

// Bytes is how many are kept.
func (r *Recent) Bytes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes
}

func (r *Recent) keeps(atomic bool, statements []query.Statement) bool {
	for i := range statements {
		if _, ok := r.kept[statements[i].Name]; !ok || statements[i].AdHoc {
			return false
		}
	}
	return !atomic && len(statements) > 0
}

// reads reports whether every statement is a SELECT.
func reads(statements []query.Statement) bool {
	for i := range statements {
		if sql := strings.TrimSpace(statements[i].SQL); len(sql) < 6 || !strings.EqualFold(sql[:6], "SELECT") {
			return false
		}
	}
	return true
}

func (r *Recent) find(now time.Time, statements []query.Statement) ([]query.Result, bool) {
	var room [256]byte
	results := make([]query.Result, len(statements))
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range statements {
		e := r.entries[string(r.appendKey(room[:0], &statements[i]))]
		if e == nil {
			return nil, false
		}
		if age := now.Sub(e.asked); age < 0 || age >= r.max { // the clock may go back
			return nil, false
		}
		results[i] = e.result
	}
	return results, true
}

func (r *Recent) keep(now time.Time, generation uint64, statements []query.Statement, results []query.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.generation != generation {
		return
	}
	for i := range statements {
		r.number++
		k := recentKey{string(r.appendKey(nil, &statements[i])), now, r.number}
		r.order = append(r.order, k)
		if old := r.entries[k.key]; old != nil {
			r.bytes -= old.bytes
		}
		e := &recentResult{result: results[i], asked: now, number: k.number, bytes: sizeOf(&results[i])}
		r.entries[k.key] = e
		r.bytes += e.bytes + k.bytes()
	}
	for r.first < len(r.order) {
		k := &r.order[r.first]
		if r.bytes <= r.limit && now.Sub(k.asked) < r.max {
			break
		}
		if e := r.entries[k.key]; e != nil && e.number == k.number {
			r.bytes -= e.bytes
			delete(r.entries, k.key)
		}
		r.bytes -= k.bytes()
		*k = recentKey{}
		r.first++
	}
	if r.first > len(r.order)/2 {
		rest := copy(r.order, r.order[r.first:])
		clear(r.order[rest:])
		r.order, r.first = r.order[:rest], 0
	}
}

// appendKey is a statement's name and what counts of its arguments.
func (r *Recent) appendKey(b []byte, s *query.Statement) []byte {
	b = append(append(b, s.Name...), 0)
	args := s.Args
	if r.kept[s.Name] {
		args = args[:min(1, len(args))]
	}
	for _, v := range args {
		b = append(b, byte(v.Kind()))
		b = binary.LittleEndian.AppendUint64(b, uint64(v.Bits()))
		b = binary.LittleEndian.AppendUint64(b, uint64(len(v.Text())))
		b = append(b, v.Text()...)
	}
	return b
}

// sizeOf is about what a result takes in memory.
func sizeOf(q *query.Result) int {
	const entry, value = 192, 32
	size := entry
	for _, row := range q.Rows {
		size += value
		for _, v := range row {
			size += value + len(v.Text())
		}
	}
	return size
}
