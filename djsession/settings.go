package djsession

import (
	"errors"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
)

var (
	// ErrNoRandomness: the host gave no randomness, so nothing secret can be made.
	ErrNoRandomness = errors.New("no randomness from the host")
	// ErrUpdate is Django's UpdateError: the session was deleted meanwhile
	// (a logout elsewhere must win), so it was not saved.
	ErrUpdate = errors.New("the session was deleted before it could be saved")
	// ErrUnread: what is stored is beyond the limits of this package, though
	// Django may well read it; so it is never written over. The error around
	// it says what.
	ErrUnread = errors.New("the stored session cannot be read here, and is left alone")
	// ErrStorage: the cache or the files did not answer.
	ErrStorage = errors.New("the session storage did not answer")
	// ErrCookieSize: a session of the engine "signed_cookies" is larger than
	// the cookies that browsers keep (RFC 6265bis section 5.6: 4096 bytes).
	ErrCookieSize = errors.New("the session is too large for a cookie")
)

// Engine says where sessions are kept: the last part of SESSION_ENGINE.
type Engine string

// Django's engines.
const (
	EngineDB            Engine = "db"             // in a table
	EngineCachedDB      Engine = "cached_db"      // in a table, and read from a cache
	EngineCache         Engine = "cache"          // in a cache
	EngineFile          Engine = "file"           // in a folder
	EngineSignedCookies Engine = "signed_cookies" // in the cookie
)

// InTable reports whether the engine keeps sessions in a table.
func (e Engine) InTable() bool { return e == EngineDB || e == EngineCachedDB || e == "" }

// UsesStorage reports whether the engine needs [Effects].Storage.
func (e Engine) UsesStorage() bool {
	return e == EngineCachedDB || e == EngineCache || e == EngineFile
}

// Settings are Django's SESSION_* settings. Zero values are Django's defaults.
type Settings struct {
	Version    version.Version // default [version.Default]
	Dialect    query.Dialect
	Keys       signing.Keys // before Django 4.1 without fallbacks: see [New]
	Engine     Engine       // SESSION_ENGINE, [EngineDB]
	Serializer Serializer   // SESSION_SERIALIZER, [SerializerJSON]
	// DefaultHashingAlgorithm is DEFAULT_HASHING_ALGORITHM of Django 3.1 and 3.2.
	// With [signing.SHA1] they write what older ones read, and read nothing else.
	DefaultHashingAlgorithm signing.Algorithm
	Cache                   Cache         // of the engines that use one
	CookieName              string        // SESSION_COOKIE_NAME, "sessionid"
	CookieDomain            string        // SESSION_COOKIE_DOMAIN, none
	CookiePath              string        // SESSION_COOKIE_PATH, "/"
	CookieSecure            bool          // SESSION_COOKIE_SECURE
	CookieNotHTTPOnly       bool          // the opposite of SESSION_COOKIE_HTTPONLY
	CookieSameSite          string        // SESSION_COOKIE_SAMESITE: "Lax" (default), "Strict", "None", or "-" for no attribute
	CookieAge               time.Duration // SESSION_COOKIE_AGE, 1,209,600 s; whole seconds
	ExpireAtBrowserClose    bool          // SESSION_EXPIRE_AT_BROWSER_CLOSE
	SaveEveryRequest        bool          // SESSION_SAVE_EVERY_REQUEST, of [Store.AtResponse]
	Table                   string        // "django_session"
	MaxDataBytes            int           // inflated size above which a session is corrupt, 1 MiB; 64 KiB at most in cookies
	// VerifiedBytes bounds the memory of stored data whose signature was right,
	// in bytes: the same bytes are not verified and inflated again. Default 16
	// MiB, and 4 MiB in WebAssembly; negative none. Whether a session exists and
	// has not expired is asked every time.
	VerifiedBytes int
	// Zone is TIME_ZONE of a site with USE_TZ = False, which keeps times as
	// they are on its clock; nil is USE_TZ = True.
	Zone *time.Location
}

// Serializer says how a session becomes bytes, where it is signed. (What a
// cache does is [Cache].Serializer.)
type Serializer string

// Django's serializers.
const (
	SerializerJSON Serializer = "json" // django.contrib.sessions.serializers.JSONSerializer
	// SerializerPickle is PickleSerializer, which Django had before 5.0. Only
	// values that package pickle knows are read; a session with any other is
	// [ErrUnread].
	SerializerPickle Serializer = "pickle"
)

// Cache is how Django's CACHES writes sessions.
type Cache struct {
	Format     CacheFormat // [CacheRedis]
	KeyPrefix  string      // KEY_PREFIX, ""
	Version    int         // VERSION, 1
	Serializer string      // of django-redis: "pickle" (default) or "json"
	Compressor string      // of django-redis: "" (default) or "zlib"
}

// CacheFormat is the cache backend whose values are read and written.
type CacheFormat string

// The cache backends.
const (
	CacheRedis       CacheFormat = "redis"        // django.core.cache.backends.redis.RedisCache
	CacheDjangoRedis CacheFormat = "django-redis" // django_redis.cache.RedisCache
	CacheMemcached   CacheFormat = "memcached"    // PyMemcacheCache; what PyLibMCCache wrote is read, too
)
