package host

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/djedge/djedge/djsession/query"
)

// The hints against the plainest least-recently-used list there is.
func TestHints(t *testing.T) {
	const limit = 5
	type entry struct {
		key  string
		user query.Value
	}
	random := rand.New(rand.NewPCG(1, 2))
	h := newHints(limit)
	var model []entry // newest last
	for range 20_000 {
		key, user := strconv.Itoa(random.IntN(12)), query.Int(random.Int64N(3))
		at := slices.IndexFunc(model, func(e entry) bool { return e.key == key })
		switch random.IntN(3) {
		case 0:
			want := query.Null()
			if at >= 0 {
				want = model[at].user
				model = append(slices.Delete(model, at, at+1), entry{key, want})
			}
			if got := h.get(key); got != want {
				t.Fatalf("get %s: %v, want %v", key, got, want)
			}
		case 1:
			if at >= 0 {
				model = slices.Delete(model, at, at+1)
			} else if len(model) == limit {
				model = model[1:]
			}
			model = append(model, entry{key, user})
			h.put(key, user)
		case 2:
			if at >= 0 {
				model = slices.Delete(model, at, at+1)
			}
			h.remove(key)
		}
		if len(h.index) != len(model) || len(h.entries) > limit+1 {
			t.Fatalf("%d hints in %d places, want %d", len(h.index), len(h.entries), len(model))
		}
	}
}

func TestHashingWeights(t *testing.T) {
	for _, c := range []struct {
		concurrency        int
		memory, hash, want int64
	}{
		{4, 256 << 20, 0, 64 << 20},            // a hash without memory takes its share
		{4, 256 << 20, 100 << 20, 100 << 20},   // one with more takes that
		{4, 256 << 20, 1 << 30, 256 << 20},     // one with too much runs alone
		{1, 1, 1 << 30, 1}, {8, 1, 1 << 30, 8}, // no budget is too small
	} {
		if got := newHashQueue(c.concurrency, c.memory, 1, nil).weight(c.hash); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
