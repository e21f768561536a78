package host

import (
	"crypto/sha256"
	"sync"

	"github.com/djedge/djedge/djsession/query"
)

// hints remembers which user a session belonged to when it was last read: the
// least recently used is forgotten first. Session keys are passwords of a
// sort, so only their digests are kept.
type hints struct {
	mu      sync.Mutex
	index   map[[sha256.Size]byte]int32
	entries []hint // 0 is the ring's head: next is the newest, prev the oldest
	free    []int32
	limit   int
}

type hint struct {
	key        [sha256.Size]byte
	user       query.Value
	prev, next int32
}

func newHints(limit int) *hints {
	return &hints{index: make(map[[sha256.Size]byte]int32), entries: make([]hint, 1), limit: limit}
}

// get is the user of a session, or null.
func (h *hints) get(sessionKey string) query.Value {
	if sessionKey == "" {
		return query.Null()
	}
	key := sha256.Sum256([]byte(sessionKey))
	h.mu.Lock()
	defer h.mu.Unlock()
	i, ok := h.index[key]
	if !ok {
		return query.Null()
	}
	h.unlink(i)
	h.link(i)
	return h.entries[i].user
}

func (h *hints) put(sessionKey string, user query.Value) {
	key := sha256.Sum256([]byte(sessionKey))
	h.mu.Lock()
	defer h.mu.Unlock()
	i, ok := h.index[key]
	switch {
	case ok:
		h.unlink(i)
	case len(h.free) > 0:
		i = h.free[len(h.free)-1]
		h.free = h.free[:len(h.free)-1]
	case len(h.index) < h.limit:
		h.entries = append(h.entries, hint{})
		i = int32(len(h.entries) - 1)
	default:
		i = h.entries[0].prev
		h.unlink(i)
		delete(h.index, h.entries[i].key)
	}
	h.entries[i].key, h.entries[i].user = key, user
	h.index[key] = i
	h.link(i)
}

func (h *hints) remove(sessionKey string) {
	if sessionKey == "" {
		return
	}
	key := sha256.Sum256([]byte(sessionKey))
	h.mu.Lock()
	defer h.mu.Unlock()
	if i, ok := h.index[key]; ok {
		h.unlink(i)
		delete(h.index, key)
		h.entries[i] = hint{}
		h.free = append(h.free, i)
	}
}

func (h *hints) unlink(i int32) {
	e := &h.entries[i]
	h.entries[e.prev].next, h.entries[e.next].prev = e.next, e.prev
}

func (h *hints) link(i int32) {
	head := &h.entries[0]
	h.entries[i].prev, h.entries[i].next = 0, head.next
	h.entries[head.next].prev = i
	head.next = i
}
