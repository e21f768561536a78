package step_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/wasm/abi"
	"github.com/djedge/djedge/wasm/step"
)

// parse reads "name=value".
func parse(texts ...string) []abi.Setting {
	settings := make([]abi.Setting, len(texts))
	for i, text := range texts {
		name, value, _ := strings.Cut(text, "=")
		settings[i] = abi.Setting{Name: name, Value: value}
	}
	return settings
}

func TestConfigureEverySetting(t *testing.T) {
	keys := settings()
	r, err := step.Configure(parse(
		"version=4.2", "dialect=postgresql",
		"use_tz=false", "time_zone=3600 1711846800:7200 1729990800:3600", "session_engine=cached_db",
		"cache_format=django-redis", "cache_key_prefix=site", "cache_version=7", "cache_serializer=json", "cache_compressor=zlib",
		"session_cookie_name=sid", "session_cookie_domain=example.com", "session_cookie_path=/",
		"session_cookie_secure=true", "session_cookie_httponly=true", "session_cookie_samesite=Strict",
		"session_cookie_age=600", "session_expire_at_browser_close=false", "session_save_every_request=true", "session_salt_class=SessionStore",
		"session_table=app.sessions", "session_max_bytes=65536",
		"session_key_user_id=_u", "session_key_backend=_b", "session_key_hash=_h",
		"authentication_backends=a.B", "authentication_backends=django.contrib.auth.backends.ModelBackend",
		"user_table=people", "user_pk=number", "username_field=nick", "email_field=mail",
		"user_column=number:int", "user_column=password:text", "user_column=last_login:time", "user_column=is_superuser:bool",
		"user_column=nick:text", "user_column=mail:text", "user_column=is_staff:bool", "user_column=is_active:bool",
		"user_column=ref:uuid",
		"user_column=height:float", "user_column=photo:bytes", "user_column=extra:any",
		"password_hashers=argon2", "password_hashers=pbkdf2_sha256", "bcrypt_version=4", "pbkdf2_iterations=1000",
		"limit_pbkdf2_iterations=2000000", "limit_argon2_memory=131072", "limit_argon2_time=5", "limit_argon2_parallelism=8",
		"limit_scrypt_memory=67108864", "limit_scrypt_parallelism=8", "limit_bcrypt_cost=13", "limit_password_bytes=1024",
		"public_origin=https://example.com", "public_origin=https://www.example.com", "loopback=true",
		"header_user=X-User", "header_user_id=X-User-Id", "header_email=X-Email", "header_staff=X-Staff", "header_superuser=X-Super",
		"csrf_cookie_name=csrf", "csrf_cookie_domain=example.com", "csrf_cookie_path=/", "csrf_cookie_secure=true",
		"csrf_cookie_samesite=Lax", "csrf_use_sessions=false", "writes_on_reads=true", "rehash=true",
		"csrf_cookie_masked=true", "csrf_header_name=X-Token", "csrf_trusted_origins=https://*.example.org", "allowed_hosts=.example.com", "allowed_hosts=example.org",
		"rule=GET,POST /reports/ group:Readers of reports", "rule=* /public/ anyone",
		"password_validators=MinimumLengthValidator min_length=12", "password_validators=UserAttributeSimilarityValidator user_attributes=nick user_attributes=mail max_similarity=0.5",
		"user_groups_table=people_clubs", "user_permissions_table=people_rights", "user_m2m_column=person_id", "group_table=people_club",
		"group_permissions_table=people_club_rights", "permission_table=people_right", "content_type_table=people_types",
		"key_session="+keys[4].Value, "key_session=sha256:"+strings.Repeat("0a", 32), "key_auth_hash="+keys[5].Value,
		"key_session_sha1=sha1:"+strings.Repeat("0b", 20), "key_session_legacy=sha1:"+strings.Repeat("0c", 20),
		"key_cookie=sha256:"+strings.Repeat("0d", 32), "key_cookie_sha1=sha1:"+strings.Repeat("0e", 20),
		"key_auth_hash_sha1=sha1:"+strings.Repeat("0f", 20),
	))
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Columns(); len(c) != 12 || c[0] != (query.Column{Name: "number", Kind: query.KindInt}) {
		t.Errorf("columns %v", c)
	}
	for _, s := range r.Statements() {
		if !strings.Contains(s.SQL, `"people`) && !strings.Contains(s.SQL, `"app"."sessions"`) || strings.Contains(s.SQL, "?") ||
			strings.Contains(s.SQL, "auth_") || strings.Contains(s.SQL, "django_") {
			t.Errorf("%s: %s", s.Name, s.SQL)
		}
	}
}

func TestConfigureRefuses(t *testing.T) {
	for name, c := range map[string]string{
		"unknown":          "session_cookie_nam=x",
		"empty":            "=",
		"twice":            "version=5.2",
		"version":          "version=1.8",
		"bool":             "session_cookie_secure=yes",
		"number":           "session_cookie_age=two weeks",
		"negative":         "session_max_bytes=-1",
		"too large":        "limit_argon2_time=4294967296",
		"beyond 64 bits":   "limit_scrypt_memory=18446744073709551616",
		"key":              "key_session=sha256:secret",
		"kind":             "user_column=id:guid",
		"no kind":          "user_column=id",
		"empty entry":      "public_origin=",
		"SQL in a table":   `session_table=django_session"; DROP TABLE x; --`,
		"SQL in a column":  "username_field=name) OR 1=1",
		"a hasher":         "password_hashers=rot13",
		"an origin":        "public_origin=example.com",
		"a header":         "header_user=Remote User",
		"a cookie":         "csrf_cookie_name=a b",
		"bcrypt":           "bcrypt_version=7",
		"bcrypt too small": "bcrypt_version=2",
		"an engine":        "session_engine=django.contrib.sessions.backends.db",
		"a rule":           "rule=GET /a",
		"a rule's path":    "rule=* /a/../b anyone",
		"a requirement":    "rule=* /a everybody",
		"a validator":      "password_validators=LengthValidator",
		"an option":        "password_validators=MinimumLengthValidator min_size=1",
		"an option's kind": "password_validators=MinimumLengthValidator min_length=0",
		"a trusted origin": "csrf_trusted_origins=example.com",
		"a token's header": "csrf_header_name=X Token",
		"a table of SQL":   "group_table=x; DROP TABLE y",
		"a zone":           "time_zone=Europe/Berlin",
		"no zone":          "use_tz=false",
		"a cache":          "cache_format=locmem",
		"a cache version":  "cache_version=0",
		"a serializer":     "cache_serializer=msgpack",
		"a compressor":     "cache_compressor=zlib", // which Django's own Redis cache has not
	} {
		t.Run(name, func(t *testing.T) {
			r, err := step.Configure(append(settings(), parse(c)...))
			if err == nil || r != nil || !strings.Contains(err.Error(), c[:strings.IndexByte(c, '=')]) {
				t.Errorf("%v", err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error repeats a key: %v", err)
			}
		})
	}
	refuses := func(setting string) {
		t.Helper()
		name, _, _ := strings.Cut(setting, "=")
		var refused *step.SettingError
		r, err := step.Configure(append(settings()[:2:2], parse(setting)...))
		if r != nil || !errors.As(err, &refused) || refused.Name != name {
			t.Errorf("%s: %v", setting, err)
		}
	}
	// An explicit nothing does not become the default in silence.
	for _, name := range []string{
		"session_cookie_age", "session_max_bytes", "pbkdf2_iterations", "limit_pbkdf2_iterations", "limit_argon2_memory", "limit_argon2_time",
		"limit_argon2_parallelism", "limit_scrypt_memory", "limit_scrypt_parallelism", "limit_bcrypt_cost", "limit_password_bytes",
	} {
		refuses(name + "=0")
		refuses(name + "=")
	}
	refuses("bcrypt_version=")
	for _, name := range []string{
		"session_cookie_name", "session_cookie_path", "session_cookie_samesite", "session_table",
		"session_key_user_id", "session_key_backend", "session_key_hash", "authentication_backends", "user_table", "user_pk", "username_field",
		"email_field", "user_column", "password_hashers", "public_origin", "header_user", "header_user_id", "header_email", "header_staff",
		"header_superuser", "csrf_cookie_name", "csrf_cookie_path", "csrf_cookie_samesite", "key_session", "key_cookie", "key_auth_hash",
	} {
		refuses(name + "=")
	}
	// Each ring has one algorithm, and none has SHA-512.
	sha256, sha1, sha512 := "sha256:"+strings.Repeat("0a", 32), "sha1:"+strings.Repeat("0a", 20), "sha512:"+strings.Repeat("0a", 64)
	for ring, others := range map[string][]string{
		"key_session": {sha1, sha512}, "key_cookie": {sha1, sha512}, "key_auth_hash": {sha1, sha512},
		"key_session_sha1": {sha256, sha512}, "key_session_legacy": {sha256, sha512}, "key_cookie_sha1": {sha256, sha512}, "key_auth_hash_sha1": {sha256, sha512},
	} {
		for _, key := range others {
			refuses(ring + "=" + key)
		}
	}
	var refused *step.SettingError
	if _, err := step.Configure(parse("speed=11")); !errors.As(err, &refused) || refused.Name != "speed" {
		t.Errorf("%v", err)
	}
	if _, err := step.Configure(nil); err == nil || !strings.Contains(err.Error(), "key_session") {
		t.Errorf("without a key: %v", err)
	}
}
