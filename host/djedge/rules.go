package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/djedge/djedge/djuser/gate"
)

// ruleTable is the array of tables of the configuration file, [[rule]], and
// the option of the same name.
const ruleTable = "rule"

// fileRules is the rules of the file as the option takes them, one on each line.
func fileRules(content any) (string, error) {
	var tables []map[string]any
	switch content := content.(type) {
	case []map[string]any:
		tables = content
	case []any: // rule = [{ … }]
		for i := range content {
			table, ok := content[i].(map[string]any)
			if !ok {
				return "", errNoRules
			}
			tables = append(tables, table)
		}
	default:
		return "", errNoRules
	}
	lines := make([]string, len(tables))
	for i, table := range tables {
		rule, err := fileRule(table)
		if err != nil {
			return "", fmt.Errorf("rule %d: %w", i+1, err)
		}
		lines[i] = rule.String()
	}
	return strings.Join(lines, "\n"), nil
}

var errNoRules = errors.New("rule must be tables, each headed by [[rule]]")

func fileRule(table map[string]any) (r gate.Rule, err error) {
	for key, value := range table {
		switch key {
		case "path", "allow":
			text, ok := value.(string)
			// One line holds the whole rule, and blanks its parts.
			if !ok || text == "" || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' }) {
				return r, fmt.Errorf("%s must be a string of one line", key)
			}
			if key == "allow" {
				r.Allow = gate.Requirement(text)
			} else if r.Path = text; strings.Contains(text, " ") {
				return r, errors.New("path must have %20 for a blank, as in a URL")
			}
		case "methods":
			list, ok := value.([]any)
			if !ok || len(list) == 0 {
				return r, errors.New("methods must be a list of strings; all methods are meant without it")
			}
			for _, m := range list {
				text, ok := m.(string)
				if !ok || strings.ContainsAny(text, ", \n") || text == "*" {
					return r, errors.New("methods must be a list of strings; all methods are meant without it")
				}
				r.Methods = append(r.Methods, text)
			}
		default:
			return r, fmt.Errorf("unknown key %s", key)
		}
	}
	switch {
	case r.Path == "":
		return r, errors.New("path is missing")
	case r.Allow == "":
		return r, errors.New("allow is missing")
	}
	return r, nil
}
