package gate

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/errorf"
)

// Rule is one entry of a rule list: what the requests under a path require.
//
// The first rule that fits a request decides; a request that none fits needs
// a login ([Authenticated]). Paths are compared by whole segments, after one
// decoding, so /reports and /reports/ fit /reports/ and everything under it,
// and /reports2 does not. There are no patterns.
//
// A path that servers may read differently is denied whatever the rules are
// ([ReasonPathAmbiguous]): one with "//", "." or "..", ";", "\", an encoded
// slash, "%00", something encoded twice, or what differs from a rule's path
// only in case, in Unicode's compatibility forms, or in dots and blanks at the
// end of a name.
type Rule struct {
	// Path is the prefix as in a URL: "/reports/", or "/" for everything.
	Path string
	// Methods are those that the rule is for; none means all. GET is for HEAD
	// too, since servers answer HEAD with what GET would find.
	Methods []string
	// Allow is who may pass.
	Allow Requirement
}

// ParseRule reads a rule as [Rule.String] writes it: methods separated by
// commas or "*", a blank, the path, a blank, and the requirement.
//
//	GET,POST /reports/ permission:reports.view_report
//	* /public/ anyone
func ParseRule(text string) (Rule, error) {
	methods, rest, _ := strings.Cut(text, " ")
	path, allow, ok := strings.Cut(rest, " ")
	if !ok {
		return Rule{}, errors.New("is not METHODS PATH REQUIREMENT")
	}
	r := Rule{Path: path, Allow: Requirement(allow)}
	if methods != "*" {
		r.Methods = strings.Split(methods, ",")
	}
	return r, nil
}

// String is the rule on one line, for [ParseRule].
func (r Rule) String() string {
	methods := "*"
	if len(r.Methods) > 0 {
		methods = strings.Join(r.Methods, ",")
	}
	return methods + " " + r.Path + " " + string(r.Allow)
}

// rule is a Rule that was checked.
type rule struct {
	path, folded []string
	methods      []string
	allow        Requirement
}

// compileRules checks a list. Besides what is wrong with a rule alone it
// refuses what no request can reach, which is nearly always a rule in the wrong
// place, and then lets in whom the next one would have kept out. Errors name
// the rule, counted from 1.
func compileRules(list []Rule) ([]rule, error) {
	rules := make([]rule, len(list))
	for i := range list {
		at := errorf.Sprintf("rule %d (%s): ", i+1, list[i].Path)
		r, err := list[i].compile()
		if err != nil {
			return nil, errorf.Errorf("%s%w", at, err)
		}
		for j := range rules[:i] {
			earlier := &rules[j]
			short := min(len(earlier.path), len(r.path))
			switch {
			case slices.Equal(earlier.folded[:short], r.folded[:short]) && !slices.Equal(earlier.path[:short], r.path[:short]):
				return nil, errorf.Errorf("%sthe path differs from that of rule %d in case or form only, so requests would be ambiguous", at, j+1)
			case hasPrefix(r.path, earlier.path) && earlier.takesAll(r.methods):
				return nil, errorf.Errorf("%sis never reached, because rule %d (%s) comes first", at, j+1, list[j].Path)
			}
		}
		rules[i] = r
	}
	return rules, nil
}

func (r Rule) compile() (rule, error) {
	path, why := splitPath(r.Path)
	switch {
	case strings.ContainsAny(r.Path, "?#"):
		why = "it has a query or a fragment"
	case strings.ContainsAny(r.Path, "*{}"): // not that these were impossible, but here they are a mistake
		why = "it looks like a pattern, and rules have prefixes only"
	}
	if why != "" {
		return rule{}, errors.New("path: " + why)
	}
	for _, m := range r.Methods {
		if !djsession.IsToken(m) || m != strings.ToUpper(m) || m == "*" {
			return rule{}, errorf.Errorf("methods: %q is not a method in capital letters", m)
		}
	}
	if err := r.Allow.Check(); err != nil {
		return rule{}, errorf.Errorf("allow: %q %w", string(r.Allow), err)
	}
	return rule{path: path, folded: foldAll(path), methods: slices.Clone(r.Methods), allow: r.Allow}, nil
}

// takes reports whether the rule is for a method in capital letters.
func (r *rule) takes(method string) bool {
	return len(r.methods) == 0 || slices.Contains(r.methods, method) ||
		method == "HEAD" && slices.Contains(r.methods, "GET")
}

// takesAll reports whether the rule is for all of these methods; none are all.
func (r *rule) takesAll(methods []string) bool {
	if len(methods) == 0 {
		return len(r.methods) == 0
	}
	return !slices.ContainsFunc(methods, func(m string) bool { return !r.takes(m) })
}

// HasRules reports whether there is a rule list.
func (g *Gate) HasRules() bool { return len(g.rules) > 0 }

// NeedsGrants reports whether some rule asks for a permission or a group.
func (g *Gate) NeedsGrants() bool {
	return slices.ContainsFunc(g.rules, func(r rule) bool { return r.allow.NeedsGrants() })
}

// Resolve is what require asks of req: require itself, or for [ByRules] what
// the first rule that fits says, and which one that is, from 1. Without a
// rule that fits, and without any rules, it is [Authenticated] and rule 0. The
// request's URI and method must be those of the request that is decided about,
// as they were received. The error is a [*Denied].
func (g *Gate) Resolve(req Request, require Requirement) (allow Requirement, number int, err error) {
	switch {
	case require != ByRules:
		return require, 0, nil
	case len(g.rules) == 0:
		return Authenticated, 0, nil
	}
	method := strings.ToUpper(req.Method) // as Django does
	if !djsession.IsToken(method) {
		return "", 0, &Denied{ReasonPathAmbiguous, "the method is none"}
	}
	path, why := splitPath(req.URI)
	if why != "" {
		return "", 0, &Denied{ReasonPathAmbiguous, "the path is ambiguous: " + why}
	}
	folded := foldAll(path)
	for i := range g.rules {
		r := &g.rules[i]
		if !r.takes(method) || !hasPrefix(folded, r.folded) {
			continue
		}
		if !hasPrefix(path, r.path) {
			return "", i + 1, &Denied{ReasonPathAmbiguous, "the path differs from that of rule " + strconv.Itoa(i+1) + " in case or form only"}
		}
		return r.allow, i + 1, nil
	}
	return Authenticated, 0, nil
}
