package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	sessionCookie = "sessionid"
	csrfCookie    = "csrftoken"
)

// visitor is one browser at a site: Django and djedge share its cookies, as they do behind one host name. It comes from an
// address of its own, since djedge counts password requests by address.
type visitor struct {
	t      testing.TB
	site   *site
	client *http.Client
}

var addresses atomic.Uint32

func newVisitor(t testing.TB, s *site) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	n := addresses.Add(1)
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(n>>8), byte(n))}}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}
	return &visitor{t, s, &http.Client{
		Jar:       jar,
		Transport: transport,
		Timeout:   60 * time.Second,
		// What a server answers is what counts, not where it sends the browser.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// twin is another browser with a copy of this one's cookies: whoever has stolen them, or another tab that is slow.
func (v *visitor) twin() *visitor {
	v.t.Helper()
	twin := newVisitor(v.t, v.site)
	twin.setCookie(sessionCookie, v.cookie(sessionCookie))
	return twin
}

// answer is a response that has been read.
type answer struct {
	status int
	header http.Header
	body   string
}

// send makes a request; a body that is neither nil nor url.Values goes out as JSON.
func (v *visitor) send(method, target string, body any, header ...string) answer {
	v.t.Helper()
	a, err := v.try(method, target, body, header...)
	if err != nil {
		v.t.Fatal(err)
	}
	return a
}

// try is send where the server may be gone.
func (v *visitor) try(method, target string, body any, header ...string) (answer, error) {
	var (
		content     io.Reader
		contentType string
	)
	switch body := body.(type) {
	case nil:
	case url.Values:
		content, contentType = strings.NewReader(body.Encode()), "application/x-www-form-urlencoded"
	case string:
		content, contentType = strings.NewReader(body), "application/json"
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content, contentType = bytes.NewReader(encoded), "application/json"
	}
	request, err := http.NewRequest(method, target, content)
	if err != nil {
		return answer{}, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := v.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text)}, err
}

// django and edge make a request to either side.
func (v *visitor) django(method, path string, body any) answer {
	v.t.Helper()
	return v.send(method, v.site.django.url(path), body)
}

func (v *visitor) edge(method, path string, body any) answer {
	v.t.Helper()
	return v.send(method, v.site.edge.url(path), body)
}

// want fails the test when an answer has another status.
func (v *visitor) want(status int, a answer) answer {
	v.t.Helper()
	if a.status != status {
		v.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

func (v *visitor) loginAtDjango(u user) {
	v.t.Helper()
	v.want(200, v.django("POST", "/login", u))
}

func (v *visitor) loginAtEdge(u user) {
	v.t.Helper()
	v.want(200, v.edge("POST", "/api/login", u))
}

// wantUser fails the test unless both sides take this visitor for the named user, or both for nobody ("").
func (v *visitor) wantUser(name string) {
	v.t.Helper()
	// djedge first: Django ends a session whose hash fails, and djedge must know without that.
	v.wantEdgeUser(name)
	if got := v.djangoUser(); got != name {
		v.t.Errorf("Django takes the visitor for %q, want %q", got, name)
	}
}

// wantEdgeUser is djedge's half of wantUser: by its forward-auth endpoint and by its API.
func (v *visitor) wantEdgeUser(name string) {
	v.t.Helper()
	status := 200
	if name == "" {
		status = 401
	}
	a := v.edge("GET", "/auth", nil)
	if a.status != status {
		v.t.Errorf("/auth answers %d, want %d", a.status, status)
	}
	if got := a.header.Values("Remote-User"); status == 200 && (len(got) != 1 || got[0] != name) {
		v.t.Errorf("/auth answers with Remote-User %q, want %q", got, name)
	}
	if got, _ := v.me().User["username"].(string); got != name {
		v.t.Errorf("/api/me answers with user %q, want %q", got, name)
	}
}

// me is what djedge's API says of the visitor.
func (v *visitor) me() (me struct{ User, Session map[string]any }) {
	v.t.Helper()
	a := v.want(200, v.edge("GET", "/api/me", nil))
	if err := json.Unmarshal([]byte(a.body), &me); err != nil {
		v.t.Fatal(fmt.Errorf("/api/me: %w in %s", err, a.body))
	}
	return me
}

// whoami is what Django says of the visitor.
func (v *visitor) whoami() (who struct {
	User    string
	Session map[string]any
}) {
	v.t.Helper()
	a := v.want(200, v.django("GET", "/whoami", nil))
	if err := json.Unmarshal([]byte(a.body), &who); err != nil {
		v.t.Fatal(fmt.Errorf("/whoami: %w in %s", err, a.body))
	}
	return who
}

func (v *visitor) djangoUser() string {
	v.t.Helper()
	return v.whoami().User
}

func (v *visitor) cookie(name string) string {
	for _, c := range v.client.Jar.Cookies(&url.URL{Scheme: "http", Host: v.site.django.addr, Path: "/"}) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func (v *visitor) setCookie(name, value string) {
	v.client.Jar.SetCookies(&url.URL{Scheme: "http", Host: v.site.django.addr, Path: "/"}, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}
