package gate

// Settings of a [Gate]. Zero values are the documented defaults.
type Settings struct {
	// CookieName is SESSION_COOKIE_NAME, "sessionid".
	CookieName string
	// PublicOrigins are the origins ("https://example.com") under which
	// browsers see the site. Without any, a request that brings an Origin
	// header is refused, except on loopback.
	PublicOrigins []string
	// Loopback says that the listener is reachable from this machine only.
	// Then the Host of an unsafe request must be localhost, 127.0.0.1, [::1]
	// or that of a public origin, because any other name may be a DNS
	// rebinding attack, and an Origin may also equal scheme and Host.
	Loopback bool
	// Names of the identity headers: Remote-User, Remote-User-Id,
	// Remote-Email, Remote-Staff, Remote-Superuser.
	HeaderUser, HeaderUserID, HeaderEmail, HeaderStaff, HeaderSuperuser string
}

// Gate decides requests. It is safe for concurrent use.
type Gate struct{ settings Settings }

// New checks the settings. An error names the setting that is wrong.
func New(s Settings) (*Gate, error) { return &Gate{s}, nil }

// HeaderNames are the headers that a request summary must bring, in lower case.
func (g *Gate) HeaderNames() []string { return nil }

// Pair is a cookie.
type Pair struct{ Name, Value string }

// ParseCookies reads a Cookie header as Django's parse_cookie does.
func ParseCookies(header string) []Pair { return nil }

// SessionKey is the session cookie's value as Django reads it.
func (g *Gate) SessionKey(req Request) (key string, present bool) { return "", false }

// CheckUnsafe refuses, with a [*Denied], a request that a foreign page may have caused.
func (g *Gate) CheckUnsafe(req Request) error { return &Denied{} }

// Decide answers req, which requires require, for the user who (nil: nobody, for the reason why).
func (g *Gate) Decide(req Request, require Requirement, who *Identity, why Reason) Decision {
	return Decision{Status: 503}
}
