package query

import "errors"

// Statement is one SQL statement and its arguments. Name identifies it in the
// table that is known from configuration on; only a statement outside that
// table (saving a chosen set of columns) has AdHoc set.
type Statement struct {
	Name  string
	SQL   string
	Args  []Value
	AdHoc bool // SQL is not in the configured table and must travel with the effect
}

// Result answers one [Statement].
type Result struct {
	Columns  []Column // named only when the statement asked for "*"; else may be nil
	Rows     [][]Value
	Affected int64 // rows matched by an INSERT, UPDATE or DELETE (found, not changed)
}

// Column is a column of a table, with its kind as far as the driver knows it.
// KindNull means "as it comes".
type Column struct {
	Name string
	Kind Kind
}

// ErrDuplicate is returned (wrapped) by a host when a statement broke a
// uniqueness rule. Every other error means that the database did not answer.
var ErrDuplicate = errors.New("duplicate key")
