package gate

import "strings"

// CheckUnsafe refuses a request that a foreign page may have caused. It is for
// every operation that changes something, whatever the method is called:
//
//   - GET, HEAD, OPTIONS and TRACE are refused, as Django refuses a logout by GET;
//   - on loopback, Host is localhost, 127.0.0.1, [::1] or a public origin's
//     (against DNS rebinding);
//   - Origin, if it came, is a public origin or, on loopback, scheme and Host;
//     "null" never is;
//   - Sec-Fetch-Site, if it came, is same-origin or none;
//   - the body is application/json, which no form and no request without CORS
//     preflight can send, and without a body no Content-Type is needed; or it is
//     a form (application/x-www-form-urlencoded) with a token.
//
// A client that sends neither Origin nor Sec-Fetch-Site is no browser and
// carries no one else's cookies. Whether an operation needs a body is for its
// caller to know. Host names are compared without case.
//
// A form must also pass [CSRF.Check], to which form is handed; its method is
// POST. Where that trusts an origin that is none of ours, so does this, and then
// Sec-Fetch-Site may say cross-site. The error is a [*Denied].
func (g *Gate) CheckUnsafe(req Request, form CSRFRequest) error {
	isForm := IsForm(req)
	switch strings.ToUpper(req.Method) {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return &Denied{Reason: ReasonMethod}
	}
	var here origin // what an Origin may equal besides the public ones
	if g.loopback {
		var ok bool
		if here, ok = makeOrigin(req.Scheme, req.Host); !ok || !here.loopback() && !g.publicHost(here) {
			return &Denied{Reason: ReasonHostNotLoopback}
		}
	}
	trusted := false // by a token's settings
	if text, count := req.one("origin"); count > 0 {
		o, ok := parseOrigin(text)
		same := ok && here.loopback() && o == here
		for i := range g.origins {
			same = same || ok && o == g.origins[i]
		}
		trusted = isForm && !same && g.csrf.trustedOrigin(req, text)
		if !same && !trusted || count > 1 {
			return &Denied{Reason: ReasonOriginMismatch}
		}
	}
	if site, count := req.one("sec-fetch-site"); count > 1 || count == 1 && site != "same-origin" && site != "none" && !trusted {
		return &Denied{Reason: ReasonCrossSite}
	}
	if isForm {
		if !sameName(req.Method, "post") { // Django parses no other form
			return &Denied{Reason: ReasonMethod}
		}
		return g.csrf.Check(req, form)
	}
	if contentType, count := req.one("content-type"); count > 1 || count == 1 && !isJSON(contentType) || count == 0 && req.hasBody() {
		return &Denied{Reason: ReasonContentType}
	}
	return nil
}

// hasBody reports whether the headers announce a body (RFC 9112 §6).
func (r *Request) hasBody() bool {
	_, encodings := r.one("transfer-encoding")
	length, lengths := r.one("content-length")
	return encodings > 0 || lengths > 1 || lengths == 1 && length != "0"
}

// isJSON reports whether a Content-Type is application/json, with or without parameters.
func isJSON(contentType string) bool {
	essence, _, _ := strings.Cut(contentType, ";")
	return sameName(strings.Trim(essence, " \t"), "application/json")
}

// IsForm reports whether the body of req is a form that [Gate.CheckUnsafe] may
// let through, by its Content-Type.
func IsForm(req Request) bool {
	contentType, count := req.one("content-type")
	essence, parameters, _ := strings.Cut(contentType, ";")
	charset := strings.ToLower(strings.Trim(parameters, " \t"))
	return count == 1 && sameName(strings.Trim(essence, " \t"), "application/x-www-form-urlencoded") &&
		(charset == "" || charset == "charset=utf-8" || charset == `charset="utf-8"`)
}

// origin is a scheme and a host in lower case, without the scheme's own port.
// The zero origin equals none that was parsed.
type origin struct{ scheme, host, port string }

// String is the origin as a browser sends it.
func (o origin) String() string { return o.scheme + "://" + o.hostport() }

func (o origin) hostport() string {
	if o.port == "" {
		return o.host
	}
	return o.host + ":" + o.port
}

func parseOrigin(s string) (origin, bool) {
	scheme, host, ok := strings.Cut(s, "://")
	if !ok {
		return origin{}, false
	}
	return makeOrigin(scheme, host)
}

func makeOrigin(scheme, hostport string) (o origin, ok bool) {
	o.scheme = strings.ToLower(scheme)
	o.host = strings.ToLower(hostport)
	// A port follows the last colon that is not inside an IPv6 literal.
	if colon := strings.LastIndexByte(o.host, ':'); colon > strings.IndexByte(o.host, ']') {
		o.host, o.port = o.host[:colon], o.host[colon+1:]
		if len(o.port) == 0 || len(o.port) > 5 || strings.Trim(o.port, "0123456789") != "" {
			return origin{}, false
		}
	}
	switch {
	case o.scheme == "http" && o.port == "80", o.scheme == "https" && o.port == "443":
		o.port = ""
	case o.scheme != "http" && o.scheme != "https":
		return origin{}, false
	}
	return o, isHost(o.host)
}

// isHost accepts a name or an IPv4 address in ASCII, or an IPv6 address in brackets.
func isHost(s string) bool {
	allowed := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_'
	}
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		s = s[1 : len(s)-1]
		allowed = func(c byte) bool { return c >= 'a' && c <= 'f' || c >= '0' && c <= '9' || c == '.' || c == ':' }
	}
	for i := 0; i < len(s); i++ {
		if !allowed(s[i]) {
			return false
		}
	}
	return s != ""
}

func (o origin) loopback() bool {
	return o.host == "localhost" || o.host == "127.0.0.1" || o.host == "[::1]"
}

func (g *Gate) publicHost(o origin) bool {
	for i := range g.origins {
		if g.origins[i].host == o.host {
			return true
		}
	}
	return false
}
