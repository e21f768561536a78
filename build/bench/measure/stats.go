// Package measure has the statistics of a benchmark and the load that it puts on servers.
package measure

import (
	"math"
	"slices"
)

// Median is the middle of values, or the mean of the two in the middle; NaN when there is none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// Percentile is the smallest of values that at least p percent of them do not exceed (nearest rank); NaN when there
// is none.
func Percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Best is the smallest of values; NaN when there is none. For work that is always the same it is the figure with
// the least of other people's work in it.
func Best(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return slices.Min(values)
}
