package gate

import "strings"

// AllowedHost is the check of Django's get_host: whether a Host header is a
// host name or address with a port or without, and one of allowed
// (ALLOWED_HOSTS: exact, ".example.com" for a domain and everything under it,
// "*" for any). Case and one dot at the end do not matter. None allowed means
// none passes.
func AllowedHost(host string, allowed []string) bool {
	domain, ok := domainOf(strings.ToLower(host))
	if !ok {
		return false
	}
	domain = strings.TrimSuffix(domain, ".")
	for _, pattern := range allowed {
		if domain != "" && (pattern == "*" || sameDomain(domain, pattern)) {
			return true
		}
	}
	return false
}

// domainOf takes the port off a host in lower case. It is false for what
// Django's host_validation_re does not match.
func domainOf(host string) (domain string, ok bool) {
	only := func(s, chars string) bool { return strings.Trim(s, chars) == "" }
	const digits = "0123456789"
	domain, rest := host, ""
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']') + 1
		domain, rest = host[:end], host[end:]
		if end < 4 || strings.IndexByte(domain, ':') < 0 || !only(domain[1:end-1], "abcdef:."+digits) {
			return "", false
		}
		if first, after, _ := strings.Cut(domain[1:end-1], ":"); strings.Contains(first, ".") || after == "" {
			return "", false
		}
	} else {
		if i := strings.IndexByte(host, ':'); i >= 0 {
			domain, rest = host[:i], host[i:]
		}
		if domain == "" || !only(domain, "abcdefghijklmnopqrstuvwxyz.-"+digits) {
			return "", false
		}
	}
	return domain, rest == "" || len(rest) > 1 && rest[0] == ':' && only(rest[1:], digits)
}

// sameDomain is Django's is_same_domain: the pattern is exact, or begins with
// a dot and means a domain and everything under it. Only the pattern's case is
// folded; "" matches nothing.
func sameDomain(host, pattern string) bool {
	pattern = strings.ToLower(pattern)
	return pattern != "" && (pattern == host || pattern[0] == '.' && (strings.HasSuffix(host, pattern) || host == pattern[1:]))
}
