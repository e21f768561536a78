package gate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/version"
)

// CSRFHeader is the header that CSRF_HEADER_NAME means: a name in HTTP, or as
// WSGI and so Django spell it, "HTTP_X_CSRFTOKEN". "" is the default.
func CSRFHeader(setting string) string {
	if name, meta := strings.CutPrefix(setting, "HTTP_"); meta {
		return strings.ReplaceAll(name, "_", "-")
	}
	return cmp.Or(setting, "X-CSRFToken")
}

// CSRFSettings are those of Django that CsrfViewMiddleware looks at. Zero
// values are the documented defaults.
type CSRFSettings struct {
	// Version is the site's Django; [version.Default] when it is zero. Since
	// 4.0 the Origin header is checked, since 4.1 secrets are kept unmasked.
	Version version.Version
	// CookieName is CSRF_COOKIE_NAME, "csrftoken".
	CookieName string
	// HeaderName is CSRF_HEADER_NAME, "X-CSRFToken", by its name in HTTP or as
	// Django has it; see [CSRFHeader].
	HeaderName string
	// UseSessions is CSRF_USE_SESSIONS: the secret is in the session, under
	// "_csrftoken", and there is no cookie.
	UseSessions bool
	// CookieMasked is CSRF_COOKIE_MASKED of 4.1 and 4.2. It changes what is
	// written, not what is read.
	CookieMasked bool
	// CookieDomain is CSRF_COOKIE_DOMAIN or, with UseSessions,
	// SESSION_COOKIE_DOMAIN. Without one the Referer's host must be the request's.
	CookieDomain string
	// TrustedOrigins is CSRF_TRUSTED_ORIGINS: "https://*.example.com" since
	// 4.0, before that bare hosts, ".example.com" for a domain and all under it.
	TrustedOrigins []string
	// AllowedHosts is ALLOWED_HOSTS. Without any, no Host is the site's own.
	AllowedHosts []string
}

// CSRF is Django's CsrfViewMiddleware as rules, for form posts that Django
// pages and djedge share. It is safe for concurrent use.
type CSRF struct {
	s          CSRFSettings
	exact      []string // origins without "*"
	subdomains []splitURL
	referers   []string // hosts that a Referer may be of
}

// NewCSRF checks the settings. An error names the setting that is wrong.
func NewCSRF(s CSRFSettings) (*CSRF, error) {
	s.Version = s.Version.Or(version.Default)
	s.CookieName = cmp.Or(s.CookieName, "csrftoken")
	s.HeaderName = CSRFHeader(s.HeaderName)
	s.TrustedOrigins, s.AllowedHosts = slices.Clone(s.TrustedOrigins), slices.Clone(s.AllowedHosts)
	c := &CSRF{s: s}
	switch {
	case !djsession.IsToken(s.CookieName):
		return nil, errorf.Errorf("csrf_cookie_name %q is not a cookie name", s.CookieName)
	case !djsession.IsToken(s.HeaderName):
		return nil, errorf.Errorf("csrf_header_name %q is not a header name", s.HeaderName)
	}
	for _, o := range s.TrustedOrigins {
		u, ok := urlsplit(o)
		old := !s.Version.AtLeast(4, 0)
		switch {
		case old && strings.Contains(o, "/"):
			return nil, errorf.Errorf("csrf_trusted_origins %q is not a host; origins came with Django 4.0", o)
		case old:
			c.referers = append(c.referers, o)
			continue
		case !ok || u.scheme == "" || u.netloc == "": // Django's check 4_0.E001
			return nil, errorf.Errorf("csrf_trusted_origins %q is not an origin such as https://example.com", o)
		}
		host := strings.TrimLeft(u.netloc, "*")
		c.referers = append(c.referers, host)
		if strings.Contains(o, "*") {
			c.subdomains = append(c.subdomains, splitURL{scheme: u.scheme, netloc: host})
		} else {
			c.exact = append(c.exact, o)
		}
	}
	return c, nil
}

// CSRFRequest is what is looked at besides a [Request], whose headers must
// hold cookie, origin, referer and HeaderName.
type CSRFRequest struct {
	// Form is the field csrfmiddlewaretoken of a form in the body, "" without one.
	Form string
	// Session is the session's "_csrftoken", "" without one; read with UseSessions only.
	Session string
	// Port is the port that the server listens on (SERVER_PORT, or what a
	// trusted proxy says it is); "" is the scheme's own. It matters with
	// CookieDomain only.
	Port string
}

// Check decides as CsrfViewMiddleware.process_view does. The error is a
// [*Denied]: [ReasonOriginMismatch] for the Origin or Referer header,
// [ReasonCrossSite] for a missing or wrong token or cookie, with Django's
// words as the detail. A request without a CSRF cookie is refused too, logged
// in or not, or a stranger's page could log its reader in.
func (c *CSRF) Check(req Request, form CSRFRequest) error {
	method := strings.ToUpper(req.Method)
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return nil
	}
	origin, hasOrigin := header(req, "origin")
	switch {
	case hasOrigin && c.s.Version.AtLeast(4, 0):
		if !c.trustedOrigin(req, origin) {
			return &Denied{ReasonOriginMismatch, "Origin checking failed - " + origin + " does not match any trusted origins."}
		}
	case req.Scheme == "https":
		if why := c.checkReferer(req, form.Port); why != "" {
			return &Denied{ReasonOriginMismatch, "Referer checking failed - " + why}
		}
	}
	if method != "POST" {
		form.Form = "" // Django parses no other body
	}
	if why := c.checkToken(req, form); why != "" {
		return &Denied{ReasonCrossSite, why}
	}
	return nil
}

// checkToken returns why the token or the cookie is wrong, "" when they match.
func (c *CSRF) checkToken(req Request, form CSRFRequest) string {
	modern := c.s.Version.AtLeast(4, 0)
	stored, found := c.stored(req, form)
	switch {
	case !found:
		return "CSRF cookie not set."
	case modern && !c.s.UseSessions:
		if err := csrfFormat(stored); err != nil {
			return "CSRF cookie " + err.Error() + "."
		}
	}
	secret, ok := UnmaskCSRF(stored)
	if c.s.UseSessions && !c.s.Version.AtLeast(4, 1) && len(stored) != csrfToken {
		ok = false // a session holds a masked secret there, and nothing else is read
	}
	token, source := form.Form, "POST"
	if token == "" {
		if token, found = header(req, strings.ToLower(c.s.HeaderName)); !found && modern {
			return "CSRF token missing."
		}
		source = "the '" + title(c.s.HeaderName) + "' HTTP header"
	}
	err := csrfFormat(token)
	switch {
	case err == nil && ok && MatchCSRF(token, secret):
		return ""
	case !modern:
		return "CSRF token missing or incorrect."
	case err != nil:
		return "CSRF token from " + source + " " + err.Error() + "."
	}
	return "CSRF token from " + source + " incorrect."
}

// Secret is the secret that the request brings, for the tokens of a page
// ([MaskCSRF] with a new mask). Without one, or with one that is none, the
// caller makes a new one and stores it as [CSRF.Stored] says.
func (c *CSRF) Secret(req Request, form CSRFRequest) (secret string, ok bool) {
	stored, found := c.stored(req, form)
	if !found {
		return "", false
	}
	return UnmaskCSRF(stored)
}

// Stored is how the version keeps a secret in the cookie or the session:
// plain since 4.1, before that and with CookieMasked behind a mask, which is
// another new secret.
func (c *CSRF) Stored(secret, mask string) string {
	v := c.s.Version
	if !v.AtLeast(4, 1) || c.s.CookieMasked && !v.AtLeast(5, 0) {
		return MaskCSRF(secret, mask)
	}
	return secret
}

func (c *CSRF) stored(req Request, form CSRFRequest) (stored string, found bool) {
	if c.s.UseSessions {
		return form.Session, form.Session != ""
	}
	for i := range req.Headers {
		if !sameName(req.Headers[i].Name, "cookie") {
			continue
		}
		for _, pair := range ParseCookies(req.Headers[i].Value) {
			if pair.Name == c.s.CookieName {
				stored, found = pair.Value, true
			}
		}
	}
	return stored, found
}

// header is a header's value, several of them joined as WSGI servers do.
func header(req Request, lower string) (value string, found bool) {
	for i := range req.Headers {
		if !sameName(req.Headers[i].Name, lower) {
			continue
		}
		if found {
			value += ","
		}
		value += req.Headers[i].Value
		found = true
	}
	return value, found
}

// title is Python's str.title() of a header's name.
func title(s string) string {
	b := []byte(strings.ToLower(s))
	for i, c := range b {
		if c >= 'a' && c <= 'z' && (i == 0 || b[i-1]|0x20 < 'a' || b[i-1]|0x20 > 'z') {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}
