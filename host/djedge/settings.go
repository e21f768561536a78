package main

// The two tables of the configuration file.
const (
	django = "django" // what the Django site says
	serve  = "serve"  // what this server does
)

// options is every setting, in the order of docs/config.md, which is made of it.
func (c *config) options() []option {
	h := &c.host
	l := &h.Limits
	return []option{
		{key: "config", to: &c.config, doc: "configuration `file` (TOML)"},
		{key: ruleTable, to: &h.Rules, doc: "one `rule` of the list that decides about /auth: METHODS PATH REQUIREMENT, such as \"GET,POST /reports/ permission:reports.view_report\" or \"* /public/ anyone\"; may repeat, and replaces those of the file"},

		{table: django, key: "database", to: &c.database, secret: true, public: true, doc: "`URL` of the site's database: sqlite:///absolute/path.db, postgres://… or mysql://… (MariaDB too). Of the last two, pool_max_conns in the URL's query bounds the connections; PostgreSQL's pool_batch_size how many requests one statement answers (128; 1 asks for each alone)"},
		{table: django, key: "secret_key", to: &c.secretKey, secret: true, doc: "SECRET_KEY; the keys that are needed are derived from it at the start"},
		{table: django, key: "secret_key_fallbacks", to: (*lines)(&h.SecretKeyFallbacks), secret: true, doc: "SECRET_KEY_FALLBACKS, one on each line, newest first"},
		{table: django, key: "version", name: "django_version", to: &h.DjangoVersion, doc: "the site's Django `release`, such as 5.2. Formats and costs are that release's (5.2 when it is not given). Passwords are re-hashed at login only when this or password_hashers is given"},

		{table: django, key: "use_tz", to: (*not)(&h.NotUseTZ), def: "true", doc: "USE_TZ; with false, SQLite and MySQL hold times as they are in time_zone"},
		{table: django, key: "time_zone", to: &h.TimeZone, def: "America/Chicago", doc: "TIME_ZONE"},

		{table: django, key: "session_engine", to: &h.SessionEngine, def: "db", doc: "last part of SESSION_ENGINE: db, cached_db, cache, file or signed_cookies"},
		{table: django, key: "session_serializer", to: &h.SessionSerializer, def: "json", doc: "SESSION_SERIALIZER: json, or pickle (before Django 5.0), of which plain values, dates and times are read; sessions with others are left alone, and nobody's"},
		{table: django, key: "default_hashing_algorithm", to: &h.DefaultHashingAlgorithm, def: "sha256", doc: "DEFAULT_HASHING_ALGORITHM of Django 3.1 and 3.2: sha256 or sha1"},
		{table: django, key: "session_file_path", to: &c.filePath, doc: "SESSION_FILE_PATH, the `directory` of session_engine file; the system's for temporary files when it is not given"},
		{table: django, key: "cache_location", to: &c.cache, secret: true, public: true, doc: "LOCATION of the cache of session_engine cache and cached_db: `URL` redis://… (several are separated by commas, and the first is written to) or, with cache_format memcached, host:port or unix:/path"},
		{table: django, key: "cache_format", to: &h.CacheFormat, def: "redis", doc: "BACKEND of the cache: redis (Django's RedisCache), django-redis or memcached (PyMemcacheCache, PyLibMCCache)"},
		{table: django, key: "cache_key_prefix", to: &h.CacheKeyPrefix, doc: "KEY_PREFIX of the cache"},
		{table: django, key: "cache_version", to: &h.CacheVersion, def: "1", doc: "VERSION of the cache"},
		{table: django, key: "cache_serializer", to: &h.CacheSerializer, def: "pickle", doc: "SERIALIZER of django-redis: pickle or json"},
		{table: django, key: "cache_compressor", to: &h.CacheCompressor, doc: "COMPRESSOR of django-redis: none when it is not given, or zlib"},

		{table: django, key: "session_cookie_name", to: &h.SessionCookieName, def: "sessionid", doc: "SESSION_COOKIE_NAME"},
		{table: django, key: "session_cookie_domain", to: &h.SessionCookieDomain, doc: "SESSION_COOKIE_DOMAIN"},
		{table: django, key: "session_cookie_path", to: &h.SessionCookiePath, def: "/", doc: "SESSION_COOKIE_PATH"},
		{table: django, key: "session_cookie_secure", to: &h.SessionCookieSecure, def: "false", doc: "SESSION_COOKIE_SECURE"},
		{table: django, key: "session_cookie_httponly", to: (*not)(&h.SessionCookieNotHTTPOnly), def: "true", doc: "SESSION_COOKIE_HTTPONLY"},
		{table: django, key: "session_cookie_samesite", to: &h.SessionCookieSameSite, def: "Lax", doc: "SESSION_COOKIE_SAMESITE: Lax, Strict, None, or - for no attribute"},
		{table: django, key: "session_cookie_age", to: (*seconds)(&h.SessionCookieAge), def: "1209600", doc: "SESSION_COOKIE_AGE in seconds, not 0"},
		{table: django, key: "session_expire_at_browser_close", to: &h.SessionExpireAtBrowserClose, def: "false", doc: "SESSION_EXPIRE_AT_BROWSER_CLOSE"},
		{table: django, key: "session_save_every_request", to: &h.SessionSaveEveryRequest, def: "false", doc: "SESSION_SAVE_EVERY_REQUEST, for programs that change sessions; djedge serve saves none"},
		{table: django, key: "session_salt_class", to: &h.SessionSaltClass, doc: "class name of the session store of SESSION_ENGINE, which is part of the salt: SessionStore when it is not given. Derived keys have it in them"},
		{table: django, key: "session_table", to: &h.SessionTable, def: "django_session", doc: "table of the sessions"},
		{table: django, key: "session_max_bytes", to: &h.SessionMaxBytes, def: "1048576", doc: "size above which the data of a session counts as corrupt"},
		{table: django, key: "session_key_user_id", to: &h.SessionKeyUserID, def: "_auth_user_id", doc: "SESSION_KEY of django.contrib.auth"},
		{table: django, key: "session_key_backend", to: &h.SessionKeyBackend, def: "_auth_user_backend", doc: "BACKEND_SESSION_KEY"},
		{table: django, key: "session_key_hash", to: &h.SessionKeyHash, def: "_auth_user_hash", doc: "HASH_SESSION_KEY"},

		{table: django, key: "authentication_backends", to: &h.AuthenticationBackends, def: "django.contrib.auth.backends.ModelBackend", doc: "AUTHENTICATION_BACKENDS: a session of any other is anonymous. To log in with a password needs ModelBackend or AllowAllUsersModelBackend among them, and permissions one of Django's own: what a custom backend would say of a password or of a permission is not known here, nor that it would refuse a login"},
		{table: django, key: "user_table", to: &h.UserTable, def: "auth_user", doc: "table of AUTH_USER_MODEL; of a model that inherits from another model's table, the one that has the password"},
		{table: django, key: "user_pk", to: &h.UserPK, def: "id", doc: "its primary key: a number, a UUID or a text"},
		{table: django, key: "username_field", to: &h.UsernameField, def: "username", doc: "USERNAME_FIELD"},
		{table: django, key: "email_field", to: &h.EmailField, def: "email", doc: "EMAIL_FIELD"},

		{table: django, key: "user_groups_table", to: &h.PermissionTables.UserGroups, doc: "table that joins users and groups: user_table and _groups when it is not given. This and the next are for rules that need a permission or a group"},
		{table: django, key: "user_permissions_table", to: &h.PermissionTables.UserPermissions, doc: "table that joins users and their own permissions: user_table and _user_permissions"},
		{table: django, key: "user_m2m_column", to: &h.PermissionTables.UserColumn, doc: "the user's column in both: the model's name in small letters and _id; looked up when it is not given"},
		{table: django, key: "group_table", to: &h.PermissionTables.Group, doc: "table of the groups: auth_group, in the schema of user_table"},
		{table: django, key: "group_permissions_table", to: &h.PermissionTables.GroupPermissions, doc: "table that joins groups and permissions: auth_group_permissions"},
		{table: django, key: "permission_table", to: &h.PermissionTables.Permission, doc: "table of the permissions: auth_permission"},
		{table: django, key: "content_type_table", to: &h.PermissionTables.ContentType, doc: "table of the content types: django_content_type"},

		{table: django, key: "password_validators", to: &h.PasswordValidators, doc: "AUTH_PASSWORD_VALIDATORS for those who register or change their password here: Django's four by their class, with options after a blank, as in \"MinimumLengthValidator min_length=12\"; an option that is a list repeats. None when it is not given, as in Django"},
		{table: django, key: "password_hashers", to: &h.PasswordHashers, doc: "PASSWORD_HASHERS, preferred first: dotted paths, class names or algorithms. The release's when it is not given"},
		{table: django, key: "bcrypt_version", to: &h.BcryptVersion, def: "5", doc: "major version of the site's bcrypt library, 3, 4 or 5: they differ in long passwords"},
		{table: django, key: "pbkdf2_iterations", to: &h.PBKDF2Iterations, def: "0", doc: "iterations of new PBKDF2 hashes; 0 is the release's"},

		{table: django, key: "csrf_cookie_name", to: &h.CSRFCookieName, def: "csrftoken", doc: "CSRF_COOKIE_NAME"},
		{table: django, key: "csrf_cookie_domain", to: &h.CSRFCookieDomain, doc: "CSRF_COOKIE_DOMAIN"},
		{table: django, key: "csrf_cookie_path", to: &h.CSRFCookiePath, def: "/", doc: "CSRF_COOKIE_PATH"},
		{table: django, key: "csrf_cookie_secure", to: &h.CSRFCookieSecure, def: "false", doc: "CSRF_COOKIE_SECURE"},
		{table: django, key: "csrf_cookie_samesite", to: &h.CSRFCookieSameSite, def: "Lax", doc: "CSRF_COOKIE_SAMESITE: Lax, Strict, None, or - for no attribute"},
		{table: django, key: "csrf_use_sessions", to: &h.CSRFUseSessions, def: "false", doc: "CSRF_USE_SESSIONS"},

		{table: django, key: "csrf_cookie_masked", to: &h.CSRFCookieMasked, def: "false", doc: "CSRF_COOKIE_MASKED of Django 4.1 and 4.2"},
		{table: django, key: "csrf_header_name", to: &h.CSRFHeaderName, def: "X-CSRFToken", doc: "CSRF_HEADER_NAME, by its name in HTTP or as Django has it"},
		{table: django, key: "csrf_trusted_origins", to: &h.CSRFTrustedOrigins, doc: "CSRF_TRUSTED_ORIGINS, whose pages may post forms here; those of public_origins may as well"},
		{table: django, key: "allowed_hosts", to: &h.AllowedHosts, doc: "ALLOWED_HOSTS: a form may come from the host that it is posted to when that is one of these"},

		{table: django, key: "key_session", to: &c.keys.session, secret: true, doc: "derived keys, instead of secret_key, as `djedge keys` prints them: the current one first, then fallbacks. Session data since Django 3.1"},
		{table: django, key: "key_session_sha1", to: &c.keys.sessionSHA1, secret: true, doc: "session data that Django 3.1 and 3.2 read as well"},
		{table: django, key: "key_session_legacy", to: &c.keys.sessionLegacy, secret: true, doc: "session data before Django 3.1"},
		{table: django, key: "key_cookie", to: &c.keys.cookie, secret: true, doc: "signed cookies since Django 3.1"},
		{table: django, key: "key_cookie_sha1", to: &c.keys.cookieSHA1, secret: true, doc: "signed cookies before"},
		{table: django, key: "key_auth_hash", to: &c.keys.authHash, secret: true, doc: "session auth hash since Django 3.1"},
		{table: django, key: "key_auth_hash_sha1", to: &c.keys.authHashSHA1, secret: true, doc: "session auth hash before"},

		{table: serve, key: "listen", to: &c.listen, def: "127.0.0.1:8080", doc: "`address` to listen on, HOST:PORT"},
		{table: serve, key: "admin_listen", to: &c.adminListen, doc: "`address` of a listener for /livez, /readyz and /metrics (djedge_decisions_total by op and reason, djedge_sessions_corrupt_total by why the data was refused); none when it is not given"},
		{table: serve, key: "api", to: &c.api, doc: "endpoints to open beside /auth, a `list` of me, login, logout, register, change-password, and page, which needs the others"},
		{table: serve, key: "demo", to: &c.demo, def: "false", doc: "open everything, on loopback only, with a temporary database, a random key and a few users, whatever api says; refuses database and secret_key"},
		{table: serve, key: "engine", to: &c.engine, def: "wasm", doc: "what runs the rules: wasm (the module under wazero) or native"},
		{table: serve, key: "kdf", to: &c.kdf, def: "host", doc: "who hashes passwords: host (native code) or module (the rules themselves, in the module with engine wasm)"},
		{table: serve, key: "module_cache_dir", to: &c.cacheDir, doc: "private `directory` for the compiled module; the user's cache directory when it is not given, none to compile at each start"},
		{table: serve, key: "public_origins", to: &h.PublicOrigins, doc: "`origins`, such as https://example.com, whose pages may log in and out here. On a loopback address none is needed for pages of that address"},
		{table: serve, key: "trusted_proxies", to: &c.trustedProxies, doc: "networks (CIDR) whose X-Forwarded-For and X-Forwarded-Proto are believed; nobody's when it is not given, and then all clients behind a proxy count as one address"},

		{table: serve, key: "forwarded_headers", to: &c.forwardedHeaders, doc: "where a trusted proxy says which request it asks about: x-forwarded (X-Forwarded-Method and -Uri, -Host and -Proto: Traefik, Caddy), x-original (X-Original-Method and X-Original-URI: nginx) or path (the path after /auth: Envoy). Rules and login_url need it"},
		{table: serve, key: "login_url", to: &c.loginURL, doc: "LOGIN_URL, a path or a `URL`: where /auth sends a browser that opens a page without a login. It is 401 when it is not given, and for nginx, which cannot pass a redirect on"},

		{table: serve, key: "header_user", to: &h.HeaderUser, def: "Remote-User", doc: "response header of /auth with the user name"},
		{table: serve, key: "header_user_id", to: &h.HeaderUserID, def: "Remote-User-Id", doc: "with the primary key"},
		{table: serve, key: "header_email", to: &h.HeaderEmail, def: "Remote-Email", doc: "with the e-mail address"},
		{table: serve, key: "header_staff", to: &h.HeaderStaff, def: "Remote-Staff", doc: "with is_staff"},
		{table: serve, key: "header_superuser", to: &h.HeaderSuperuser, def: "Remote-Superuser", doc: "with is_superuser"},
		{table: serve, key: "user_check", to: &h.UserCheck, def: "full", doc: "none takes a signed cookie's word for whose it is, without a database: nothing but the id is known, rules can ask for a login at most, decisions say user_unchecked, and a deleted or deactivated user and a changed password go unseen until the cookie has expired. For session_engine = signed_cookies and api = [] or me"},
		{table: serve, key: "writes_on_reads", to: &h.WritesOnReads, def: "false", doc: "write what Django would write when it reads a session: the new key after a fallback key, the end of a session whose hash fails. Left to Django by default"},

		{table: serve, key: "limit_password_requests", to: (*count)(&c.passwordRequests), def: "60", doc: "requests with a password per client address and minute; 0 is no limit"},
		{table: serve, key: "limit_user_failures", to: (*count)(&c.userFailures), def: "10", doc: "failed logins per user name in ten minutes; 0 is no limit"},
		{table: serve, key: "limit_password_bytes", to: &l.PasswordBytes, def: "4096", doc: "longest password"},
		{table: serve, key: "limit_pbkdf2_iterations", to: &l.PBKDF2Iterations, def: "4500000", doc: "most iterations of a stored PBKDF2 hash"},
		{table: serve, key: "limit_argon2_memory", to: &l.Argon2Memory, def: "262144", doc: "most memory of a stored argon2 hash, in KiB"},
		{table: serve, key: "limit_argon2_time", to: &l.Argon2Time, def: "10", doc: "most passes of a stored argon2 hash"},
		{table: serve, key: "limit_argon2_parallelism", to: &l.Argon2Parallelism, def: "16", doc: "most lanes of a stored argon2 hash"},
		{table: serve, key: "limit_scrypt_memory", to: &l.ScryptMemory, def: "268435456", doc: "most memory of a stored scrypt hash, in bytes"},
		{table: serve, key: "limit_scrypt_parallelism", to: &l.ScryptParallelism, def: "16", doc: "most lanes of a stored scrypt hash"},
		{table: serve, key: "limit_bcrypt_cost", to: &l.BcryptCost, def: "15", doc: "highest cost of a stored bcrypt hash"},

		{table: serve, key: "query_timeout", to: &h.QueryTimeout, def: "5s", doc: "deadline of one round trip to the database"},
		{table: serve, key: "hint_entries", to: &h.HintEntries, def: "10000", doc: "how many sessions' users are remembered, to ask for both at once; negative is none"},
		{table: serve, key: "verified_bytes", to: &h.VerifiedBytes, def: "0", doc: "bytes of session data whose signature was right that are remembered, so as not to verify the same bytes again; 0 is 16 MiB, and 4 MiB in each instance of the module; negative is none"},
		{table: serve, key: "max_staleness", to: &h.MaxStaleness, def: "0s", doc: "the revocation window: for so long, a minute at most, a check may use rows that were read before, so that a logout, a changed password or a deactivated user counts that much later when it happened elsewhere, such as in Django. What is written here counts at once. Not with writes_on_reads"},
		{table: serve, key: "hash_concurrency", to: &h.HashConcurrency, def: "0", doc: "threads that hash passwords, each one password, or two of PBKDF2-SHA256, at a time; 0 is half of the processors"},
		{table: serve, key: "hash_process", to: &c.hashBeside, def: "true", doc: "hash passwords in a process beside this one, which starts with the first password: threads of low priority hold up the garbage collector of the process they are in. For kdf = host"},
		{table: serve, key: "hash_memory", to: &h.HashMemory, def: "268435456", doc: "bytes that they may use together"},
		{table: serve, key: "hash_queue_timeout", to: &h.HashQueueTimeout, def: "5s", doc: "how long a login waits for its turn to hash"},

		{table: serve, key: "log_level", to: &c.logLevel, def: "info", doc: "debug (every check), info (logins and other changes), warn or error"},
		{table: serve, key: "log_format", to: &c.logFormat, def: "auto", doc: "text, json, or auto: text on a terminal"},
	}
}
