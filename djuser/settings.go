package djuser

import (
	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser/password"
)

// Settings are Django's AUTH_* settings and the shape of the user table. Zero
// values are Django's defaults.
type Settings struct {
	Version version.Version // default [version.Default]
	Dialect query.Dialect
	Keys    signing.Keys // the AuthHash rings are used
	Hashers *password.Hashers
	// The user model: its table "auth_user", primary key "id", USERNAME_FIELD
	// "username" and EMAIL_FIELD "email".
	Table, PK, UsernameField, EmailField string
	// Columns of the table, in any order; nil is Django's own auth_user.
	Columns []query.Column
	// Backends is AUTHENTICATION_BACKENDS, by default ModelBackend alone.
	Backends    []string
	SessionKeys SessionKeys
	// CSRF_COOKIE_NAME "csrftoken", _DOMAIN none, _PATH "/", _SECURE and
	// _SAMESITE "Lax" (or "Strict", "None", or "-" for no attribute).
	CSRFCookieName, CSRFCookieDomain, CSRFCookiePath, CSRFCookieSameSite string
	CSRFCookieSecure                                                     bool
	// CSRFUseSessions is CSRF_USE_SESSIONS: the token lives in the session.
	CSRFUseSessions bool
	// WritesOnReads writes where Django's get_user writes: it moves a session
	// that a fallback key verified to a new key with the current hash, and
	// flushes one whose hash fails. Otherwise both are left to Django.
	WritesOnReads bool
	// Rehash upgrades an outdated hash after a successful login. It must only
	// be set when Hashers are known to be the site's: two sides with other
	// parameters would rewrite each other's hashes, and each rewrite ends the
	// user's other sessions.
	Rehash bool
}

// SessionKeys are the names under which a login is kept in the session.
type SessionKeys struct {
	UserID  string // SESSION_KEY, "_auth_user_id"
	Backend string // BACKEND_SESSION_KEY, "_auth_user_backend"
	Hash    string // HASH_SESSION_KEY, "_auth_user_hash"
}

// Users are the rules of Django's users over one table. It is safe for
// concurrent use.
type Users struct {
	settings Settings
	store    *djsession.Store
}

// New checks the settings and builds the statements. An error names the
// setting that is wrong.
func New(s Settings, store *djsession.Store) (*Users, error) { return &Users{s, store}, nil }
