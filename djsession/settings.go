package djsession

import (
	"errors"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
)

// ErrNoRandomness: the host gave no randomness, so nothing secret can be made.
var ErrNoRandomness = errors.New("no randomness from the host")

// ErrUpdate is Django's UpdateError: the session was deleted meanwhile
// (a logout elsewhere must win), so it was not saved.
var ErrUpdate = errors.New("the session was deleted before it could be saved")

// Settings are Django's SESSION_* settings. Zero values are Django's defaults.
type Settings struct {
	Version              version.Version // default [version.Default]
	Dialect              query.Dialect
	Keys                 signing.Keys
	CookieName           string        // SESSION_COOKIE_NAME, "sessionid"
	CookieDomain         string        // SESSION_COOKIE_DOMAIN, none
	CookiePath           string        // SESSION_COOKIE_PATH, "/"
	CookieSecure         bool          // SESSION_COOKIE_SECURE
	CookieNotHTTPOnly    bool          // the opposite of SESSION_COOKIE_HTTPONLY
	CookieSameSite       string        // SESSION_COOKIE_SAMESITE: "Lax" (default), "Strict", "None", or "-" for no attribute
	CookieAge            time.Duration // SESSION_COOKIE_AGE, 1,209,600 s; whole seconds
	ExpireAtBrowserClose bool          // SESSION_EXPIRE_AT_BROWSER_CLOSE
	Table                string        // "django_session"
	MaxDataBytes         int           // inflated size above which a session is corrupt, 1 MiB
}
