package host_test

import (
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/build/compat/record"
	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/files"
	"github.com/djedge/djedge/host/internal/testservers"
	"github.com/djedge/djedge/host/memcached"
	"github.com/djedge/djedge/host/postgres"
	"github.com/djedge/djedge/host/postgres/postgrestest"
	"github.com/djedge/djedge/host/redis"
	"github.com/djedge/djedge/host/sqldb"
)

// djangos are the releases that are installed.
var djangos = []string{"2.2", "3.2", "4.2", "5.2", "6.0", "6.1"}

// venv is the virtual environment of a release.
func venv(release string) string { return "django" + strings.ReplaceAll(release, ".", "") }

var dialects = map[string]query.Dialect{"sqlite": query.SQLite, "postgres": query.PostgreSQL, "mysql": query.MySQL}

// newDatabase is an empty database, and what Django's DATABASES say of it.
func newDatabase(t *testing.T, kind string) (host.DB, map[string]any) {
	t.Helper()
	server := func(engine string, u *url.URL) map[string]any {
		password, _ := u.User.Password()
		return map[string]any{"ENGINE": "django.db.backends." + engine, "NAME": strings.TrimPrefix(u.Path, "/"),
			"HOST": u.Hostname(), "PORT": u.Port(), "USER": u.User.Username(), "PASSWORD": password}
	}
	var db interface {
		host.DB
		Close() error
	}
	var err error
	var settings map[string]any
	switch kind {
	case "sqlite":
		path := filepath.Join(t.TempDir(), "db.sqlite3")
		settings = map[string]any{"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": map[string]any{"timeout": 20}}
		db, err = sqldb.CreateSQLite(t.Context(), path)
	case "mysql":
		u := testservers.MySQL(t)
		settings = server("mysql", u)
		db, err = sqldb.OpenMySQL(t.Context(), u.String())
	case "postgres":
		var u *url.URL
		if u, err = url.Parse(postgrestest.URL(t)); err != nil {
			t.Fatal(err)
		}
		settings = server("postgresql", u)
		db, err = postgres.Open(t.Context(), u.String())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if kind == "postgres" { // Django itself makes the tables
		(&database{DB: db}).exec(t, "DROP SCHEMA public CASCADE")
		(&database{DB: db}).exec(t, "CREATE SCHEMA public")
	}
	return db, settings
}

// cacheFormat is a way to keep sessions in a cache.
type cacheFormat struct {
	name     string // in docs/compat.md
	set      djsession.Cache
	backend  string
	options  map[string]any
	from, to string // the releases that have the backend; "": no limit
}

// in: the release can use it.
func (f cacheFormat) in(release string) bool {
	return f.from <= release && (f.to == "" || release <= f.to)
}

func cacheFormats() []cacheFormat {
	const django, djangoRedis = "django.core.cache.backends.", "django_redis.cache.RedisCache"
	zlib := map[string]any{"COMPRESSOR": "django_redis.compressors.zlib.ZlibCompressor"}
	inJSON := map[string]any{"SERIALIZER": "django_redis.serializers.json.JSONSerializer"}
	return []cacheFormat{
		{name: "redis", set: djsession.Cache{KeyPrefix: "a"}, backend: django + "redis.RedisCache", from: "4.0"},
		{name: "django-redis", set: djsession.Cache{Format: djsession.CacheDjangoRedis, KeyPrefix: "b", Version: 7}, backend: djangoRedis},
		{name: "django-redis json", set: djsession.Cache{Format: djsession.CacheDjangoRedis, KeyPrefix: "c", Serializer: "json"}, backend: djangoRedis, options: inJSON},
		{name: "django-redis zlib", set: djsession.Cache{Format: djsession.CacheDjangoRedis, KeyPrefix: "d", Compressor: "zlib"}, backend: djangoRedis, options: zlib},
		{name: "pymemcache", set: djsession.Cache{Format: djsession.CacheMemcached, KeyPrefix: "e"}, backend: django + "memcached.PyMemcacheCache", from: "3.2"},
		// Also what a site has that went on to PyMemcacheCache: the flags of a session are the same.
		{name: "python-memcached", set: djsession.Cache{Format: djsession.CacheMemcached, KeyPrefix: "f"}, backend: django + "memcached.MemcachedCache", to: "4.0"},
	}
}

// stores are the servers that can be had.
type stores struct {
	databases        []string
	redis, memcached string // a URL and an address, or ""
}

// startStores starts the caches, and tells by a skipped subtest what is missing.
func startStores(t *testing.T) (s stores) {
	for _, kind := range slices.Sorted(maps.Keys(dialects)) {
		t.Run("has "+kind, func(t *testing.T) {
			newDatabase(t, kind)
			s.databases = append(s.databases, kind)
		})
	}
	hasRedis, hasMemcached := os.Getenv("DJEDGE_TEST_REDIS") != "", os.Getenv("DJEDGE_TEST_MEMCACHED") != ""
	t.Run("has redis", func(t *testing.T) {
		if !hasRedis {
			testservers.Component(t, "valkey/valkey-server")
		}
		hasRedis = true
	})
	t.Run("has memcached", func(t *testing.T) {
		if !hasMemcached {
			testservers.Component(t, "memcached/usr/bin/memcached")
		}
		hasMemcached = true
	})
	if s.redis = os.Getenv("DJEDGE_TEST_REDIS"); s.redis == "" && hasRedis {
		s.redis = "redis://" + testservers.Redis(t, "valkey").Addr
	}
	if hasMemcached {
		s.memcached = testservers.MemcachedAddr(t)
	}
	return s
}

// djangoSessions is a Django with the databases, caches and files that it has
// in common with djedge.
type djangoSessions struct {
	python      *pythonSessions
	interpreter string
	version     version.Version
	zone        *time.Location
	databases   map[string]host.DB
	caches      []cacheFormat
	storage     map[string]host.Storage // by name of the cache; "": files
}

// start runs a Django of the release; with a zone it is without USE_TZ.
func (s stores) start(t *testing.T, release string, zone *time.Location) *djangoSessions {
	t.Helper()
	d := &djangoSessions{zone: zone, databases: map[string]host.DB{}, storage: map[string]host.Storage{}}
	d.interpreter = testservers.Component(t, venv(release)+"/bin/python")
	var err error
	if d.version, err = version.Parse(release); err != nil {
		t.Fatal(err)
	}
	databases := map[string]any{"default": map[string]any{}}
	for _, kind := range s.databases {
		d.databases[kind], databases[kind] = newDatabase(t, kind)
	}
	caches := map[string]any{"default": map[string]any{"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
	for _, f := range cacheFormats() {
		location := s.redis
		if f.set.Format == djsession.CacheMemcached {
			location = s.memcached
		}
		if !f.in(release) || location == "" {
			continue
		}
		d.caches, d.storage[f.name] = append(d.caches, f), openCache(t, f, location)
		backend := map[string]any{"BACKEND": f.backend, "LOCATION": location, "KEY_PREFIX": f.set.KeyPrefix}
		if f.set.Version != 0 {
			backend["VERSION"] = f.set.Version
		}
		if f.options != nil {
			backend["OPTIONS"] = f.options
		}
		caches[f.name] = backend
	}
	folder := t.TempDir()
	kept, err := files.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kept.Close() })
	d.storage[""] = kept
	settings := map[string]any{
		"SECRET_KEY": sessionSecret, "USE_TZ": zone == nil, "INSTALLED_APPS": []string{"django.contrib.sessions"},
		"DATABASES": databases, "CACHES": caches, "SESSION_FILE_PATH": folder,
	}
	if zone != nil {
		settings["TIME_ZONE"] = zone.String()
	}
	d.python = startPython(t, venv(release), settings)
	return d
}

func openCache(t *testing.T, f cacheFormat, location string) host.Storage {
	t.Helper()
	var storage interface {
		host.Storage
		Close() error
	}
	var err error
	if f.set.Format == djsession.CacheMemcached {
		storage, err = memcached.Open(t.Context(), location)
	} else {
		storage, err = redis.Open(t.Context(), location)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = storage.Close() })
	return storage
}

// sites are every engine with every database and cache that it can use.
func (d *djangoSessions) sites() []sessionSite {
	sites := []sessionSite{
		{djangoSessions: d, engine: djsession.EngineSignedCookies},
		{djangoSessions: d, engine: djsession.EngineFile},
	}
	for _, f := range d.caches {
		sites = append(sites, sessionSite{djangoSessions: d, engine: djsession.EngineCache, cache: f})
	}
	for _, kind := range slices.Sorted(maps.Keys(d.databases)) {
		sites = append(sites, sessionSite{djangoSessions: d, engine: djsession.EngineDB, database: kind})
		for _, f := range d.caches {
			sites = append(sites, sessionSite{djangoSessions: d, engine: djsession.EngineCachedDB, database: kind, cache: f})
		}
	}
	return sites
}

// sessionSite is one kind of site.
type sessionSite struct {
	*djangoSessions
	engine   djsession.Engine
	database string
	cache    cacheFormat
}

func (site sessionSite) name() string {
	return strings.Join(strings.Fields(string(site.engine)+" "+site.database+" "+site.cache.name), " ")
}

// cell is what docs/compat.md says of the site when its test has passed.
func (site sessionSite) cell() record.Cell {
	return record.Cell{Python: site.interpreter, Engine: string(site.engine), Database: site.database, Cache: site.cache.name}
}

// open is the same site here.
func (site sessionSite) open(t *testing.T) (*djsession.Store, siteEffects) {
	t.Helper()
	store, err := djsession.New(djsession.Settings{Engine: site.engine, Version: site.version, Zone: site.zone, Cache: site.cache.set,
		Dialect: dialects[site.database], Keys: signing.DeriveKeys("", sessionSecret, nil)})
	if err != nil {
		t.Fatal(err)
	}
	return store, siteEffects{db: site.databases[site.database], storage: site.storage[site.cache.name]}
}

// do asks Django.
func (site sessionSite) do(t *testing.T, r sessionRequest) sessionAnswer {
	t.Helper()
	r.Engine, r.Database, r.Cache = string(site.engine), site.database, site.cache.name
	if r.Cache == "" {
		r.Cache = "default"
	}
	return site.python.do(t, r)
}
