package module

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/djedge/djedge/djsession/query"
)

// judge says of each statement of the table, by name, whether it only reads.
// The table is the module's, too, but it is fixed before the first request,
// and is what [host.Host] logs and a reviewer can read.
func judge(table []query.Statement) (reads map[string]bool, err error) {
	reads = make(map[string]bool, len(table))
	for _, s := range table {
		if _, more, _ := strings.Cut(s.SQL, ";"); strings.TrimSpace(more) != "" {
			return nil, fmt.Errorf("the module's statement %q is more than one", s.Name)
		}
		reads[s.Name] = selects(s.SQL)
	}
	return reads, nil
}

// selects reports whether text is a SELECT that stores its rows nowhere
// (SELECT INTO makes a table in PostgreSQL and a file in MySQL).
func selects(text string) bool {
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
	for _, word := range words {
		if strings.EqualFold(word, "INTO") {
			return false
		}
	}
	return len(words) > 0 && strings.EqualFold(words[0], "SELECT") && strings.HasPrefix(strings.TrimSpace(text), words[0])
}

// writes reports whether a statement may write: whatever is not in the table
// as one that only reads.
func (l *loaded) writes(s *query.Statement) bool { return s.AdHoc || !l.reads[s.Name] }
