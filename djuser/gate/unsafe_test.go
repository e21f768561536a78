package gate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/djedge/djedge/djuser/gate"
)

func reasonOf(err error) gate.Reason {
	var denied *gate.Denied
	switch {
	case err == nil:
		return gate.ReasonOK
	case errors.As(err, &denied):
		return denied.Reason
	}
	return gate.ReasonInternal
}

func TestCheckUnsafe(t *testing.T) {
	public := mustNew(t, gate.Settings{PublicOrigins: []string{"https://Example.com:443", "http://other.test:8080"}})
	local := mustNew(t, gate.Settings{Loopback: true})
	both := mustNew(t, gate.Settings{Loopback: true, PublicOrigins: []string{"https://example.com"}})
	bare := mustNew(t, gate.Settings{})
	const (
		jsonType = "Content-Type: application/json"
		ok       = gate.ReasonOK
		origin   = gate.ReasonOriginMismatch
		cross    = gate.ReasonCrossSite
		host     = gate.ReasonHostNotLoopback
		ctype    = gate.ReasonContentType
	)
	for _, c := range []struct {
		name    string
		gate    *gate.Gate
		host    string
		headers string // separated by newlines
		want    gate.Reason
	}{
		{"no browser", bare, "example.com", jsonType, ok},
		{"parameters", bare, "example.com", "Content-Type: Application/JSON ; charset=utf-8", ok},
		{"no body, no type", bare, "example.com", "", ok},
		{"no body, zero length", bare, "example.com", "Content-Length: 0", ok},
		{"body without type", bare, "example.com", "Content-Length: 2", ctype},
		{"chunked without type", bare, "example.com", "Transfer-Encoding: chunked", ctype},
		{"two lengths", bare, "example.com", "Content-Length: 0\nContent-Length: 2", ctype},
		{"form without a token", bare, "example.com", "Content-Type: application/x-www-form-urlencoded\nContent-Length: 0", cross},
		{"form in another charset", bare, "example.com", "Content-Type: application/x-www-form-urlencoded; charset=utf-16\nContent-Length: 0", ctype},
		{"form in parts", bare, "example.com", "Content-Type: multipart/form-data; boundary=x\nContent-Length: 0", ctype},
		{"text", bare, "example.com", "Content-Type: text/plain", ctype},
		{"json in a parameter", bare, "example.com", "Content-Type: text/plain; application/json", ctype},
		{"json first of two", bare, "example.com", "Content-Type: application/json, text/plain", ctype},
		{"two types", bare, "example.com", jsonType + "\nContent-Type: text/plain", ctype},
		{"json-like", bare, "example.com", "Content-Type: application/jsonp", ctype},
		{"empty type", bare, "example.com", "Content-Type:", ctype},

		{"origin without public origins", bare, "example.com", "Origin: https://example.com\n" + jsonType, origin},
		{"public origin", public, "internal:9000", "Origin: https://example.com\n" + jsonType, ok},
		{"case and port", public, "internal:9000", "Origin: HTTPS://EXAMPLE.com:443\n" + jsonType, ok},
		{"second public origin", public, "internal:9000", "Origin: http://other.test:8080\n" + jsonType, ok},
		{"other port", public, "internal:9000", "Origin: http://other.test\n" + jsonType, origin},
		{"other scheme", public, "internal:9000", "Origin: http://example.com\n" + jsonType, origin},
		{"subdomain", public, "internal:9000", "Origin: https://evil.example.com\n" + jsonType, origin},
		{"suffix", public, "internal:9000", "Origin: https://example.com.evil.test\n" + jsonType, origin},
		{"userinfo", public, "internal:9000", "Origin: https://example.com@evil.test\n" + jsonType, origin},
		{"path", public, "internal:9000", "Origin: https://example.com/\n" + jsonType, origin},
		{"null", public, "internal:9000", "Origin: null\n" + jsonType, origin},
		{"empty origin", public, "internal:9000", "Origin:\n" + jsonType, origin},
		{"two origins", public, "internal:9000", "Origin: https://example.com\nOrigin: https://example.com\n" + jsonType, origin},
		{"host is no origin off loopback", public, "localhost", "Origin: http://localhost\n" + jsonType, origin},

		{"same-origin", public, "x", "Sec-Fetch-Site: same-origin\n" + jsonType, ok},
		{"none", public, "x", "Sec-Fetch-Site: none\n" + jsonType, ok},
		{"same-site", public, "x", "Sec-Fetch-Site: same-site\n" + jsonType, cross},
		{"cross-site", public, "x", "Sec-Fetch-Site: cross-site\n" + jsonType, cross},
		{"cross-site and a good origin", public, "x", "Origin: https://example.com\nSec-Fetch-Site: cross-site\n" + jsonType, cross},
		{"two sites", public, "x", "Sec-Fetch-Site: none\nSec-Fetch-Site: none\n" + jsonType, cross},

		{"loopback", local, "LocalHost:8000", "Origin: http://localhost:8000\n" + jsonType, ok},
		{"loopback without a port", local, "127.0.0.1", "Origin: http://127.0.0.1:80\n" + jsonType, ok},
		{"loopback v6", local, "[::1]:8000", "Origin: http://[::1]:8000\n" + jsonType, ok},
		{"loopback, no browser", local, "localhost:8000", jsonType, ok},
		{"loopback, other port", local, "localhost:8000", "Origin: http://localhost:9000\n" + jsonType, origin},
		{"loopback, other name", local, "localhost:8000", "Origin: http://127.0.0.1:8000\n" + jsonType, origin},
		{"loopback, other scheme", local, "localhost:8000", "Origin: https://localhost:8000\n" + jsonType, origin},
		{"rebinding", local, "evil.test:8000", "Origin: http://evil.test:8000\n" + jsonType, host},
		{"rebinding, no browser", local, "evil.test", jsonType, host},
		{"loopback, dot", local, "localhost.", jsonType, host},
		{"loopback, prefix", local, "localhost.evil.test", jsonType, host},
		{"loopback, other address", local, "127.0.0.2", jsonType, host},
		{"loopback, no host", local, "", jsonType, host},
		{"loopback, bad port", local, "localhost:80x", jsonType, host},
		{"loopback, userinfo", local, "localhost@evil.test", jsonType, host},
		{"behind a local proxy", both, "example.com", "Origin: https://example.com\n" + jsonType, ok},
		{"behind a local proxy, host as origin", both, "example.com", "Origin: http://example.com\n" + jsonType, origin},
		{"behind a local proxy, other host", both, "evil.test", "Origin: https://example.com\n" + jsonType, host},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := gate.Request{Method: "POST", URI: "/api/login", Host: c.host, Scheme: "http"}
			for line := range strings.SplitSeq(c.headers, "\n") {
				if name, value, ok := strings.Cut(line, ":"); ok {
					req.Headers = append(req.Headers, gate.Header{Name: name, Value: strings.TrimPrefix(value, " ")})
				}
			}
			if got := reasonOf(c.gate.CheckUnsafe(req, gate.CSRFRequest{})); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	for _, method := range []string{"GET", "head", "OPTIONS", "Trace"} {
		if got := reasonOf(bare.CheckUnsafe(gate.Request{Method: method}, gate.CSRFRequest{})); got != gate.ReasonMethod {
			t.Errorf("%s: got %v", method, got)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, s := range map[string]gate.Settings{
		"session_cookie_name": {CookieName: "a b"},
		"public_origin":       {PublicOrigins: []string{"https://example.com/"}},
		"header_user":         {HeaderUser: "Remote User"},
		"header_email":        {HeaderEmail: "Remote_User"}, // an alias of Remote-User
		"header_staff":        {HeaderStaff: "a-b-c-d-e-f-g"},
	} {
		if _, err := gate.New(s); err == nil || !strings.HasPrefix(err.Error(), name+" ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, reserved := range []string{
		"Cookie", "Host", "Content-Length", "Set-Cookie", "Connection", "Transfer-Encoding", "Proxy-Authorization", "TE", "Upgrade",
		"Origin", "Sec-Fetch-Site", "Content-Type", "content_type", "sec_fetch-Site", "Referer", "X-Forwarded-For", "Authorization",
		"Date", "X-Content-Type-Options", "x_content_type-options",
	} {
		if _, err := gate.New(gate.Settings{HeaderUser: reserved}); err == nil || !strings.HasPrefix(err.Error(), "header_user ") {
			t.Errorf("identity header %s: %v", reserved, err)
		}
	}
	for _, free := range []string{"X-WEBAUTH-USER", "X-Forwarded-User", "remote_user"} {
		if _, err := gate.New(gate.Settings{HeaderUser: free}); err != nil {
			t.Errorf("identity header %s: %v", free, err)
		}
	}
	for _, o := range []string{"", "null", "example.com", "https://", "ftp://example.com", "https://a b", "https://exämple.com", "https://u@h", "https://h:", "https://h:123456", "https://::1", "https://*.example.com"} {
		if _, err := gate.New(gate.Settings{PublicOrigins: []string{o}}); err == nil {
			t.Errorf("public origin %q was accepted", o)
		}
	}
}

// What is let through has, whatever it looks like, only what the rule allows.
func FuzzCheckUnsafe(f *testing.F) {
	f.Add("POST", "localhost:8000", "http://localhost:8000", "same-origin", "application/json", "12")
	g := mustNew(f, gate.Settings{Loopback: true, PublicOrigins: []string{"https://example.com"}})
	f.Fuzz(func(t *testing.T, method, host, origin, site, contentType, length string) {
		req := gate.Request{Method: method, Host: host, Scheme: "http"}
		for _, h := range []gate.Header{{"Origin", origin}, {"Sec-Fetch-Site", site}, {"Content-Type", contentType}, {"Content-Length", length}} {
			if h.Value != "-" { // "-" leaves the header out
				req.Headers = append(req.Headers, h)
			}
		}
		if g.CheckUnsafe(req, gate.CSRFRequest{}) != nil {
			return
		}
		name := strings.ToLower(host)
		if at := strings.LastIndexByte(name, ':'); at >= 0 && !strings.HasSuffix(name, "]") {
			name = name[:at]
		}
		if name != "localhost" && name != "127.0.0.1" && name != "[::1]" && name != "example.com" {
			t.Fatalf("host %q was let through", host)
		}
		o := strings.TrimSuffix(strings.ToLower(origin), ":443")
		if o != "-" && o != "https://example.com" && strings.TrimSuffix(o, ":80") != "http://"+strings.TrimSuffix(strings.ToLower(host), ":80") {
			t.Fatalf("origin %q was let through for host %q", origin, host)
		}
		if site != "-" && site != "same-origin" && site != "none" {
			t.Fatalf("site %q was let through", site)
		}
		if contentType == "-" && length != "-" && length != "0" {
			t.Fatalf("a body of length %q without a type was let through", length)
		}
		if contentType != "-" && !strings.HasPrefix(strings.ToLower(strings.TrimLeft(contentType, " \t")), "application/json") {
			t.Fatalf("type %q was let through", contentType)
		}
	})
}
