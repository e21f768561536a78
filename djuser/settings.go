package djuser

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/memo"
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
	Keys    signing.Keys      // the AuthHash rings are used
	Hashers *password.Hashers // nil: the version's default hashers
	// The user model: its table "auth_user", primary key "id", USERNAME_FIELD
	// "username" and EMAIL_FIELD "email".
	Table, PK, UsernameField, EmailField string
	// Columns of the table, in any order; nil is Django's own auth_user. The
	// primary key, the username and "password" must be among them. Without
	// is_active everyone is active, as in Django; without is_staff and
	// is_superuser nobody is either; without last_login none is written.
	Columns []query.Column
	// Permissions names the tables of permissions and groups. A user table
	// without is_superuser has none of them.
	Permissions PermissionTables
	// Backends is AUTHENTICATION_BACKENDS, by default ModelBackend alone.
	// Sessions of other backends have no user. A custom backend is taken to
	// find a session's user as ModelBackend does, but what it makes of a
	// password or of permissions is not known here: to log in with a password
	// needs ModelBackend or AllowAllUsersModelBackend among them, and to have
	// permissions one of Django's own. A custom backend before it that would
	// refuse a login (PermissionDenied) is not asked: a site with such a
	// backend leaves logins to Django.
	Backends    []string
	SessionKeys SessionKeys
	// CSRF_COOKIE_NAME "csrftoken", _DOMAIN none, _PATH "/", and _SAMESITE
	// "Lax" ("Strict", "None", or "-" for no attribute).
	CSRFCookieName, CSRFCookieDomain, CSRFCookiePath, CSRFCookieSameSite string
	CSRFCookieSecure                                                     bool // CSRF_COOKIE_SECURE
	// CSRFUseSessions is CSRF_USE_SESSIONS: the token lives in the session.
	CSRFUseSessions bool
	// CSRFCookieMasked is CSRF_COOKIE_MASKED of Django 4.1 and 4.2.
	CSRFCookieMasked bool
	// WritesOnReads writes where Django's get_user writes: it moves a session
	// that a fallback key verified to a new key with the current hash, and
	// flushes one whose hash fails. Otherwise both are left to Django.
	WritesOnReads bool
	// Unchecked takes a session's word for its user: no row is read, and nothing
	// but the primary key is known. A deleted or deactivated user and a changed
	// password go unseen until the session ends. It is for sessions in signed
	// cookies, where there is no database.
	Unchecked bool
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
	columns  columns
	sql      statements
	backend  string             // of logins made here
	grants   bool               // a backend is configured that grants by the tables of permissions
	hashes   *memo.Memo[string] // session auth hashes of password columns, by the current key
}

// New checks the settings and builds the statements. Sessions are kept in
// store. An error names the setting that is wrong.
func New(s Settings, store *djsession.Store) (*Users, error) {
	if store == nil {
		return nil, errors.New("users need a session store")
	}
	s.Version = s.Version.Or(version.Default)
	s.Table = cmp.Or(s.Table, "auth_user")
	s.PK = cmp.Or(s.PK, "id")
	s.UsernameField = cmp.Or(s.UsernameField, "username")
	s.EmailField = cmp.Or(s.EmailField, "email")
	s.Permissions.fill(s.Table)
	s.SessionKeys.UserID = cmp.Or(s.SessionKeys.UserID, "_auth_user_id")
	s.SessionKeys.Backend = cmp.Or(s.SessionKeys.Backend, "_auth_user_backend")
	s.SessionKeys.Hash = cmp.Or(s.SessionKeys.Hash, "_auth_user_hash")
	s.CSRFCookieName = cmp.Or(s.CSRFCookieName, "csrftoken")
	s.CSRFCookiePath = cmp.Or(s.CSRFCookiePath, "/")
	s.CSRFCookieSameSite = cmp.Or(s.CSRFCookieSameSite, "Lax")
	if s.Backends == nil {
		s.Backends = []string{ModelBackend}
	}
	if s.Hashers == nil {
		h, err := password.New(password.Config{Version: s.Version})
		if err != nil {
			return nil, err
		}
		s.Hashers = h
	}
	if err := s.check(store.Settings().CookieName); err != nil {
		return nil, err
	}
	u := &Users{settings: s, store: store, backend: loginBackend(s.Backends), grants: slices.ContainsFunc(s.Backends, grantsPermissions)}
	if s.Unchecked && store.Engine() != djsession.EngineSignedCookies {
		return nil, errors.New("user_check: none is for session_engine = signed_cookies alone")
	}
	if !s.Unchecked && u.authKey().IsZero() { // else every session would look stale
		name := "key_auth_hash"
		if !s.Version.AtLeast(3, 1) || store.Settings().DefaultHashingAlgorithm == signing.SHA1 {
			name = "key_auth_hash_sha1"
		}
		return nil, errorf.Errorf("%s: django %v needs this key", name, s.Version)
	}
	var err error
	if u.columns, err = arrange(&s); err != nil {
		return nil, err
	}
	u.sql = u.build()
	// A hash with its column is a fraction of a session.
	u.hashes = memo.New[string](store.Settings().VerifiedBytes / 4)
	return u, nil
}

func (s *Settings) check(sessionCookie string) error {
	if s.Dialect > query.MySQL {
		return errorf.Errorf("dialect: %v is unknown", s.Dialect)
	}
	if err := query.CheckIdentifier(s.Table); err != nil {
		return errorf.Errorf("user_table: %w", err)
	}
	if err := s.Permissions.check(); err != nil {
		return err
	}
	keys := []string{s.SessionKeys.UserID, s.SessionKeys.Backend, s.SessionKeys.Hash, csrfSessionKey}
	slices.Sort(keys)
	if len(slices.Compact(keys)) != 4 {
		return errors.New("session_key_user_id, session_key_backend and session_key_hash must differ")
	}
	switch {
	case !djsession.IsToken(s.CSRFCookieName):
		return errorf.Errorf("csrf_cookie_name %q is not a cookie name", s.CSRFCookieName)
	case s.CSRFCookieName == sessionCookie:
		return errorf.Errorf("csrf_cookie_name %q is the session cookie's name too", s.CSRFCookieName)
	}
	for _, c := range []struct{ setting, value string }{
		{"csrf_cookie_domain", s.CSRFCookieDomain},
		{"csrf_cookie_path", s.CSRFCookiePath},
	} {
		bad := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ';' || r == ',' || r == '"' }
		if strings.IndexFunc(c.value, bad) >= 0 {
			return errorf.Errorf("%s %q cannot be part of a cookie", c.setting, c.value)
		}
	}
	switch strings.ToLower(s.CSRFCookieSameSite) {
	case "lax", "strict", "none", "-":
		return nil
	}
	return errorf.Errorf("csrf_cookie_samesite %q is not Lax, Strict, None or -", s.CSRFCookieSameSite)
}
