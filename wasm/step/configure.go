package step

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/abi"
)

// SettingError says which setting was refused and why. It never repeats the
// value of a key.
type SettingError struct {
	Name    string
	Problem string
}

func (e *SettingError) Error() string { return "setting " + e.Name + ": " + e.Problem }

// Configure reads a site's settings; docs/abi.md lists their names. What is
// not given is Django's default. A name that is unknown, or given twice though
// it holds one value, is a [*SettingError], as is a value that cannot be read;
// every other error names its setting too.
func Configure(settings []abi.Setting) (*Rules, error) {
	var c config
	seen := make(map[string]bool, len(settings))
	for _, s := range settings {
		if seen[s.Name] && !isList(s.Name) {
			return nil, &SettingError{s.Name, "is given twice"}
		}
		seen[s.Name] = true
		if err := c.set(s.Name, s.Value); err != nil {
			return nil, &SettingError{s.Name, err.Error()}
		}
	}
	return c.build()
}

// build makes the rules. Settings that several packages need are copied here.
func (c *config) build() (*Rules, error) {
	c.hash.Version = c.session.Version
	c.user.Version, c.user.Dialect, c.user.Keys = c.session.Version, c.session.Dialect, c.session.Keys
	c.gate.CookieName = c.session.CookieName
	csrf := &c.gate.CSRF
	csrf.Version, csrf.CookieName = c.session.Version, c.user.CSRFCookieName
	csrf.UseSessions, csrf.CookieMasked, csrf.CookieDomain = c.user.CSRFUseSessions, c.user.CSRFCookieMasked, c.user.CSRFCookieDomain
	if csrf.UseSessions {
		csrf.CookieDomain = c.session.CookieDomain
	}
	if c.naive {
		if c.zone == nil {
			return nil, &SettingError{"time_zone", "is needed with use_tz = false"}
		}
		c.session.Zone = c.zone
	}

	if c.user.Unchecked {
		for i, rule := range c.gate.Rules {
			if !knownUnchecked(rule.Allow) {
				return nil, errorf.Errorf("rule %d (%s): with user_check = none nothing is known of a user but the id, so %s cannot be asked for", i+1, rule.Path, string(rule.Allow))
			}
		}
	}
	r := &Rules{csrfInSession: c.user.CSRFUseSessions, unchecked: c.user.Unchecked, maxPassword: cmp.Or(c.hash.Limits.PasswordBytes, 4096)}
	var err error
	if r.validators, err = djuser.NewPasswordValidators(c.validators...); err != nil {
		return nil, err
	}
	if r.sessions, err = djsession.New(c.session); err != nil {
		return nil, err
	}
	if r.hashers, err = password.New(c.hash); err != nil {
		return nil, err
	}
	c.user.Hashers = r.hashers
	if r.users, err = djuser.New(c.user, r.sessions); err != nil {
		return nil, err
	}
	if r.gate, err = gate.New(c.gate); err != nil {
		return nil, err
	}
	if c.shorthand && (c.session.Zone == nil || c.session.Dialect == query.PostgreSQL) {
		// Else the host's times are not the module's.
		r.shorthand = &abi.Shorthand{Names: r.gate.IdentityNames(), RemoveHeaders: r.gate.Fail(gate.ReasonInternal, "").RemoveHeaders}
		s, p := r.shorthand, r.users.IdentityPlaces()
		s.ID, s.Name, s.Email, s.Active, s.Staff, s.Superuser = p[0]+1, p[1]+1, p[2]+1, p[3]+1, p[4]+1, p[5]+1
	}
	statements := append(r.sessions.Statements(), r.users.Statements()...)
	if r.table, err = abi.NewTable(statements); err != nil {
		return nil, err
	}
	r.table.Repeat(r.gate.Fail(gate.ReasonInternal, "").RemoveHeaders)
	return r, nil
}

// knownUnchecked reports whether a requirement can be decided without a row.
func knownUnchecked(r gate.Requirement) bool { return r == gate.Anyone || r == gate.Authenticated }

// setNumber reads a decimal number from 1 to most. A setting that is given
// means what it says: 0, like the empty text, would silently be the default.
func setNumber[T int | int64 | uint32](to *T, value string, most uint64) error {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || n < 1 || n > most {
		return problem("is not a whole number from 1 to " + strconv.FormatUint(most, 10))
	}
	*to = T(n)
	return nil
}

// setNumberOrNone is setNumber of what 0 turns off.
func setNumberOrNone(to *int, value string) error {
	if value == "0" {
		*to = 0
		return nil
	}
	return setNumber(to, value, 1<<31-1)
}

func setInt(to *int, value string) error       { return setNumber(to, value, 1<<31-1) }
func setUint32(to *uint32, value string) error { return setNumber(to, value, 1<<32-1) }

func setText(to *string, value string) error {
	if value == "" {
		return problem("is empty")
	}
	*to = value
	return nil
}

// setColumn takes one name without a schema.
func setColumn(to *string, value string) error {
	if strings.Contains(value, ".") {
		return problem("is not a column name")
	}
	*to = value
	return query.CheckIdentifier(value)
}

func setBool(to *bool, value string) error {
	switch value {
	case "true":
		*to = true
	case "false":
		*to = false
	default:
		return problem("is neither true nor false")
	}
	return nil
}

// setNot is for a field that says the opposite of its setting.
func setNot(to *bool, value string) error {
	err := setBool(to, value)
	*to = !*to && err == nil
	return err
}

func addText(to *[]string, value string) error {
	if value == "" {
		return problem("holds an empty entry")
	}
	*to = append(*to, value)
	return nil
}

type problem string

func (p problem) Error() string { return string(p) }
