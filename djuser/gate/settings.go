package gate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/version"
)

// Settings of a [Gate]. Zero values are the documented defaults.
type Settings struct {
	// CookieName is SESSION_COOKIE_NAME, "sessionid".
	CookieName string
	// PublicOrigins are the origins ("https://example.com") under which
	// browsers see the site. Without any, an unsafe request that brings an
	// Origin header is refused, except on loopback.
	PublicOrigins []string
	// Loopback says that the listener is reachable from this machine only.
	// Then the Host of an unsafe request must be localhost, 127.0.0.1, [::1]
	// or that of a public origin, because any other name may be a DNS
	// rebinding attack, and an Origin may also equal scheme and Host.
	Loopback bool
	// Names of the identity headers: Remote-User, Remote-User-Id,
	// Remote-Email, Remote-Staff, Remote-Superuser.
	HeaderUser, HeaderUserID, HeaderEmail, HeaderStaff, HeaderSuperuser string
	// Rules is the rule list behind [ByRules].
	Rules []Rule
	// CSRF is how Django's CSRF tokens are checked in forms. PublicOrigins
	// are trusted besides its TrustedOrigins, and with Loopback the names of
	// this machine besides its AllowedHosts.
	CSRF CSRFSettings
}

// Gate decides requests. It is safe for concurrent use.
type Gate struct {
	cookie      string
	loopback    bool
	origins     []origin
	headers     [numHeaders]string
	nobody      []Header // every identity header, empty
	everyName   []string // every identity header in every spelling
	requestWant []string
	rules       []rule
	csrf        *CSRF
}

// The identity headers, in the order in which they are set.
const (
	headerUser = iota
	headerUserID
	headerEmail
	headerStaff
	headerSuperuser
	numHeaders
)

// maxDashes bounds the spellings of a header name (two for each dash).
const maxDashes = 5

// reservedHeaders cannot carry an identity, since setting or removing them
// changes what a message means or where it goes: hop-by-hop headers (RFC 9110
// section 7.6.1), and those by which servers, proxies and Django route, frame,
// cache and trust. The request headers that the rules read are as little free.
var reservedHeaders = []string{
	"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "upgrade",
	"host", "set-cookie", "authorization", "www-authenticate", "location", "vary", "cache-control", "expect", "content-encoding",
	"date", "server", "x-content-type-options", "retry-after", "allow",
	"referer", "x-csrftoken", "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
}

// New checks the settings. An error names the setting that is wrong.
func New(s Settings) (*Gate, error) {
	g := &Gate{
		cookie:   cmp.Or(s.CookieName, "sessionid"),
		loopback: s.Loopback,
		headers: [numHeaders]string{
			cmp.Or(s.HeaderUser, "Remote-User"),
			cmp.Or(s.HeaderUserID, "Remote-User-Id"),
			cmp.Or(s.HeaderEmail, "Remote-Email"),
			cmp.Or(s.HeaderStaff, "Remote-Staff"),
			cmp.Or(s.HeaderSuperuser, "Remote-Superuser"),
		},
		requestWant: []string{"cookie", "origin", "sec-fetch-site", "content-type", "content-length", "transfer-encoding", "referer"},
	}
	if !djsession.IsToken(g.cookie) {
		return nil, errorf.Errorf("session_cookie_name %q is not a cookie name", g.cookie)
	}
	for _, text := range s.PublicOrigins {
		o, ok := parseOrigin(text)
		if !ok {
			return nil, errorf.Errorf("public_origin %q is not an origin such as https://example.com", text)
		}
		g.origins = append(g.origins, o)
	}
	var err error
	if g.rules, err = compileRules(s.Rules); err != nil {
		return nil, err
	}
	if g.csrf, err = NewCSRF(g.trusting(s.CSRF)); err != nil {
		return nil, err
	}
	if name := strings.ToLower(g.csrf.s.HeaderName); !slices.Contains(g.requestWant, name) {
		g.requestWant = append(g.requestWant, name)
	}
	settings := [numHeaders]string{"header_user", "header_user_id", "header_email", "header_staff", "header_superuser"}
	seen := map[string]bool{}
	for i, name := range g.headers {
		alias := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		switch {
		case !djsession.IsToken(name) || strings.Count(alias, "-") > maxDashes:
			return nil, errorf.Errorf("%s %q is not a header name", settings[i], name)
		case slices.Contains(g.requestWant, alias) || slices.Contains(reservedHeaders, alias):
			return nil, errorf.Errorf("%s %q is a header with a meaning of its own", settings[i], name)
		case seen[alias]:
			return nil, errorf.Errorf("%s %q is the name of another identity header too", settings[i], name)
		}
		seen[alias] = true
		g.nobody = append(g.nobody, Header{Name: name})
		g.everyName = append(g.everyName, spellings(name)...)
	}
	return g, nil
}

// CSRF is the gate's own check of tokens.
func (g *Gate) CSRF() *CSRF { return g.csrf }

// trusting is s with what the gate trusts already.
func (g *Gate) trusting(s CSRFSettings) CSRFSettings {
	s.TrustedOrigins, s.AllowedHosts = slices.Clone(s.TrustedOrigins), slices.Clone(s.AllowedHosts)
	origins := s.Version.Or(version.Default).AtLeast(4, 0)
	for _, o := range g.origins {
		if origins {
			s.TrustedOrigins = append(s.TrustedOrigins, o.String())
		} else {
			s.TrustedOrigins = append(s.TrustedOrigins, o.hostport())
		}
	}
	if g.loopback {
		s.AllowedHosts = append(s.AllowedHosts, "localhost", "127.0.0.1", "[::1]")
	}
	return s
}

// HeaderNames are the headers that a request summary must bring, in lower
// case. A server that keeps Transfer-Encoding apart from the headers, as Go's
// net/http does, puts it back: without it a chunked body looks like none.
// The result is shared; it must not be changed.
func (g *Gate) HeaderNames() []string { return g.requestWant }

// spellings are all forms of a header name that a proxy or a CGI-like
// interface may take for the same: "-" and "_" are one there (CVE-2026-3902;
// oauth2-proxy CVE-2025-64484). Case does not matter to anyone.
func spellings(name string) []string {
	all := []string{""}
	for i := 0; i < len(name); i++ {
		chars := name[i : i+1]
		if chars == "-" || chars == "_" {
			chars = "-_"
		}
		longer := make([]string, 0, len(all)*len(chars))
		for _, c := range []byte(chars) {
			for _, prefix := range all {
				longer = append(longer, prefix+string(c))
			}
		}
		all = longer
	}
	return all
}

// sameName compares a header name without case. Unlike strings.EqualFold it
// folds ASCII only: the Kelvin sign is no k.
func sameName(name, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// one returns the value of the header with this lower-case name and how often it came.
func (r *Request) one(lower string) (value string, count int) {
	for i := range r.Headers {
		if sameName(r.Headers[i].Name, lower) {
			value = r.Headers[i].Value
			count++
		}
	}
	return value, count
}
