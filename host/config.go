package host

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
)

// Config is everything that a [Host] needs to know. DB and one of SecretKey
// and Keys are required; the zero value of every other field is Django's
// default, or a safe one. A field that copies a Django setting names it; an
// error of [New] names a field by its name in the configuration file, which is
// the Go name in snake case.
//
// A Config may hold the secret key: printing one prints nothing of it.
type Config struct {
	// DB answers the statements: postgres.Open or sqldb.OpenSQLite. It stays
	// the caller's to close. Only UserCheck can do without one.
	DB DB

	// Storage is the cache or the folder where SessionEngine keeps sessions:
	// redis.Open, memcached.Open or files.Open. It stays the caller's to close.
	Storage Storage

	// SecretKey is Django's SECRET_KEY. The keys that are needed are derived
	// from it at once, and it is forgotten. Leave it empty when Keys is set.
	SecretKey string `json:"-"`
	// SecretKeyFallbacks is Django's SECRET_KEY_FALLBACKS, newest first.
	SecretKeyFallbacks []string `json:"-"`
	// Keys are derived keys, made by [signing.DeriveKeys] or `djedge keys`
	// where SECRET_KEY is known, so that it need not be known here.
	Keys *signing.Keys `json:"-"`

	// Engine runs the rules; nil is [Native]. The Host takes it over.
	Engine Engine
	// KDF says who hashes passwords; the zero value is [KDFHost].
	KDF KDF

	// DjangoVersion is the site's Django release, such as "5.2"; "" reads
	// and writes as [version.Default] does, without re-hashing passwords:
	// that needs DjangoVersion or PasswordHashers, because with other
	// parameters than the site's the two would rewrite each other's hashes.
	DjangoVersion string

	// NotUseTZ is the opposite of USE_TZ. Then SQLite and MySQL hold times as
	// they are in TimeZone.
	NotUseTZ bool
	// TimeZone is TIME_ZONE, an IANA name, default "America/Chicago" (which is
	// Django's default, not that of its new projects).
	TimeZone string

	// SessionEngine is the last part of SESSION_ENGINE: "db" (default),
	// "cached_db", "cache", "file" or "signed_cookies".
	SessionEngine string
	// SessionSerializer is SESSION_SERIALIZER: "json" (default) or "pickle", which
	// Django had before 5.0. Of pickles only plain values, dates and times are
	// read; a session that has others is left alone, and nobody's.
	SessionSerializer string
	// DefaultHashingAlgorithm is DEFAULT_HASHING_ALGORITHM of Django 3.1 and 3.2:
	// "sha256" (default) or "sha1", for sites that also run older ones.
	DefaultHashingAlgorithm string
	// CacheFormat is how the BACKEND in CACHES writes values: "redis" (default;
	// django.core.cache.backends.redis.RedisCache), "django-redis"
	// (django_redis.cache.RedisCache) or "memcached" (PyMemcacheCache, and
	// reading what PyLibMCCache wrote).
	CacheFormat string
	// CacheKeyPrefix is KEY_PREFIX, default none.
	CacheKeyPrefix string
	// CacheVersion is VERSION, default 1.
	CacheVersion int
	// CacheSerializer is SERIALIZER of django-redis: "pickle" (default) or
	// "json".
	CacheSerializer string
	// CacheCompressor is COMPRESSOR of django-redis: none by default, or "zlib".
	CacheCompressor string

	// SessionCookieName is SESSION_COOKIE_NAME, default "sessionid".
	SessionCookieName string
	// SessionCookieDomain is SESSION_COOKIE_DOMAIN, default none.
	SessionCookieDomain string
	// SessionCookiePath is SESSION_COOKIE_PATH, default "/".
	SessionCookiePath string
	// SessionCookieSecure is SESSION_COOKIE_SECURE.
	SessionCookieSecure bool
	// SessionCookieNotHTTPOnly is the opposite of SESSION_COOKIE_HTTPONLY.
	SessionCookieNotHTTPOnly bool
	// SessionCookieSameSite is SESSION_COOKIE_SAMESITE: "Lax" (default),
	// "Strict", "None", or "-" for a cookie without the attribute.
	SessionCookieSameSite string
	// SessionCookieAge is SESSION_COOKIE_AGE in whole seconds, default two weeks.
	SessionCookieAge time.Duration
	// SessionExpireAtBrowserClose is SESSION_EXPIRE_AT_BROWSER_CLOSE.
	SessionExpireAtBrowserClose bool
	// SessionSaveEveryRequest is SESSION_SAVE_EVERY_REQUEST, of [Host.Middleware].
	SessionSaveEveryRequest bool
	// SessionSaltClass is the class name of the site's session store, which
	// is part of the salt; default "SessionStore". It is used with SecretKey
	// alone: derived keys have it in them.
	SessionSaltClass string
	// SessionTable is where sessions are kept, default "django_session".
	SessionTable string
	// SessionMaxBytes is the inflated size above which a session counts as
	// corrupt, default 1 MiB.
	SessionMaxBytes int
	// SessionKeyUserID, SessionKeyBackend and SessionKeyHash are the names
	// under which a session holds its user: django.contrib.auth's SESSION_KEY,
	// BACKEND_SESSION_KEY and HASH_SESSION_KEY.
	SessionKeyUserID, SessionKeyBackend, SessionKeyHash string

	// AuthenticationBackends is AUTHENTICATION_BACKENDS: a session whose
	// backend is not in it is anonymous. Default Django's ModelBackend. To log
	// in with a password needs ModelBackend or AllowAllUsersModelBackend among
	// them, and permissions one of Django's own. A custom backend's own rules
	// for passwords, refusals and permissions are not known here.
	AuthenticationBackends []string
	// UserTable is the table of AUTH_USER_MODEL, default "auth_user".
	UserTable string
	// UserPK is its primary key, default "id".
	UserPK string
	// UsernameField is the model's USERNAME_FIELD, default "username".
	UsernameField string
	// EmailField is the model's EMAIL_FIELD, default "email".
	EmailField string

	// PermissionTables are where permissions and groups are kept; by default
	// where Django keeps them for UserTable, with the user's column as it is
	// called in UserGroups.
	PermissionTables djuser.PermissionTables

	// Rules are what the requests under a path require, for [gate.ByRules].
	Rules []gate.Rule

	// PasswordValidators is AUTH_PASSWORD_VALIDATORS, for those who register or
	// change their password here: each a class of Django's four and its options,
	// such as "MinimumLengthValidator min_length=12"; see
	// [djuser.ParsePasswordValidator]. Default none, as Django's.
	PasswordValidators []string
	// PasswordHashers is PASSWORD_HASHERS, preferred first: dotted paths,
	// class names or algorithm names; nil is the version's default list.
	PasswordHashers []string
	// BcryptVersion is the major version of the site's bcrypt library, 3, 4
	// or 5 (default), which decides about long passwords.
	BcryptVersion int
	// PBKDF2Iterations replaces the version's default count for new hashes.
	PBKDF2Iterations uint32
	// Limits bounds the work that a stored hash may ask for.
	Limits password.Limits

	// PublicOrigins are the origins ("https://example.com") that a browser
	// may send unsafe requests from.
	PublicOrigins []string
	// Loopback is for a listener on a loopback address: the Host of unsafe
	// requests must be one, and then also counts as a public origin.
	Loopback bool
	// HeaderUser and the others name the identity headers, default
	// "Remote-User", "Remote-User-Id", "Remote-Email", "Remote-Staff" and
	// "Remote-Superuser".
	HeaderUser, HeaderUserID, HeaderEmail, HeaderStaff, HeaderSuperuser string

	// CSRFCookieName is CSRF_COOKIE_NAME, default "csrftoken".
	CSRFCookieName string
	// CSRFCookieDomain is CSRF_COOKIE_DOMAIN, default none.
	CSRFCookieDomain string
	// CSRFCookiePath is CSRF_COOKIE_PATH, default "/".
	CSRFCookiePath string
	// CSRFCookieSecure is CSRF_COOKIE_SECURE.
	CSRFCookieSecure bool
	// CSRFCookieSameSite is CSRF_COOKIE_SAMESITE, as SessionCookieSameSite.
	CSRFCookieSameSite string
	// CSRFUseSessions is CSRF_USE_SESSIONS: the token is kept in the session.
	CSRFUseSessions bool
	// CSRFCookieMasked is CSRF_COOKIE_MASKED of Django 4.1 and 4.2.
	CSRFCookieMasked bool
	// CSRFHeaderName is the header that CSRF_HEADER_NAME means, default
	// "X-CSRFToken".
	CSRFHeaderName string
	// CSRFTrustedOrigins is CSRF_TRUSTED_ORIGINS, for forms. PublicOrigins are
	// trusted besides.
	CSRFTrustedOrigins []string
	// AllowedHosts is ALLOWED_HOSTS, for forms: without it the Host of a
	// request says nothing about where a form came from.
	AllowedHosts []string

	// UserCheck "none" takes the word of a signed cookie for whose it is, without
	// any database: nothing but the user's id is known, requirements beyond
	// [gate.Authenticated] are errors, the reason of a decision is user_unchecked,
	// and a deleted or deactivated user and a changed password go unseen until the
	// cookie has expired. It needs SessionEngine "signed_cookies", and is used
	// without DB. Default "full".
	UserCheck string

	// WritesOnReads lets a check write what Django would write: the session's
	// new key after a hit on a fallback key, and the end of a session whose
	// hash fails. By default both are left to Django.
	// An engine that runs a module then gives each check an instance of its
	// own for as long as it takes, queries included: no more run at once than
	// module.Config.Instances, one per processor by default.
	WritesOnReads bool

	// HintEntries bounds the memory of which user a session belongs to, which
	// saves a round trip and decides nothing; default 10,000 (about 2 MB),
	// negative none.
	HintEntries int
	// VerifiedBytes bounds the memory, in bytes, of session data whose signature
	// was right, so that the same bytes are not verified, inflated and parsed
	// again. Whether a session exists, has expired and whose it is are asked every
	// time. Default 16 MiB, and 4 MiB in each instance of a module; negative none.
	VerifiedBytes int
	// MaxStaleness is the revocation window: for so long a check may take rows as
	// they were read before, so that a logout, a changed password, a deactivated
	// user or a withdrawn permission may go unseen when it happened elsewhere, such
	// as in Django. What is written here counts at once, and old rows keep nobody
	// out. Default 0: every check reads. At most one minute; not with WritesOnReads.
	MaxStaleness time.Duration
	// QueryTimeout is the deadline of one round trip, waiting for a
	// connection included; default 5 s.
	QueryTimeout time.Duration
	// HashConcurrency is how many threads hash passwords, default half of the
	// processors, at least 1. On Linux they yield to everything else that wants
	// the processor. Two PBKDF2-SHA256 share a thread for little more than the
	// price of one.
	HashConcurrency int
	// Hasher hashes instead of threads of this process, for example a
	// [hashing.Process]. It is closed with the host.
	Hasher Hasher
	// HashMemory bounds what they may use together in bytes, default 256 MiB.
	// A single hash within Limits always runs, alone if it is larger.
	HashMemory int64
	// HashQueueTimeout is how long a hashing waits for its turn before the
	// answer is 503 (busy); default 5 s.
	HashQueueTimeout time.Duration

	// Logger gets the errors of the database and of the engine; nil is
	// [slog.Default]. No secret, password, session key or user name is logged.
	Logger *slog.Logger
}

// KDF says who derives password hashes.
type KDF uint8

const (
	KDFHost   KDF = iota // natively, whatever the engine is
	KDFModule            // the rules themselves, inside the module when the engine is one
)

// Format prints that there is a Config, and nothing that is in it, for every
// verb: a Config may hold a secret.
func (Config) Format(f fmt.State, _ rune) { fmt.Fprint(f, "host.Config{…}") }

// LogValue is what [Config.Format] prints.
func (Config) LogValue() slog.Value { return slog.StringValue("host.Config{…}") }
