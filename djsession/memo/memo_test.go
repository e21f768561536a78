package memo

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

func put(m *Memo[string], key string) { m.Put(key, len(key), func() string { return "of " + key }) }

func TestAdmission(t *testing.T) {
	m := New[string](1 << 20)
	for _, key := range []string{"", "a", "short", "sixteen bytes 16", strings.Repeat("long", 1000)} {
		for i := range 3 {
			if got, ok := m.Get(key); ok != (i == 2) || ok && got != "of "+key {
				t.Errorf("%.20q, time %d: %q, %v", key, i, got, ok)
			}
			put(m, key)
		}
	}
	used := m.Used()
	put(m, "short") // twice the same
	if m.Used() != used {
		t.Error("an entry is kept twice")
	}
	large := strings.Repeat("x", 1<<19)
	for range 3 {
		put(m, large)
	}
	if _, ok := m.Get(large); ok || m.Used() != used {
		t.Error("one entry takes the room of all")
	}
}

func TestNothing(t *testing.T) {
	var none *Memo[string]
	for _, m := range []*Memo[string]{none, {}, New[string](-1), New[string](0)} {
		for range 3 {
			put(m, "key")
		}
		if _, ok := m.Get("key"); ok || m.Used() != 0 {
			t.Error("something is remembered without room")
		}
	}
}

// What is used stays while others pass by, and what is used no more goes.
func TestEviction(t *testing.T) {
	const limit = 64 << 10
	m := New[string](limit)
	key := func(i int) string {
		return strconv.Itoa(i) + strings.Repeat(" a key of some length", 20) + strconv.Itoa(i*7919)
	}
	for i := range 10 {
		put(m, key(i))
		put(m, key(i))
	}
	for i := range 5000 {
		put(m, key(i+100))
		put(m, key(i+100))
		for j := range 10 {
			m.Get(key(j))
		}
		if m.Used() > limit {
			t.Fatalf("%d bytes are used", m.Used())
		}
	}
	stayed := 0
	for j := range 10 {
		if _, ok := m.Get(key(j)); ok {
			stayed++
		}
	}
	if stayed < 5 {
		t.Errorf("only %d of 10 keys that are always asked for stayed", stayed)
	}
	found := 0
	for i := range 50 {
		if _, ok := m.Get(key(5000 + 50 + i)); ok {
			found++
		}
	}
	if found == 0 {
		t.Error("nothing new gets in any more")
	}
}

// More keys than fit, in turns: the worst that can happen to a cache.
func BenchmarkThrash(b *testing.B) {
	for _, n := range []int{50, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := New[string](100 << 10)
			keys := make([]string, n)
			for i := range keys {
				keys[i] = strings.Repeat("a session of some length ", 12) + fmt.Sprintf("%016x", uint64(i+1)*0x9e3779b97f4a7c15)
			}
			b.ReportAllocs()
			hits, i := 0, 0
			for b.Loop() {
				key := keys[i%n]
				if _, ok := m.Get(key); ok {
					hits++
				} else {
					m.Put(key, 500, func() string { return strings.Clone(key) })
				}
				i++
			}
			b.ReportMetric(float64(hits)/float64(i), "hits/op")
		})
	}
}
