package bench

import (
	"context"
	"errors"
	"strings"

	"github.com/djedge/djedge/build/bench/measure"
	"github.com/djedge/djedge/build/bench/process"
)

// row is one line of the table of checks.
type row struct {
	name  string
	start func(ctx context.Context, group *process.Group) (*server, error)
	// fresh rows are started for every round and asked for each session once.
	fresh bool
	// compared rows are measured whatever rows are asked for.
	compared bool
	postgres bool
}

// errAbsent is why a row cannot be measured here.
type errAbsent struct{ error }

// site is what the rows run on.
type site struct {
	*run
	postgres *process.Process
	addr     string // PostgreSQL's
	current  *database
	old      *database // of the Django whose sessions the seed can read
	sqlite   *database
	seedErr  error // why there is no seed
}

// names of the rows that results are made of.
const (
	rowDjedge       = "djedge, native engine"
	rowModule       = "djedge, module engine"
	rowNeverSeen    = "djedge, every key for the first time"
	rowSQLite       = "djedge, SQLite"
	rowCookies      = "djedge, signed cookies, no database"
	rowHello        = "net/http hello"
	rowGthread      = "Django 5.2, gunicorn gthread"
	rowDjangoSQLite = "Django 5.2, gunicorn gthread, SQLite"
	rowSeed         = "async-django-user, aiohttp"
	rowPython       = "djedge's Python package, aiohttp"
)

func (s *site) rows() []row {
	djedge := func(name, path string, db *database, flags ...string) func(context.Context, *process.Group) (*server, error) {
		return func(ctx context.Context, group *process.Group) (*server, error) {
			server, err := s.startDjedge(ctx, group, name, db.url, flags...)
			if err != nil {
				return nil, err
			}
			return server.ask(path, s.measured(db)), nil
		}
	}
	django := func(path string, db *database, arguments func(*run, string) []string) func(context.Context, *process.Group) (*server, error) {
		return func(ctx context.Context, group *process.Group) (*server, error) {
			server, err := s.startDjango(ctx, group, "django", db, arguments)
			if err != nil {
				return nil, err
			}
			return server.ask(path, s.measured(db)), nil
		}
	}
	return []row{
		{name: rowGthread, start: django("/api/me", s.current, gunicorn("gthread")), postgres: true},
		{name: "Django 5.2, gunicorn sync", start: django("/api/me", s.current, gunicorn("sync")), postgres: true},
		{name: "Django 5.2, uvicorn, psycopg pool", start: django("/async/me", pooled(s.current), uvicorn), postgres: true},
		{name: rowSeed, start: s.seed, postgres: true},
		{name: rowPython, start: s.python, postgres: true},
		{name: "oauth2-proxy, /oauth2/auth, cookies", start: s.oauth2Proxy},
		{name: rowHello, start: s.hello},
		{name: rowDjedge, start: djedge("djedge", "/api/me", s.current, "--engine", "native"), postgres: true, compared: true},
		{name: "djedge, native engine, /auth", start: s.forwardAuth("native"), postgres: true},
		{name: rowModule, start: djedge("djedge-module", "/api/me", s.current, "--engine", "wasm"), postgres: true},
		{name: "djedge, module engine, /auth", start: s.forwardAuth("wasm"), postgres: true},
		{name: rowNeverSeen, start: s.neverSeen, postgres: true, fresh: true},
		{name: "djedge, max_staleness 1s", start: s.stale, postgres: true},
		{name: "djedge, signed cookies, user's row read", start: s.cookies, postgres: true},
		{name: rowCookies, start: s.cookiesAlone},
		{name: rowSQLite, start: djedge("djedge-sqlite", "/api/me", s.sqlite, "--engine", "native")},
		{name: rowDjangoSQLite, start: django("/api/me", s.sqlite, gunicorn("gthread"))},
	}
}

// wanted says whether a row is measured in this run.
func (s *site) wanted(row row) bool {
	if len(s.Only) == 0 || row.compared {
		return true
	}
	for _, part := range s.Only {
		if strings.Contains(row.name, part) {
			return true
		}
	}
	return false
}

func (s *site) seed(_ context.Context, group *process.Group) (*server, error) {
	if s.seedErr != nil {
		return nil, errAbsent{s.seedErr}
	}
	server, err := s.startSeed(group, s.old)
	if err != nil {
		return nil, err
	}
	return server.ask("/api/me", s.measured(s.old)), nil
}

// python is what takes the seed's place in a program like it.
func (s *site) python(ctx context.Context, group *process.Group) (*server, error) {
	if err := s.install(ctx, "python-djedge"); err != nil {
		return nil, errAbsent{err}
	}
	server, err := s.startPython(group, s.current)
	if err != nil {
		return nil, err
	}
	return server.ask("/api/me", s.measured(s.current)), nil
}

func (s *site) oauth2Proxy(ctx context.Context, group *process.Group) (*server, error) {
	if err := s.install(ctx, "oauth2-proxy"); err != nil {
		return nil, errAbsent{err}
	}
	return s.startOAuth2Proxy(ctx, group)
}

func (s *site) hello(ctx context.Context, group *process.Group) (*server, error) {
	server, err := s.startHello(ctx, group)
	if err != nil {
		return nil, err
	}
	server.requests = []measure.Request{measure.NewRequest(server.addr, "/", "sessionid="+s.current.sessions[0].key, 200, "hello")}
	return server, nil
}

// forwardAuth is what a proxy asks for: identity in headers.
func (s *site) forwardAuth(engine string) func(context.Context, *process.Group) (*server, error) {
	return func(ctx context.Context, group *process.Group) (*server, error) {
		server, err := s.startDjedge(ctx, group, "djedge-auth-"+engine, s.current.url, "--engine", engine)
		if err != nil {
			return nil, err
		}
		for _, v := range s.measured(s.current) {
			server.requests = append(server.requests, measure.NewRequest(server.addr, "/auth", "sessionid="+v.key, 200, "Remote-User: "+v.username+"\r\n"))
		}
		return server, nil
	}
}

// neverSeen has spare sessions to warm up with: what remains of a start is not part of a check.
func (s *site) neverSeen(ctx context.Context, group *process.Group) (*server, error) {
	server, err := s.startDjedge(ctx, group, "djedge-fresh", s.current.url, "--engine", "native")
	if err != nil {
		return nil, err
	}
	server.ask("/api/me", s.current.sessions[s.Sessions:])
	server.spare, server.requests = server.requests, nil
	return server.ask("/api/me", s.measured(s.current)), nil
}

func (s *site) stale(ctx context.Context, group *process.Group) (*server, error) {
	if !s.djedgeHas(ctx, "max-staleness") {
		return nil, errAbsent{errors.New("this djedge has no max_staleness")}
	}
	server, err := s.startDjedge(ctx, group, "djedge-stale", s.current.url, "--engine", "native", "--max-staleness", "1s")
	if err != nil {
		return nil, err
	}
	return server.ask("/api/me", s.measured(s.current)), nil
}

func (s *site) cookies(ctx context.Context, group *process.Group) (*server, error) {
	server, err := s.startDjedge(ctx, group, "djedge-cookies", s.current.url, "--engine", "native", "--session-engine", "signed_cookies")
	if err != nil {
		return nil, err
	}
	for _, v := range s.measured(s.current) {
		server.requests = append(server.requests, measure.NewRequest(server.addr, "/api/me", "sessionid="+v.cookie, 200, `"`+v.username+`"`))
	}
	return server, nil
}

// cookiesAlone knows the user's id and nothing else.
func (s *site) cookiesAlone(ctx context.Context, group *process.Group) (*server, error) {
	if !s.djedgeHas(ctx, "user-check") {
		return nil, errAbsent{errors.New("this djedge has no user_check")}
	}
	server, err := s.startDjedge(ctx, group, "djedge-cookies-alone", "", "--engine", "native", "--session-engine", "signed_cookies", "--user-check", "none")
	if err != nil {
		return nil, err
	}
	for _, v := range s.measured(s.current) {
		server.requests = append(server.requests, measure.NewRequest(server.addr, "/auth", "sessionid="+v.cookie, 200, "Remote-User-Id: "+v.userID+"\r\n"))
	}
	return server, nil
}
