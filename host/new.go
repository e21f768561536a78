package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/step"
)

// New connects the parts of config and checks them: the tables are looked up,
// and every setting is validated. An error names the setting that is wrong.
// New takes the Engine over and closes it when it fails.
func New(ctx context.Context, config Config) (*Host, error) {
	if config.Engine == nil {
		config.Engine = Native()
	}
	h, err := newHost(ctx, &config)
	if err != nil {
		_ = config.Engine.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("host: %w", err)
	}
	return h, nil
}

func newHost(ctx context.Context, config *Config) (*Host, error) {
	keys, err := config.keys()
	if err != nil {
		return nil, err
	}
	switch {
	case config.UserCheck == "none" && config.DB != nil:
		return nil, errors.New("user_check: with none the database is not asked, so give it none")
	case config.UserCheck == "none":
		config.DB = noDB{}
	case config.DB == nil:
		return nil, errors.New("database: none is configured")
	}
	h := &Host{db: config.DB, storage: config.Storage, engine: config.Engine, kdf: config.KDF, writes: config.WritesOnReads, log: config.Logger}
	if h.log == nil {
		h.log = slog.Default()
	}
	if err := h.configureLimits(config); err != nil {
		return nil, err
	}
	columns, err := probe(ctx, h.db, h.timeout, config)
	if err != nil {
		return nil, err
	}
	settings := config.settings(h.db.Dialect(), columns, keys)
	if settings, err = config.addZone(settings); err != nil {
		return nil, err
	}
	rules, err := step.Configure(settings)
	if err != nil {
		return nil, err
	}
	if err := h.describeSessions(config); err != nil {
		return nil, err
	}
	if err := h.describe(rules, config); err != nil {
		return nil, err
	}
	if err := h.probeGrants(ctx, rules); err != nil {
		return nil, err
	}
	if _, err := h.engine.Configure(ctx, settings); err != nil {
		return nil, err
	}
	return h, nil
}

// keys derives the keys and forgets the secret.
func (c *Config) keys() (*signing.Keys, error) {
	secret, fallbacks := c.SecretKey, c.SecretKeyFallbacks
	c.SecretKey, c.SecretKeyFallbacks = "", nil
	switch {
	case c.Keys != nil && (secret != "" || len(fallbacks) > 0):
		return nil, errors.New("secret_key: is given beside derived keys")
	case c.Keys != nil && c.SessionSaltClass != "":
		return nil, errors.New("session_salt_class: has no effect on derived keys; give it to `djedge keys`")
	case c.Keys != nil:
		return c.Keys, nil
	case secret == "":
		return nil, errors.New("secret_key: neither it nor derived keys are given")
	}
	for _, fallback := range fallbacks {
		if fallback == "" {
			return nil, errors.New("secret_key_fallbacks: holds an empty key")
		}
	}
	keys := signing.DeriveKeys(c.SessionSaltClass, secret, fallbacks)
	return &keys, nil
}

func (h *Host) configureLimits(c *Config) error {
	h.timeout = c.QueryTimeout
	queue := c.HashQueueTimeout
	for name, d := range map[string]*time.Duration{"query_timeout": &h.timeout, "hash_queue_timeout": &queue} {
		if *d < 0 {
			return fmt.Errorf("%s: %v is negative", name, *d)
		}
		if *d == 0 {
			*d = 5 * time.Second
		}
	}
	switch {
	case c.HashConcurrency < 0:
		return fmt.Errorf("hash_concurrency: %d is negative", c.HashConcurrency)
	case c.HashMemory < 0:
		return fmt.Errorf("hash_memory: %d is negative", c.HashMemory)
	case c.SessionCookieAge < 0 || c.SessionCookieAge%time.Second != 0:
		return fmt.Errorf("session_cookie_age: %v is not a whole number of seconds", c.SessionCookieAge)
	case c.CacheVersion < 0:
		return fmt.Errorf("cache_version: %d is negative", c.CacheVersion)
	case c.Storage == nil && djsession.Engine(c.SessionEngine).UsesStorage():
		return fmt.Errorf("session_storage: none is configured, but session_engine = %s needs one", c.SessionEngine)
	case c.SessionMaxBytes < 0:
		return fmt.Errorf("session_max_bytes: %d is negative", c.SessionMaxBytes)
	case c.VerifiedBytes > 1<<31-1:
		return fmt.Errorf("verified_bytes: %d is more than 2 GiB", c.VerifiedBytes)
	case c.MaxStaleness < 0 || c.MaxStaleness > maxStaleness:
		return fmt.Errorf("max_staleness: %v is not between 0 and %v", c.MaxStaleness, maxStaleness)
	case c.MaxStaleness > 0 && c.WritesOnReads:
		return errors.New("max_staleness: cannot be used with writes_on_reads, which would write by what old rows say")
	case c.KDF > KDFModule:
		return fmt.Errorf("kdf: %d is neither host nor module", c.KDF)
	}
	h.keepRecent(c)
	// The rules refuse what is longer than a session may be, whatever it holds.
	h.maxValue = max(c.SessionMaxBytes, 1<<20) + 1
	h.hashes = newHashQueue(c.HashConcurrency, c.HashMemory, queue, c.Hasher)
	if c.HintEntries == 0 {
		c.HintEntries = 10_000
	}
	// Only a row of the session can be asked for together with the user's.
	engine := djsession.Engine(c.SessionEngine)
	if c.HintEntries > 0 && (engine == djsession.EngineDB || engine == "") {
		h.hints = newHints(c.HintEntries)
	}
	return nil
}

const (
	maxStaleness = time.Minute
	recentBytes  = 16 << 20
)

// keepRecent sets up Config.MaxStaleness. The rows of a session that is in a cache
// too are read to find out whether the cache is right, and never kept.
func (h *Host) keepRecent(c *Config) {
	if c.MaxStaleness == 0 {
		return
	}
	names := []string{"user_by_id", "permissions", "user_permissions", "group_permissions", "user_groups"}
	if engine := djsession.Engine(c.SessionEngine); engine == djsession.EngineDB || engine == "" {
		names = append(names, "session_load")
	}
	h.recent = djsession.NewRecent(c.MaxStaleness, recentBytes, names...)
}

// describe keeps what the host must know of the rules.
func (h *Host) describe(rules *step.Rules, c *Config) (err error) {
	h.cookie = or(c.SessionCookieName, "sessionid")
	h.gate, err = gate.New(gate.Settings{CookieName: h.cookie})
	if err != nil {
		return err
	}
	h.columns = rules.Columns()
	h.position = make(map[string]int, len(h.columns))
	for i, column := range h.columns {
		h.position[column.Name] = i
	}
	h.pk = h.position[or(c.UserPK, "id")]
	for _, name := range rules.Headers() {
		name = http.CanonicalHeaderKey(name)
		if name != "Content-Length" && name != "Transfer-Encoding" { // see Summary
			h.headers = append(h.headers, name)
		}
	}
	return nil
}

// describeSessions keeps what the host must know to change sessions.
func (h *Host) describeSessions(c *Config) (err error) {
	h.saveEvery = c.SessionSaveEveryRequest
	release := version.Default
	if c.DjangoVersion != "" {
		if release, err = version.Parse(c.DjangoVersion); err != nil {
			return err
		}
	}
	h.dates = release.AtLeast(4, 1)
	if c.NotUseTZ {
		h.zone, err = time.LoadLocation(or(c.TimeZone, "America/Chicago"))
	}
	return err
}

// probe reads the columns of the user table, which the rules judge, and looks
// at the session table, if there is one.
func probe(ctx context.Context, db DB, timeout time.Duration, c *Config) ([]query.Column, error) {
	if db == (noDB{}) {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := db.Ping(ctx); err != nil {
		return nil, fmt.Errorf("database: cannot be reached: %w", err)
	}
	columns, err := describe(ctx, db, "user_table", or(c.UserTable, "auth_user"))
	if err != nil {
		return nil, err
	}
	if err := findUUIDs(ctx, db, or(c.UserTable, "auth_user"), columns); err != nil {
		return nil, err
	}
	if err := findUserColumn(ctx, db, c, columns); err != nil {
		return nil, err
	}
	if !djsession.Engine(c.SessionEngine).InTable() {
		return columns, nil
	}
	sessions := or(c.SessionTable, "django_session")
	found, err := describe(ctx, db, "session_table", sessions)
	if err != nil {
		return nil, err
	}
	for _, column := range []string{"session_key", "session_data", "expire_date"} {
		if !slices.ContainsFunc(found, func(c query.Column) bool { return c.Name == column }) {
			return nil, fmt.Errorf("session_table: table %s has no column %s", sessions, column)
		}
	}
	return columns, nil
}

// probeGrants asks for the permissions of nobody when the rules need them: the
// tables may have other names, and the first request would be late to learn it.
func (h *Host) probeGrants(ctx context.Context, rules *step.Rules) error {
	if !rules.NeedsGrants() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	found := false
	for _, statement := range rules.Statements() {
		switch statement.Name {
		case "user_groups", "user_permissions", "group_permissions":
			found = true
			statement.Args = []query.Value{query.Null()}
			if _, err := h.db.Query(ctx, false, statement); err != nil {
				return fmt.Errorf("rule: one needs a permission or a group, which cannot be read (see user_groups_table and the settings after it): %w", err)
			}
		}
	}
	if !found {
		return errors.New("rule: one needs a permission or a group, and the user table has no is_superuser, hence neither")
	}
	return nil
}

func describe(ctx context.Context, db DB, setting, table string) ([]query.Column, error) {
	statement, err := djuser.ColumnsStatement(db.Dialect(), table)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	results, err := db.Query(ctx, false, statement)
	if err != nil {
		return nil, fmt.Errorf("%s: table %s cannot be read (is this the site's database, with its migrations applied?): %w", setting, table, err)
	}
	if len(results) != 1 || len(results[0].Columns) == 0 {
		return nil, fmt.Errorf("%s: the database does not name the columns of table %s", setting, table)
	}
	return results[0].Columns, nil
}

func or(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
