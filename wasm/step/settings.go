package step

import (
	"strings"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
)

// config collects what the settings say, by the package that wants it.
type config struct {
	session djsession.Settings
	user    djuser.Settings
	hash    password.Config
	gate    gate.Settings

	validators []djuser.PasswordValidator

	shorthand bool

	naive bool           // the opposite of USE_TZ
	zone  *time.Location // TIME_ZONE
}

// isList reports whether a setting may be given more than once.
func isList(name string) bool {
	switch name {
	case "authentication_backends", "user_column", "password_hashers", "public_origin",
		"rule", "password_validators", "csrf_trusted_origins", "allowed_hosts":
		return true
	}
	return strings.HasPrefix(name, "key_")
}

// set reads one setting. Names are those of the configuration file.
func (c *config) set(name, value string) (err error) {
	s, u, h, g := &c.session, &c.user, &c.hash, &c.gate
	switch name {
	case "version":
		s.Version, err = version.Parse(value)
	case "dialect":
		s.Dialect, err = query.ParseDialect(value)

	case "use_tz":
		err = setNot(&c.naive, value)
	case "time_zone":
		c.zone, err = djsession.ParseZone("the site's", value)

	case "session_engine":
		err = setText((*string)(&s.Engine), value)
	case "session_serializer":
		err = setText((*string)(&s.Serializer), value)
	case "default_hashing_algorithm":
		s.DefaultHashingAlgorithm, err = signing.ParseAlgorithm(value)
	case "cache_format":
		err = setText((*string)(&s.Cache.Format), value)
	case "cache_key_prefix":
		s.Cache.KeyPrefix = value // empty: none
	case "cache_version":
		err = setInt(&s.Cache.Version, value)
	case "cache_serializer":
		err = setText(&s.Cache.Serializer, value)
	case "cache_compressor":
		s.Cache.Compressor = value

	case "session_cookie_name":
		err = setText(&s.CookieName, value)
	case "session_cookie_domain":
		s.CookieDomain = value // empty: none
	case "session_cookie_path":
		err = setText(&s.CookiePath, value)
	case "session_cookie_secure":
		err = setBool(&s.CookieSecure, value)
	case "session_cookie_httponly":
		err = setNot(&s.CookieNotHTTPOnly, value)
	case "session_cookie_samesite":
		err = setText(&s.CookieSameSite, value)
	case "session_cookie_age":
		var seconds int
		err = setInt(&seconds, value)
		s.CookieAge = time.Duration(seconds) * time.Second
	case "session_expire_at_browser_close":
		err = setBool(&s.ExpireAtBrowserClose, value)
	case "session_save_every_request":
		err = setBool(&s.SaveEveryRequest, value)
	case "session_salt_class":
		// It is part of the derived keys already.
	case "session_table":
		err = setText(&s.Table, value)
	case "session_max_bytes":
		err = setInt(&s.MaxDataBytes, value)
	case "verified_bytes":
		if err = setNumberOrNone(&s.VerifiedBytes, value); s.VerifiedBytes == 0 {
			s.VerifiedBytes = -1
		}
	case "session_key_user_id":
		err = setText(&u.SessionKeys.UserID, value)
	case "session_key_backend":
		err = setText(&u.SessionKeys.Backend, value)
	case "session_key_hash":
		err = setText(&u.SessionKeys.Hash, value)

	case "authentication_backends":
		err = addText(&u.Backends, value)
	case "user_table":
		err = setText(&u.Table, value)
	case "user_pk":
		err = setColumn(&u.PK, value)
	case "username_field":
		err = setColumn(&u.UsernameField, value)
	case "email_field":
		err = setColumn(&u.EmailField, value)
	case "user_column":
		err = addColumn(&u.Columns, value)
	case "user_groups_table":
		err = setText(&u.Permissions.UserGroups, value)
	case "user_permissions_table":
		err = setText(&u.Permissions.UserPermissions, value)
	case "user_m2m_column":
		err = setColumn(&u.Permissions.UserColumn, value)
	case "group_table":
		err = setText(&u.Permissions.Group, value)
	case "group_permissions_table":
		err = setText(&u.Permissions.GroupPermissions, value)
	case "permission_table":
		err = setText(&u.Permissions.Permission, value)
	case "content_type_table":
		err = setText(&u.Permissions.ContentType, value)

	case "password_validators":
		err = addValidator(&c.validators, value)
	case "password_hashers":
		err = addText(&h.Hashers, value)
	case "bcrypt_version":
		err = setInt(&h.Bcrypt, value)
	case "pbkdf2_iterations":
		err = setUint32(&h.PBKDF2Iterations, value)
	case "limit_pbkdf2_iterations":
		err = setUint32(&h.Limits.PBKDF2Iterations, value)
	case "limit_argon2_memory":
		err = setUint32(&h.Limits.Argon2Memory, value)
	case "limit_argon2_time":
		err = setUint32(&h.Limits.Argon2Time, value)
	case "limit_argon2_parallelism":
		err = setUint32(&h.Limits.Argon2Parallelism, value)
	case "limit_scrypt_memory":
		err = setNumber(&h.Limits.ScryptMemory, value, 1<<40)
	case "limit_scrypt_parallelism":
		err = setUint32(&h.Limits.ScryptParallelism, value)
	case "limit_bcrypt_cost":
		err = setUint32(&h.Limits.BcryptCost, value)
	case "limit_password_bytes":
		err = setInt(&h.Limits.PasswordBytes, value)

	case "public_origin":
		err = addText(&g.PublicOrigins, value)
	case "loopback":
		err = setBool(&g.Loopback, value)
	case "header_user":
		err = setText(&g.HeaderUser, value)
	case "header_user_id":
		err = setText(&g.HeaderUserID, value)
	case "header_email":
		err = setText(&g.HeaderEmail, value)
	case "header_staff":
		err = setText(&g.HeaderStaff, value)
	case "header_superuser":
		err = setText(&g.HeaderSuperuser, value)

	case "csrf_cookie_name":
		err = setText(&u.CSRFCookieName, value)
	case "csrf_cookie_domain":
		u.CSRFCookieDomain = value
	case "csrf_cookie_path":
		err = setText(&u.CSRFCookiePath, value)
	case "csrf_cookie_secure":
		err = setBool(&u.CSRFCookieSecure, value)
	case "csrf_cookie_samesite":
		err = setText(&u.CSRFCookieSameSite, value)
	case "csrf_use_sessions":
		err = setBool(&u.CSRFUseSessions, value)
	case "csrf_cookie_masked":
		err = setBool(&u.CSRFCookieMasked, value)
	case "csrf_header_name":
		err = setText(&g.CSRF.HeaderName, value)
	case "csrf_trusted_origins":
		err = addText(&g.CSRF.TrustedOrigins, value)
	case "allowed_hosts":
		err = addText(&g.CSRF.AllowedHosts, value)
	case "rule":
		err = addRule(&g.Rules, value)
	case "user_check":
		if value != "none" && value != "full" {
			return problem("is neither full nor none")
		}
		u.Unchecked = value == "none"
	case "shorthand":
		err = setBool(&c.shorthand, value)
	case "writes_on_reads":
		err = setBool(&u.WritesOnReads, value)
	case "rehash":
		err = setBool(&u.Rehash, value)

	case "key_session":
		err = addKey(&s.Keys.Session, signing.SHA256, value)
	case "key_session_sha1":
		err = addKey(&s.Keys.SessionSHA1, signing.SHA1, value)
	case "key_session_legacy":
		err = addKey(&s.Keys.SessionLegacy, signing.SHA1, value)
	case "key_cookie":
		err = addKey(&s.Keys.Cookie, signing.SHA256, value)
	case "key_cookie_sha1":
		err = addKey(&s.Keys.CookieSHA1, signing.SHA1, value)
	case "key_auth_hash":
		err = addKey(&s.Keys.AuthHash, signing.SHA256, value)
	case "key_auth_hash_sha1":
		err = addKey(&s.Keys.AuthHashSHA1, signing.SHA1, value)
	default:
		err = problem("is not a setting")
	}
	return err
}

// addKey: the first key of a ring is the current one, the others its fallbacks.
// Each ring is for one algorithm: a key of another would sign what no Django
// can verify, or accept what it should not.
func addKey(to *signing.Ring, algorithm signing.Algorithm, value string) error {
	key, err := signing.ParseKey(value)
	if err != nil {
		return err
	}
	if name := algorithm.String(); !strings.HasPrefix(value, name+":") {
		return problem("takes keys that begin with " + name + ":")
	}
	if to.Current.IsZero() {
		to.Current = key
	} else {
		to.Fallbacks = append(to.Fallbacks, key)
	}
	return nil
}

func addValidator(to *[]djuser.PasswordValidator, value string) error {
	v, err := djuser.ParsePasswordValidator(value)
	if err == nil {
		_, err = djuser.NewPasswordValidators(v)
	}
	*to = append(*to, v)
	return err
}

func addRule(to *[]gate.Rule, value string) error {
	r, err := gate.ParseRule(value)
	if *to = append(*to, r); err != nil {
		return errorf.Errorf("rule %d (%q) %w", len(*to), value, err)
	}
	return nil
}

// addColumn reads "name:kind".
func addColumn(to *[]query.Column, value string) error {
	name, kind, _ := strings.Cut(value, ":")
	column := query.Column{Name: name}
	switch kind {
	case "any":
	case "bool":
		column.Kind = query.KindBool
	case "int":
		column.Kind = query.KindInt
	case "float":
		column.Kind = query.KindFloat
	case "text":
		column.Kind = query.KindText
	case "bytes":
		column.Kind = query.KindBytes
	case "time":
		column.Kind = query.KindTime
	case "uuid":
		column.Kind = query.KindUUID
	default:
		return problem("is not name:kind with kind any, bool, int, float, text, bytes, time or uuid")
	}
	*to = append(*to, column)
	return nil
}
