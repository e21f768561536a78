package djsession

import (
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/memo"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
)

const (
	defaultCookieAge    = 1209600 * time.Second // two weeks
	defaultMaxDataBytes = 1 << 20
	defaultVerified     = 16 << 20
	guestVerified       = 4 << 20                    // an instance of the module is to stay small
	maxCookieAge        = 100 * 365 * 24 * time.Hour // else dates leave Python's range
)

// New fills the defaults of set and checks the rest. An error names the
// setting, as the configuration spells it. Django before 4.1 has no
// SECRET_KEY_FALLBACKS: for these versions every fallback key is dropped.
func New(set Settings) (*Store, error) {
	set.Version = set.Version.Or(version.Default)
	setDefault(&set.CookieName, "sessionid")
	setDefault(&set.CookiePath, "/")
	setDefault(&set.CookieSameSite, "Lax")
	setDefault(&set.CookieAge, defaultCookieAge)
	setDefault(&set.Table, "django_session")
	setDefault(&set.Engine, EngineDB)
	setDefault(&set.Serializer, SerializerJSON)
	setDefault(&set.Cache.Format, CacheRedis)
	setDefault(&set.Cache.Version, 1)
	setDefault(&set.Cache.Serializer, "pickle")
	setDefault(&set.MaxDataBytes, defaultMaxDataBytes)
	if runtime.GOARCH == "wasm" {
		setDefault(&set.VerifiedBytes, guestVerified)
	}
	setDefault(&set.VerifiedBytes, defaultVerified)
	if err := check(&set); err != nil {
		return nil, errorf.Errorf("session settings: %w", err)
	}
	if !set.Version.AtLeast(4, 1) {
		dropFallbacks(&set.Keys)
	}
	s := &Store{set: set, verified: memo.New[*known](set.VerifiedBytes)}
	s.prepare()
	s.engine = s.newEngine()
	return s, nil
}

func dropFallbacks(k *signing.Keys) {
	for _, ring := range []*signing.Ring{&k.Session, &k.SessionSHA1, &k.SessionLegacy, &k.Cookie, &k.CookieSHA1, &k.AuthHash, &k.AuthHashSHA1} {
		ring.Fallbacks = nil
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func check(set *Settings) error {
	current, name := currentKey(set)
	switch {
	case !slices.Contains(version.Supported, set.Version):
		return errorf.Errorf("version: django %v is not supported", set.Version)
	case set.Dialect > query.MySQL:
		return errorf.Errorf("dialect: %v is unknown", set.Dialect)
	case !slices.Contains([]Engine{EngineDB, EngineCachedDB, EngineCache, EngineFile, EngineSignedCookies}, set.Engine):
		return errorf.Errorf("session_engine: %q is not db, cached_db, cache, file or signed_cookies", string(set.Engine))
	case set.Serializer != SerializerJSON && set.Serializer != SerializerPickle:
		return errorf.Errorf("session_serializer: %q is not json or pickle", string(set.Serializer))
	case set.Serializer == SerializerPickle && set.Version.AtLeast(5, 0):
		return errorf.Errorf("session_serializer: django %v has no PickleSerializer", set.Version)
	case set.DefaultHashingAlgorithm != signing.SHA256 && set.DefaultHashingAlgorithm != signing.SHA1:
		return errorf.Errorf("default_hashing_algorithm: %v is not sha256 or sha1", set.DefaultHashingAlgorithm)
	case set.DefaultHashingAlgorithm == signing.SHA1 && (!set.Version.AtLeast(3, 1) || set.Version.AtLeast(4, 0)):
		return errorf.Errorf("default_hashing_algorithm: sha1 is a setting of django 3.1 and 3.2, not of %v", set.Version)
	case name != "" && current.IsZero():
		return errorf.Errorf("%s: django %v needs this key", name, set.Version)
	case !IsToken(set.CookieName):
		return errorf.Errorf("session_cookie_name: %q is not a cookie name", set.CookieName)
	case !isAttribute(set.CookieDomain):
		return errorf.Errorf("session_cookie_domain: %q has characters that a cookie attribute cannot hold", set.CookieDomain)
	case !isAttribute(set.CookiePath):
		return errorf.Errorf("session_cookie_path: %q has characters that a cookie attribute cannot hold", set.CookiePath)
	case !slices.Contains([]string{"lax", "strict", "none", "-"}, strings.ToLower(set.CookieSameSite)):
		return errorf.Errorf("session_cookie_samesite: %q is not Lax, Strict, None or -", set.CookieSameSite)
	case set.CookieAge < time.Second || set.CookieAge > maxCookieAge || set.CookieAge%time.Second != 0:
		return errorf.Errorf("session_cookie_age: %v is not a number of whole seconds between 1 s and 100 years", set.CookieAge)
	case set.MaxDataBytes < 2: // an empty session is {}
		return errorf.Errorf("session_max_bytes: %d is too small", set.MaxDataBytes)
	}
	if err := query.CheckIdentifier(set.Table); err != nil {
		return errorf.Errorf("session_table: %w", err)
	}
	return checkCache(&set.Cache)
}

// currentKey is the key that the engine signs with, and its name; a cache needs
// none.
func currentKey(set *Settings) (key signing.Key, name string) {
	legacy := !set.Version.AtLeast(3, 1) || set.DefaultHashingAlgorithm == signing.SHA1
	switch {
	case set.Engine == EngineCache:
		return key, ""
	case set.Engine == EngineSignedCookies && legacy:
		return set.Keys.CookieSHA1.Current, "key_cookie_sha1"
	case set.Engine == EngineSignedCookies:
		return set.Keys.Cookie.Current, "key_cookie"
	case legacy:
		return set.Keys.SessionLegacy.Current, "key_session_legacy"
	}
	return set.Keys.Session.Current, "key_session"
}

func checkCache(c *Cache) error {
	prefix := cacheCodec{cache: *c}
	_, fits := prefix.key(c.KeyPrefix + "::" + cachedDBPrefix + strings.Repeat("0", keyLength+20))
	djangoRedis := c.Format == CacheDjangoRedis
	switch {
	case !djangoRedis && c.Format != CacheRedis && c.Format != CacheMemcached:
		return errorf.Errorf("cache_format: %q is not redis, django-redis or memcached", string(c.Format))
	case !utf8.ValidString(c.KeyPrefix) || !fits:
		return errorf.Errorf("cache_key_prefix: keys of %s cannot begin with it", c.Format)
	case c.Version < 0:
		return errorf.Errorf("cache_version: %d is negative", c.Version)
	case c.Serializer != "pickle" && !(c.Serializer == "json" && djangoRedis):
		return errorf.Errorf("cache_serializer: %q is not pickle or, of django-redis, json", c.Serializer)
	case c.Compressor != "" && !(c.Compressor == "zlib" && djangoRedis):
		return errorf.Errorf("cache_compressor: %q is not zlib, of django-redis", c.Compressor)
	}
	return nil
}
