package host_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
)

// RFC 9110, 7.6.1: a proxy drops what Connection names. A client may not name
// the identity headers there, in any spelling, and may not send them as
// trailers (RFC 9110, 6.5) either.
func TestIdentityIsNotHopByHop(t *testing.T) {
	h := newHost(t, host.Config{DB: openSQLite(t), SecretKey: secret})
	type seen struct{ header, trailer http.Header }
	got := make(chan seen, 1)
	record := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- seen{r.Header, r.Trailer}
	})
	backend := httptest.NewServer(record)
	defer backend.Close()
	target, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	for name, next := range map[string]http.Handler{"proxied": proxy, "in place": record} {
		front := httptest.NewServer(h.Require(gate.Staff, next))
		for _, connection := range []string{
			"Remote-User, Remote-Staff", "close,remote_USER , remote-staff", "X-Mine, Remote-User",
			"keep-alive\r\nConnection: Remote-User\r\nConnection: Remote-Staff",
		} {
			conn, err := net.Dial("tcp", front.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: example.com\r\nCookie: %s\r\nX-Mine: 1\r\nConnection: %s\r\n"+
				"Transfer-Encoding: chunked\r\nTrailer: Remote-User, Checksum\r\n\r\n2\r\nhi\r\n0\r\n"+
				"Remote-User: mallory\r\nRemote-Email: mallory\r\nRemote_User: mallory\r\nChecksum: 7\r\n\r\n", request("alice").Header.Get("Cookie"), connection)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			_ = conn.Close()
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("%s, %q: %v, %v", name, connection, res, err)
			}
			s := <-got
			if s.header.Get("Remote-User") != "alice" || s.header.Get("Remote-Staff") == "" {
				t.Errorf("%s, %q: the identity is lost: %v", name, connection, s.header)
			}
			if mine := s.header.Get("X-Mine"); name == "proxied" && (mine == "") != (connection == "X-Mine, Remote-User") {
				t.Errorf("%s, %q: X-Mine is %q", name, connection, mine)
			}
			for trailer, values := range s.trailer {
				if trailer != "Checksum" || name == "in place" && (len(values) != 1 || values[0] != "7") {
					t.Errorf("%s, %q: trailer %s %q", name, connection, trailer, values)
				}
			}
			if name == "in place" && len(s.trailer) != 1 {
				t.Errorf("%q: trailers %v", connection, s.trailer)
			}
		}
		front.Close()
	}
}
