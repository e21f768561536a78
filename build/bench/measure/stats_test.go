package measure

import (
	"math"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 3, 2}, 2.5},
	} {
		if got := Median(c.values); got != c.want {
			t.Errorf("median of %v is %v", c.values, got)
		}
	}
	if !math.IsNaN(Median(nil)) || !math.IsNaN(Percentile(nil, 50)) || !math.IsNaN(Best(nil)) {
		t.Error("there is a figure of nothing")
	}
}

// The example of the nearest-rank method in Wikipedia's article on percentiles.
func TestPercentile(t *testing.T) {
	values := []float64{50, 15, 20, 35, 40}
	for p, want := range map[float64]float64{5: 15, 30: 20, 40: 20, 50: 35, 100: 50, 0: 15} {
		if got := Percentile(values, p); got != want {
			t.Errorf("%v %%: %v, want %v", p, got, want)
		}
	}
	if values[0] != 50 {
		t.Error("the values were sorted in place")
	}
	if Best(values) != 15 {
		t.Error(Best(values))
	}
}
