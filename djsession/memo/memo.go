// Package memo remembers what was worked out of some bytes, for as long as
// there is room: a check meets the same signed bytes on every request, and
// their signature is as right the second time as it was the first.
//
// An entry is found by the bytes themselves, all of them compared. Nothing that
// depends on time may be kept, and nothing that failed. What the answer depends
// on besides (keys, salts, limits) must be fixed for as long as the Memo lives:
// its owner makes a new one with new keys.
package memo

import (
	"math/bits"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	ways = 4 // places where an entry may be

	// An entry of a login is about 800 bytes: most places stay empty, so that the
	// bytes are the bound, and not how the places happen to be met.
	bytesPerPlace = 256
	maxPlaces     = 1 << 16

	// overhead is what an entry takes besides its key and what its owner says.
	overhead = 96

	// When there is no room, one newcomer of so many may take the place of an
	// entry that nobody asked for since it was last looked at. With more sessions
	// than fit nearly every newcomer would be gone before it is asked for again:
	// most are spared the work, and those that are there stay and are found.
	reluctance = 8
)

// Memo is a bounded map from text to values that are never changed. It may be
// used by several goroutines at once; reading takes no lock. The nil Memo and
// the zero one remember nothing.
type Memo[V any] struct {
	limit int // bytes

	table atomic.Pointer[table[V]] // nil until something is seen twice

	mu       sync.Mutex
	used     int
	hand     int // where the next older entry is looked for
	declined int
	seen     []uint64 // fingerprints that were met once, in the places of their entries
	turn     int      // which of a set is overwritten next
}

type table[V any] struct{ places []atomic.Pointer[entry[V]] }

type entry[V any] struct {
	fingerprint uint64
	key         string
	value       V
	size        int
	found       atomic.Bool // since the hand last passed
}

// New returns a Memo of at most limit bytes, by its own reckoning; none when
// limit is not positive.
func New[V any](limit int) *Memo[V] { return &Memo[V]{limit: limit} }

// Get is the value that was put under exactly these bytes.
func (m *Memo[V]) Get(key string) (value V, ok bool) {
	if m == nil {
		return value, false
	}
	t := m.table.Load()
	if t == nil {
		return value, false
	}
	fingerprint := fingerprintOf(key)
	at := setOf(fingerprint, len(t.places))
	for i := range ways {
		if e := t.places[at+i].Load(); e != nil && e.fingerprint == fingerprint && equal(e.key, key) {
			if !e.found.Load() {
				e.found.Store(true)
			}
			return e.value, true
		}
	}
	return value, false
}

// Put offers a value, which takes size bytes besides the key. It is kept when
// its key is met for the second time, and there is room. The key is copied, so
// it may be part of a buffer; the value must not be changed from now on.
func (m *Memo[V]) Put(key string, size int, value func() V) {
	size += len(key) + overhead
	if m == nil || size > m.limit/8 { // one entry must not push out all others
		return
	}
	fingerprint := fingerprintOf(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = make([]uint64, places(m.limit))
	}
	at := setOf(fingerprint, len(m.seen))
	if met := m.seen[at : at+ways]; !slices.Contains(met, fingerprint) {
		m.turn++
		met[m.turn%ways] = fingerprint
		return
	}
	t := m.table.Load()
	if t == nil {
		t = &table[V]{make([]atomic.Pointer[entry[V]], len(m.seen))}
		m.table.Store(t)
	}
	if _, ok := m.Get(key); ok { // somebody else was quicker
		return
	}
	place := m.room(t.places[at:at+ways], size)
	if place == nil && m.mayReplace() {
		place = m.replace(t, t.places[at:at+ways], size)
	}
	if place == nil {
		return
	}
	e := &entry[V]{fingerprint: fingerprint, key: strings.Clone(key), value: value(), size: size}
	e.found.Store(true)
	place.Store(e)
	m.used += size
}

// room is an empty place, when size bytes are free.
func (m *Memo[V]) room(set []atomic.Pointer[entry[V]], size int) *atomic.Pointer[entry[V]] {
	if m.used+size > m.limit {
		return nil
	}
	for i := range set {
		if set[i].Load() == nil {
			return &set[i]
		}
	}
	return nil
}

func (m *Memo[V]) mayReplace() bool {
	m.declined = (m.declined + 1) % reluctance
	return m.declined == 0
}

// replace makes room, when the entries that are next to be looked at have not
// been found since the last time: the set's own, and two others.
func (m *Memo[V]) replace(t *table[V], set []atomic.Pointer[entry[V]], size int) *atomic.Pointer[entry[V]] {
	for looked, steps := 0, 0; looked < 2 && steps < len(t.places) && m.used+size > m.limit; steps++ {
		other := &t.places[m.hand]
		m.hand = (m.hand + 1) % len(t.places)
		if e := other.Load(); e != nil {
			looked++
			if !e.found.Swap(false) {
				m.forget(other)
			}
		}
	}
	for i := range set {
		if e := set[i].Load(); e != nil && !e.found.Swap(false) {
			m.forget(&set[i])
			break
		}
	}
	return m.room(set, size)
}

func (m *Memo[V]) forget(place *atomic.Pointer[entry[V]]) {
	if old := place.Swap(nil); old != nil {
		m.used -= old.size
	}
}

// Used is how many bytes are taken.
func (m *Memo[V]) Used() int {
	if m == nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used
}

// setOf is the first of the places where an entry may be.
func setOf(fingerprint uint64, places int) int { return int(fingerprint) & (places - 1) &^ (ways - 1) }

// places is a power of two.
func places(limit int) int {
	n := min(max(limit/bytesPerPlace, ways), maxPlaces)
	return 1 << bits.Len(uint(n-1))
}

// fingerprintOf tells apart what is rarely the same: signed data and stored
// hashes end with what is as good as random. It is no secret and decides
// nothing; never 0.
func fingerprintOf(key string) uint64 {
	var a, b uint64
	if n := len(key); n >= 16 {
		a, b = word(key, n-16), word(key, n-8)
	} else {
		for i := range n {
			a = a<<8 | a>>56 ^ uint64(key[i])
		}
	}
	h := (a ^ uint64(len(key))) * 0x9e3779b97f4a7c15
	h ^= h>>29 ^ b
	h *= 0xbf58476d1ce4e5b9
	return h ^ h>>32 | 1<<63
}
