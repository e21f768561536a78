package host

import (
	"strconv"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/wasm/abi"
)

// settings translates c for an engine: one way for all of them. What is not
// set is left out, so that the rules' own defaults hold.
func (c *Config) settings(dialect query.Dialect, columns []query.Column, keys *signing.Keys) []abi.Setting {
	var s settingList
	s.text("version", c.DjangoVersion)
	s.text("dialect", dialect.String())

	s.text("session_engine", c.SessionEngine)
	s.text("session_serializer", c.SessionSerializer)
	s.text("default_hashing_algorithm", c.DefaultHashingAlgorithm)
	s.text("cache_format", c.CacheFormat)
	s.text("cache_key_prefix", c.CacheKeyPrefix)
	s.number("cache_version", int64(c.CacheVersion))
	s.text("cache_serializer", c.CacheSerializer)
	s.text("cache_compressor", c.CacheCompressor)
	s.text("session_cookie_name", c.SessionCookieName)
	s.text("session_cookie_domain", c.SessionCookieDomain)
	s.text("session_cookie_path", c.SessionCookiePath)
	s.flag("session_cookie_secure", c.SessionCookieSecure, "true")
	s.flag("session_cookie_httponly", c.SessionCookieNotHTTPOnly, "false")
	s.text("session_cookie_samesite", c.SessionCookieSameSite)
	s.number("session_cookie_age", int64(c.SessionCookieAge/time.Second))
	s.flag("session_expire_at_browser_close", c.SessionExpireAtBrowserClose, "true")
	s.flag("session_save_every_request", c.SessionSaveEveryRequest, "true")
	s.text("session_table", c.SessionTable)
	s.number("session_max_bytes", int64(c.SessionMaxBytes))
	if c.VerifiedBytes < 0 {
		s.add("verified_bytes", "0")
	} else {
		s.number("verified_bytes", int64(c.VerifiedBytes))
	}
	s.text("session_key_user_id", c.SessionKeyUserID)
	s.text("session_key_backend", c.SessionKeyBackend)
	s.text("session_key_hash", c.SessionKeyHash)

	s.list("authentication_backends", c.AuthenticationBackends)
	s.text("user_table", c.UserTable)
	s.text("user_pk", c.UserPK)
	s.text("username_field", c.UsernameField)
	s.text("email_field", c.EmailField)
	for _, column := range columns {
		s.add("user_column", column.Name+":"+kindNames[column.Kind])
	}

	t := &c.PermissionTables
	s.text("user_groups_table", t.UserGroups)
	s.text("user_permissions_table", t.UserPermissions)
	s.text("user_m2m_column", t.UserColumn)
	s.text("group_table", t.Group)
	s.text("group_permissions_table", t.GroupPermissions)
	s.text("permission_table", t.Permission)
	s.text("content_type_table", t.ContentType)

	s.list("password_validators", c.PasswordValidators)
	s.list("password_hashers", c.PasswordHashers)
	s.number("bcrypt_version", int64(c.BcryptVersion))
	s.number("pbkdf2_iterations", int64(c.PBKDF2Iterations))
	s.number("limit_pbkdf2_iterations", int64(c.Limits.PBKDF2Iterations))
	s.number("limit_argon2_memory", int64(c.Limits.Argon2Memory))
	s.number("limit_argon2_time", int64(c.Limits.Argon2Time))
	s.number("limit_argon2_parallelism", int64(c.Limits.Argon2Parallelism))
	s.number("limit_scrypt_memory", c.Limits.ScryptMemory)
	s.number("limit_scrypt_parallelism", int64(c.Limits.ScryptParallelism))
	s.number("limit_bcrypt_cost", int64(c.Limits.BcryptCost))
	s.number("limit_password_bytes", int64(c.Limits.PasswordBytes))

	s.list("public_origin", c.PublicOrigins)
	s.flag("loopback", c.Loopback, "true")
	s.text("header_user", c.HeaderUser)
	s.text("header_user_id", c.HeaderUserID)
	s.text("header_email", c.HeaderEmail)
	s.text("header_staff", c.HeaderStaff)
	s.text("header_superuser", c.HeaderSuperuser)

	s.text("csrf_cookie_name", c.CSRFCookieName)
	s.text("csrf_cookie_domain", c.CSRFCookieDomain)
	s.text("csrf_cookie_path", c.CSRFCookiePath)
	s.flag("csrf_cookie_secure", c.CSRFCookieSecure, "true")
	s.text("csrf_cookie_samesite", c.CSRFCookieSameSite)
	s.flag("csrf_use_sessions", c.CSRFUseSessions, "true")
	s.flag("csrf_cookie_masked", c.CSRFCookieMasked, "true")
	s.text("csrf_header_name", c.CSRFHeaderName)
	s.list("csrf_trusted_origins", c.CSRFTrustedOrigins)
	s.list("allowed_hosts", c.AllowedHosts)
	for _, r := range c.Rules {
		s.add("rule", r.String())
	}

	s.text("user_check", c.UserCheck)
	s.flag("writes_on_reads", c.WritesOnReads, "true")
	s.flag("rehash", c.DjangoVersion != "" || c.PasswordHashers != nil, "true")

	return append(s, KeySettings(*keys)...)
}

var kindNames = [...]string{
	query.KindNull:  "any",
	query.KindBool:  "bool",
	query.KindInt:   "int",
	query.KindFloat: "float",
	query.KindText:  "text",
	query.KindBytes: "bytes",
	query.KindTime:  "time",
	query.KindUUID:  "uuid",
}

type settingList []abi.Setting

func (s *settingList) add(name, value string) { *s = append(*s, abi.Setting{Name: name, Value: value}) }

func (s *settingList) text(name, value string) {
	if value != "" {
		s.add(name, value)
	}
}

func (s *settingList) number(name string, n int64) {
	if n != 0 {
		s.add(name, strconv.FormatInt(n, 10))
	}
}

func (s *settingList) flag(name string, set bool, value string) {
	if set {
		s.add(name, value)
	}
}

func (s *settingList) list(name string, values []string) {
	for _, value := range values {
		s.add(name, value)
	}
}

// KeySettings are the settings that hold keys, each name once for its current
// key and again for each fallback. They are for programs that configure an
// [Engine] themselves, and are secret.
func KeySettings(keys signing.Keys) []abi.Setting {
	var s settingList
	s.ring("key_session", keys.Session)
	s.ring("key_session_sha1", keys.SessionSHA1)
	s.ring("key_session_legacy", keys.SessionLegacy)
	s.ring("key_cookie", keys.Cookie)
	s.ring("key_cookie_sha1", keys.CookieSHA1)
	s.ring("key_auth_hash", keys.AuthHash)
	s.ring("key_auth_hash_sha1", keys.AuthHashSHA1)
	return s
}

func (s *settingList) ring(name string, ring signing.Ring) {
	if ring.Current.IsZero() {
		return // a fallback alone must not become the current key
	}
	s.add(name, ring.Current.Export())
	for _, fallback := range ring.Fallbacks {
		s.add(name, fallback.Export())
	}
}
