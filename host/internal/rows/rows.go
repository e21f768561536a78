// Package rows makes room for what a check asks a database.
package rows

import "github.com/djedge/djedge/djsession/query"

// Results makes room for n results of one row each, which is what n statements
// by key have: for the two of a check by one allocation.
func Results(n int) []query.Result {
	if n > 2 {
		return make([]query.Result, n)
	}
	both := new(struct {
		results [2]query.Result
		rows    [2][]query.Value
	})
	for i := range both.results {
		both.results[i].Rows = both.rows[i : i : i+1]
	}
	return both.results[:n:n]
}
