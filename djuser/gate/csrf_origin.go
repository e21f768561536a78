package gate

import "slices"

// trustedOrigin is _origin_verified: the request's own origin byte for byte, a
// trusted one, or one under a trusted domain. "null" is none of them.
func (c *CSRF) trustedOrigin(req Request, origin string) bool {
	scheme := "http"
	if req.Scheme == "https" {
		scheme = "https"
	}
	if origin == scheme+"://"+req.Host && AllowedHost(req.Host, c.s.AllowedHosts) || slices.Contains(c.exact, origin) {
		return true
	}
	u, ok := urlsplit(origin)
	for _, domain := range c.subdomains {
		if ok && u.scheme == domain.scheme && sameDomain(u.netloc, domain.netloc) {
			return true
		}
	}
	return false
}

// checkReferer returns what is wrong with the Referer header of a request by
// https, "" when it is the site's own: a network attacker can set cookies for
// https from http, so the token alone proves nothing.
func (c *CSRF) checkReferer(req Request, port string) string {
	referer, found := header(req, "referer")
	if !found {
		return "no Referer."
	}
	u, ok := urlsplit(referer)
	switch {
	case !ok || u.scheme == "" || u.netloc == "":
		return "Referer is malformed."
	case u.scheme != "https":
		return "Referer is insecure while host is secure."
	}
	for _, host := range c.referers {
		if sameDomain(u.netloc, host) {
			return ""
		}
	}
	good := c.s.CookieDomain
	switch {
	case good == "":
		if AllowedHost(req.Host, c.s.AllowedHosts) {
			good = req.Host
		}
	case port != "" && port != "443" && port != "80":
		good += ":" + port
	}
	if !sameDomain(u.netloc, good) {
		return u.String() + " does not match any trusted origins."
	}
	return ""
}
