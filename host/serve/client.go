package serve

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/djedge/djedge/djuser/gate"
)

// summary is the host's, with the scheme that a trusted proxy tells.
func (s *server) summary(r *http.Request) gate.Request {
	summary := s.host.Summary(r)
	if len(s.trusted) > 0 && s.trusts(peer(r)) {
		// The right-most value is the one that the trusted proxy wrote.
		values := r.Header["X-Forwarded-Proto"]
		if len(values) > 0 {
			value := values[len(values)-1]
			value = strings.ToLower(strings.TrimSpace(value[strings.LastIndexByte(value, ',')+1:]))
			if value == "http" || value == "https" {
				summary.Scheme = value
			}
		}
	}
	return summary
}

// clientAddress is the address of the connection, or, behind trusted proxies,
// the right-most address of X-Forwarded-For that is not one of theirs: what
// stands left of it was written by somebody else.
func (s *server) clientAddress(r *http.Request) netip.Addr {
	address := peer(r)
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(address); i-- {
		hop, ok := parseAddress(strings.TrimSpace(hops[i]))
		if !ok {
			break // nothing can be known beyond
		}
		address = hop
	}
	return address
}

// trusts reports whether address is a trusted proxy.
func (s *server) trusts(address netip.Addr) bool {
	for _, prefix := range s.trusted {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// peer is the other end of the connection; invalid when it has no address,
// as with a Unix socket.
func peer(r *http.Request) netip.Addr {
	address, _ := parseAddress(r.RemoteAddr)
	return address
}

// parseAddress reads an address with or without a port or brackets.
func parseAddress(s string) (netip.Addr, bool) {
	if both, err := netip.ParseAddrPort(s); err == nil {
		return both.Addr().Unmap().WithZone(""), true
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	address, err := netip.ParseAddr(s)
	return address.Unmap().WithZone(""), err == nil
}
