package serve

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/djedge/djedge/djuser/gate"
)

// The values of [Config.ForwardedHeaders]: where a proxy says which request it
// asks about. It is one place for each proxy, because what a proxy does not
// write itself it passes on from the client.
const (
	// XForwarded is X-Forwarded-Method and X-Forwarded-Uri, with
	// X-Forwarded-Host and X-Forwarded-Proto: Traefik and Caddy.
	XForwarded = "x-forwarded"
	// XOriginal is X-Original-Method and X-Original-URI, as nginx is
	// configured to send.
	XOriginal = "x-original"
	// InPath is the method of the request itself, and its path after /auth:
	// Envoy with the path prefix /auth.
	InPath = "path"
)

var (
	errUntrusted    = errors.New("the client is no trusted proxy")
	errNotForwarded = errors.New("forwarded_headers is not set")
)

// configureForwarding takes the settings that need to know the original request.
func (s *server) configureForwarding(cfg *Config) error {
	s.rules, s.forwarded, s.loginURL, s.hosts = cfg.Rules, cfg.ForwardedHeaders, cfg.LoginURL, cfg.RedirectHosts
	switch s.forwarded {
	case "", XForwarded, XOriginal, InPath:
	default:
		return fmt.Errorf("forwarded_headers: %q is not %s, %s or %s", s.forwarded, XForwarded, XOriginal, InPath)
	}
	needs := ""
	switch {
	case s.rules:
		needs = "rules need it"
	case s.loginURL != "":
		needs = "login_url needs it"
	}
	switch {
	case needs != "" && s.forwarded == "":
		return fmt.Errorf("forwarded_headers: %s: %s (Traefik, Caddy), %s (nginx) or %s (Envoy)", needs, XForwarded, XOriginal, InPath)
	case needs != "" && len(s.trusted) == 0:
		return fmt.Errorf("trusted_proxies: %s, because anybody can send the headers that say which request is meant", needs)
	case s.loginURL == "":
		return nil
	case s.forwarded == XOriginal:
		return errors.New("login_url: nginx makes a 500 of a redirect by /auth; redirect there, by error_page 401")
	}
	if _, err := gate.RedirectToLogin("/", s.loginURL, "next"); err != nil {
		return fmt.Errorf("login_url: %w", err)
	}
	u, err := url.Parse(s.loginURL)
	if err != nil || u.Host == "" && u.Scheme != "" || u.Host == "" && !strings.HasPrefix(u.Path, "/") || u.Fragment != "" {
		return errors.New("login_url: is neither a path such as /accounts/login/ nor a URL")
	}
	s.loginHost, s.loginPath = u.Host, u.EscapedPath()
	return nil
}

// original is the request that a proxy asks about. The error says why it
// cannot be known; the summary is then that of the question itself.
func (s *server) original(r *http.Request) (gate.Request, error) {
	asked := s.summary(r)
	summary := asked
	switch {
	case s.forwarded == "":
		return asked, errNotForwarded
	case !s.trusts(peer(r)):
		return asked, errUntrusted
	}
	var methodErr, uriErr error
	switch s.forwarded {
	case XForwarded:
		summary.Method, methodErr = single(r, "X-Forwarded-Method")
		summary.URI, uriErr = single(r, "X-Forwarded-Uri")
		summary.Host, _ = single(r, "X-Forwarded-Host") // it decides about redirects alone
	case XOriginal:
		summary.Method, methodErr = single(r, "X-Original-Method")
		summary.URI, uriErr = single(r, "X-Original-Uri")
	case InPath:
		uri, ok := strings.CutPrefix(r.RequestURI, "/auth")
		if !ok || !strings.HasPrefix(uri, "/") {
			uriErr = errors.New("the path does not begin with /auth/")
		}
		summary.URI = uri
	}
	if err := errors.Join(methodErr, uriErr); err != nil {
		return asked, err
	}
	return summary, nil
}

// single is the header that was sent once. A header that came twice was
// written by two, and there is no telling which of them was the proxy.
func single(r *http.Request, name string) (string, error) {
	values := r.Header[name]
	if len(values) != 1 || values[0] == "" {
		return "", fmt.Errorf("%s came %d times", name, len(values))
	}
	return values[0], nil
}

// redirect is the login page to send a browser to, instead of a 401; "" when
// the request is none that a person would see the answer of.
func (s *server) redirect(r *http.Request, asked gate.Request, d *gate.Decision) (location string) {
	path, _, _ := strings.Cut(asked.URI, "?")
	switch {
	case s.loginURL == "" || d.Outcome != gate.Deny || d.Status != http.StatusUnauthorized || asked.Method != http.MethodGet || !navigates(r):
		return ""
	case s.loginHost != "" && s.loginHost != asked.Host && !slices.Contains(s.hosts, asked.Host):
		return "" // the way back would lead to a host that we know nothing of
	case (s.loginHost == "" || s.loginHost == asked.Host) && path == s.loginPath:
		return "" // the login page itself is behind a login: else this went on for ever
	}
	location, err := gate.LoginRequired(asked, s.loginURL, "next")
	if err != nil {
		return ""
	}
	return location
}

// navigates reports whether a browser shows the answer as a page.
func navigates(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	if mode != "" && mode != "navigate" {
		return false
	}
	for part := range strings.SplitSeq(strings.Join(r.Header["Accept"], ","), ",") {
		media, _, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(media), "text/html") {
			return true
		}
	}
	return false
}
