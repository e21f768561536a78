// Package serve is the HTTP side of djedge: forward authentication for
// proxies, and, when it is asked for, a small JSON API and a page to log in.
//
// Only /auth is open by default. Every other endpoint is opened by name,
// answers JSON, and refuses what it does not know. Nothing here decides who a
// user is: every decision is an operation of the host, and this package turns
// it into HTTP. What cannot be decided is 503, never 200.
package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// Host is what is needed of a host.Host.
type Host interface {
	// Do runs one operation. It never fails: an error is a decision.
	Do(ctx context.Context, op *abi.Op) *abi.Result
	// Summary is what the rules may look at in r.
	Summary(r *http.Request) gate.Request
	// Columns names the values of a result's user, in order.
	Columns() []query.Column
}

// Names of the endpoints that can be opened; see [Config.API].
const (
	Me             = "me"              // GET /api/me
	Login          = "login"           // POST /api/login
	Logout         = "logout"          // POST /api/logout
	Register       = "register"        // POST /api/register
	ChangePassword = "change-password" // POST /api/change-password
	Page           = "page"            // GET /, which needs all the others
)

// Endpoints lists every name that [Config.API] may hold.
func Endpoints() []string { return []string{Me, Login, Logout, Register, ChangePassword, Page} }

// Config describes a server. Only Host is required.
type Config struct {
	Host Host
	// API names the endpoints to open beside /auth; default none.
	API []string
	// HiddenSessionKeys are left out of the session that /api/me shows;
	// default "_auth_user_hash" and "_csrftoken".
	HiddenSessionKeys []string
	// TrustedProxies may tell the client's address (X-Forwarded-For) and
	// scheme (X-Forwarded-Proto). Empty: nobody may, and the headers are ignored.
	TrustedProxies []netip.Prefix
	// Rules says that the host has a rule list, which then decides about
	// /auth by the method and path of the original request; else a login is
	// required, whatever the request. It needs ForwardedHeaders and TrustedProxies.
	Rules bool
	// ForwardedHeaders is where the proxy says what the original request is:
	// [XForwarded], [XOriginal] or [InPath]. It counts from TrustedProxies only.
	ForwardedHeaders string
	// LoginURL is where /auth sends a browser that opens a page without a
	// login: a path, or a URL. Default: nowhere, it is 401. It needs
	// ForwardedHeaders, but for nginx, and TrustedProxies.
	LoginURL string
	// RedirectHosts are the hosts, with their ports, that a redirect may lead
	// to: back from LoginURL when that is on another host, and from a form.
	// Without any only paths are followed.
	RedirectHosts []string
	// CSRFHeaderName is host.Config's: where a form may have its token besides
	// its field. Default "X-CSRFToken".
	CSRFHeaderName string
	// Limits slow down guessing.
	Limits Limits
	// Metrics counts decisions; default: a counter nobody reads. See [NewAdmin].
	Metrics *Metrics
	// Logger gets one line for each operation that takes a password or fails;
	// default: nothing is logged. Secrets are never logged.
	Logger *slog.Logger
}

// server is the handler behind [New].
type server struct {
	host    Host
	routes  map[string]route
	members []string // of the user in /api/me
	hidden  []string
	trusted []netip.Prefix
	address *limiter // requests to password endpoints, by client address
	user    *limiter // failed logins, by user name
	metrics *Metrics
	log     *slog.Logger
	now     func() time.Time

	maxPassword int // bytes
	csrfHeader  string

	rules               bool
	forwarded, loginURL string
	loginHost           string // of loginURL; "" is the request's
	loginPath           string
	hosts               []string // that a redirect may lead to
	untrusted           sync.Once
}

// route is one exact path and the methods it takes.
type route struct {
	methods []string
	handle  http.HandlerFunc
}

// New returns the handler for cfg. An error names the setting that is wrong.
func New(cfg Config) (http.Handler, error) {
	s, err := newServer(cfg)
	if err != nil {
		return nil, err // not a typed nil
	}
	return s, nil
}

func newServer(cfg Config) (*server, error) {
	if cfg.Host == nil {
		return nil, errors.New("serve: no host")
	}
	s := &server{
		host:    cfg.Host,
		members: members(cfg.Host.Columns()),
		hidden:  cfg.HiddenSessionKeys,
		trusted: cfg.TrustedProxies,
		address: newLimiter(cfg.Limits.PasswordRequests, defaultPasswordRequests, addressWindow),
		user:    newLimiter(cfg.Limits.UserFailures, defaultUserFailures, userWindow),
		metrics: cfg.Metrics,
		log:     cfg.Logger,
		now:     time.Now,

		maxPassword: cmp.Or(cfg.Limits.PasswordBytes, defaultPasswordBytes),
		csrfHeader:  gate.CSRFHeader(cfg.CSRFHeaderName),
	}
	if s.hidden == nil {
		s.hidden = []string{"_auth_user_hash", "_csrftoken"}
	}
	if s.metrics == nil {
		s.metrics = NewMetrics()
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.configureForwarding(&cfg); err != nil {
		return nil, err
	}
	if err := s.open(cfg.API); err != nil {
		return nil, err
	}
	return s, nil
}

// open fills the routes of the named endpoints.
func (s *server) open(names []string) error {
	get, post := []string{http.MethodGet, http.MethodHead}, []string{http.MethodPost}
	api := map[string]route{
		Me:             {get, s.me},
		Login:          {post, s.login},
		Logout:         {post, s.logout},
		Register:       {post, s.register},
		ChangePassword: {post, s.changePassword},
	}
	s.routes = make(map[string]route)
	for _, name := range names {
		switch r, ok := api[name]; {
		case ok:
			s.routes["/api/"+name] = r
		case name != Page:
			return fmt.Errorf("api: %q is not one of %s", name, strings.Join(Endpoints(), ", "))
		}
	}
	if slices.Contains(names, Page) {
		for name := range api {
			if !slices.Contains(names, name) {
				return fmt.Errorf("api: %q needs %q to be open too", Page, name)
			}
		}
		for path, handle := range s.pageFiles() {
			s.routes[path] = route{get, handle}
		}
	}
	return nil
}

// The headers of every answer; whoever adds to one makes a copy.
var noStore, varyCookie, noSniff = []string{"no-store"}, []string{"Cookie"}, []string{"nosniff"}

// ServeHTTP does its own routing: http.ServeMux would answer a forward-auth
// request for "/auth//a" or "/auth/a/../b" with a redirect.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Every answer depends on who asks, and none may be kept.
	h := w.Header()
	h["Cache-Control"], h["Vary"], h["X-Content-Type-Options"] = noStore, varyCookie, noSniff

	path := r.URL.Path
	if path == "/auth" || strings.HasPrefix(path, "/auth/") {
		s.auth(w, r)
		return
	}
	route, ok := s.routes[path]
	switch {
	case !ok:
		answer(w, http.StatusNotFound, message("Not found"))
	case !slices.Contains(route.methods, r.Method):
		h.Set("Allow", strings.Join(route.methods, ", "))
		answer(w, http.StatusMethodNotAllowed, message("Method not allowed"))
	default:
		route.handle(w, r)
	}
}

// auth answers a proxy's question: may this request pass? Without rules it may
// when its user is logged in; its method, path and body do not matter.
func (s *server) auth(w http.ResponseWriter, r *http.Request) {
	asked, err := s.original(r)
	op := &abi.Op{Kind: abi.OpCheck, Request: asked, Require: gate.Authenticated}
	if s.rules {
		op.Require = gate.ByRules
		if err != nil {
			s.unknown(w, r, err)
			return
		}
	}
	result := s.do(r, op)
	d := &result.Decision
	switch d.Outcome {
	case gate.Allow:
		// Every identity header is set, the empty ones too: a proxy that
		// copies them must overwrite what a client made up.
		h, values := w.Header(), make([]string, len(d.SetHeaders))
		for i, header := range d.SetHeaders {
			values[i] = header.Value
			h[header.Name] = values[i : i+1 : i+1]
		}
		s.cookies(w, d)
		w.WriteHeader(http.StatusOK)
	case gate.Deny, gate.Redirect:
		if err == nil {
			if location := s.redirect(r, asked, d); location != "" {
				w.Header().Set("Location", location)
				w.WriteHeader(http.StatusFound)
				return
			}
		}
		// nginx turns all but these two into a 500.
		if d.Status == http.StatusForbidden {
			w.WriteHeader(http.StatusForbidden)
		} else {
			w.WriteHeader(http.StatusUnauthorized)
		}
	default:
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// unknown answers a question about a request that is not known. Somebody asks
// who is no proxy of ours, or the proxy is not configured; then the log says so
// once.
func (s *server) unknown(w http.ResponseWriter, r *http.Request, why error) {
	d := gate.Decision{Outcome: gate.Deny, Status: http.StatusForbidden, Reason: gate.ReasonBadRequest, Detail: why.Error()}
	s.record(r, abi.OpCheck, "", &d, time.Time{})
	s.untrusted.Do(func() {
		s.log.Warn("a question of a proxy was refused: see trusted_proxies and forwarded_headers", "address", peer(r).String(), "error", why)
	})
	w.WriteHeader(d.Status)
}

// cookies adds d's cookies to the answer.
func (s *server) cookies(w http.ResponseWriter, d *gate.Decision) {
	for _, cookie := range d.Cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
}
