package djsession

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/version"
)

const (
	defaultCookieAge    = 1209600 * time.Second // two weeks
	defaultMaxDataBytes = 1 << 20
	maxCookieAge        = 100 * 365 * 24 * time.Hour // else dates leave Python's range
)

// New fills the defaults of set and checks the rest. An error names the
// setting, as the configuration spells it.
func New(set Settings) (*Store, error) {
	set.Version = set.Version.Or(version.Default)
	setDefault(&set.CookieName, "sessionid")
	setDefault(&set.CookiePath, "/")
	setDefault(&set.CookieSameSite, "Lax")
	setDefault(&set.CookieAge, defaultCookieAge)
	setDefault(&set.Table, "django_session")
	setDefault(&set.MaxDataBytes, defaultMaxDataBytes)
	if err := check(&set); err != nil {
		return nil, fmt.Errorf("session settings: %w", err)
	}
	s := &Store{set: set}
	s.prepare()
	return s, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func check(set *Settings) error {
	current, name := set.Keys.Session.Current, "key_session"
	if !set.Version.AtLeast(3, 1) {
		current, name = set.Keys.SessionLegacy.Current, "key_session_legacy"
	}
	switch {
	case !slices.Contains(version.Supported, set.Version):
		return fmt.Errorf("version: django %v is not supported", set.Version)
	case set.Dialect > query.MySQL:
		return fmt.Errorf("dialect: %v is unknown", set.Dialect)
	case current.IsZero():
		return fmt.Errorf("%s: django %v needs this key", name, set.Version)
	case !IsToken(set.CookieName):
		return fmt.Errorf("session_cookie_name: %q is not a cookie name", set.CookieName)
	case !isAttribute(set.CookieDomain):
		return fmt.Errorf("session_cookie_domain: %q has characters that a cookie attribute cannot hold", set.CookieDomain)
	case !isAttribute(set.CookiePath):
		return fmt.Errorf("session_cookie_path: %q has characters that a cookie attribute cannot hold", set.CookiePath)
	case !slices.Contains([]string{"lax", "strict", "none", "-"}, strings.ToLower(set.CookieSameSite)):
		return fmt.Errorf("session_cookie_samesite: %q is not Lax, Strict, None or -", set.CookieSameSite)
	case set.CookieAge < time.Second || set.CookieAge > maxCookieAge || set.CookieAge%time.Second != 0:
		return fmt.Errorf("session_cookie_age: %v is not a number of whole seconds between 1 s and 100 years", set.CookieAge)
	case set.MaxDataBytes < 2: // an empty session is {}
		return fmt.Errorf("session_max_bytes: %d is too small", set.MaxDataBytes)
	}
	if err := query.CheckIdentifier(set.Table); err != nil {
		return fmt.Errorf("session_table: %w", err)
	}
	return nil
}
