// Package report is what a benchmark says: tables for people, lines of JSON for programs, and a page of docs.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// Result is one figure that can be compared between runs.
type Result struct {
	Name  string  `json:"name"`
	Ratio float64 `json:"ratio"` // or another figure that Unit names
	Unit  string  `json:"unit"`
}

// Units of results.
const (
	Times   = "×"
	Percent = "%"
	Micros  = "µs"
	Millis  = "ms"
	MB      = "MB" // 10⁶ bytes
)

// Table is one table for people; the first column is text, the others are figures.
type Table struct {
	Title   string
	Note    string // below it, "" is none
	Columns []string
	Rows    [][]string
}

// Add appends a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Report collects results and tables, and prints each at once.
type Report struct {
	Out     io.Writer // lines of JSON
	People  io.Writer // tables, and what is going on
	Results []Result
	Tables  []Table
}

// Result adds a figure. One that is no number was not measured, and is left out.
func (r *Report) Result(name string, ratio float64, unit string) {
	if math.IsNaN(ratio) || math.IsInf(ratio, 0) {
		return
	}
	ratio = rounded(ratio)
	r.Results = append(r.Results, Result{name, ratio, unit})
	line, _ := json.Marshal(r.Results[len(r.Results)-1])
	fmt.Fprintf(r.Out, "%s\n", line)
}

// rounded keeps four digits: more are noise.
func rounded(v float64) float64 {
	if v == 0 {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	if scale >= 1 {
		return math.Round(v*scale) / scale
	}
	return math.Round(v)
}

// Table adds a table.
func (r *Report) Table(t Table) {
	r.Tables = append(r.Tables, t)
	fmt.Fprintf(r.People, "\n%s\n\n", t.Title)
	w := tabwriter.NewWriter(r.People, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(t.Columns, "\t"))
	for _, row := range t.Rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	w.Flush()
	if t.Note != "" {
		fmt.Fprintf(r.People, "\n%s\n", t.Note)
	}
}

// Say prints what is going on.
func (r *Report) Say(format string, args ...any) {
	fmt.Fprintf(r.People, "bench: "+format+"\n", args...)
}

// Number writes v as a table does: with three digits, and as a dash when it was not measured.
func Number(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case math.Abs(v) >= 100:
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
