package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const sessionCookie = "sessionid"

// identityHeaders are the headers that tell an application who is asking.
var identityHeaders = []string{"Remote-User", "Remote-User-Id", "Remote-Email", "Remote-Staff", "Remote-Superuser"}

// site is one door beside Django, for one row.
type site struct {
	testing.TB
	django *django
	proxy  *proxy // nil without a server in between
	door   *running
	engine string
	// hashes of the two passwords, since making one is slow on purpose.
	encoded string
}

// what a test types in.
const (
	password      = "correct horse battery staple"
	otherPassword = "wrong horse battery staple"
)

func newClient() http.Client {
	return http.Client{Timeout: 60 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// ask has Django do something.
func (s *site) ask(name string, arguments args, result any) {
	s.Helper()
	if err := s.django.call(name, arguments, result); err != nil {
		s.Fatal(err)
	}
}

var people atomic.Int64

// person is a new user, made by Django.
func (s *site) person(fields args) (name string) {
	s.Helper()
	name = fmt.Sprintf("person%d", people.Add(1))
	all := args{"username": name, "encoded": s.encoded, "email": name + "@example.com"}
	maps.Copy(all, fields)
	s.ask("create_user", all, nil)
	return name
}

// login is the session key of a user who has logged in at Django.
func (s *site) login(name string, more args) (key string) {
	s.Helper()
	all := args{"engine": s.engine, "username": name}
	maps.Copy(all, more)
	s.ask("login", all, &key)
	return key
}

// cookie is the header with a session cookie.
func cookie(key string) string { return sessionCookie + "=" + key }

// answer is a response that has been read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes a request of the door. Headers go out as they are spelled; a
// body is sent as JSON.
func (s *site) send(method, path string, header http.Header, body any) (answer, error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(s.Context(), method, s.door.url+path, content)
	if err != nil {
		return answer{}, err
	}
	maps.Copy(request.Header, header)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := s.door.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, text}, err
}

// must is send where no answer at all ends the test.
func (s *site) must(method, path, cookies string, body any) answer {
	s.Helper()
	a, err := s.send(method, path, cookieHeader(cookies), body)
	if err != nil {
		s.Fatal(err)
	}
	return a
}

func cookieHeader(cookies string) http.Header {
	if cookies == "" {
		return http.Header{}
	}
	return http.Header{"Cookie": {cookies}}
}

// protected is whether the door lets a request through to an application, and
// which identity headers that gets: every header that a careless application
// might take for one, by its name as it arrives.
func (s *site) protected(header http.Header) (status int, identity map[string][]string, err error) {
	path := "/protected"
	if s.door.auth {
		path = "/auth"
	}
	a, err := s.send("GET", path, header, nil)
	if err != nil || a.status != http.StatusOK {
		return a.status, nil, err
	}
	got := map[string][]string(a.header)
	if !s.door.auth {
		var echo struct{ Headers map[string][]string }
		if err := json.Unmarshal(a.body, &echo); err != nil {
			return 0, nil, fmt.Errorf("/protected: %w in %.200q", err, a.body)
		}
		got = echo.Headers
	}
	identity = map[string][]string{}
	for name, values := range got {
		for _, known := range identityHeaders {
			if folded(name) == folded(known) {
				if strings.EqualFold(name, known) {
					name = known
				}
				identity[name] = append(identity[name], values...)
			}
		}
	}
	return a.status, identity, nil
}

// folded is what CGI, WSGI and servers may make of a header's name.
func folded(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(name))
}

// check reports what is wrong when the door takes a request for another user
// than name, which is "" for nobody.
func (s *site) check(header http.Header, name string) error {
	status, identity, err := s.protected(header)
	want := http.StatusOK
	if name == "" {
		want = http.StatusUnauthorized
	}
	switch {
	case err != nil:
		return err
	case status != want:
		return fmt.Errorf("a protected page is answered with %d, want %d", status, want)
	case name != "" && !slices.Equal(identity["Remote-User"], []string{name}):
		return fmt.Errorf("an application is told of the user %q, want %q", identity["Remote-User"], name)
	}
	a, err := s.send("GET", "/api/me", header, nil)
	if err != nil {
		return err
	}
	var me struct{ User, Session map[string]any }
	if err := json.Unmarshal(a.body, &me); err != nil || a.status != http.StatusOK || me.User == nil || me.Session == nil {
		return fmt.Errorf("/api/me answers %d %.200q", a.status, a.body)
	}
	if got, _ := me.User["username"].(string); got != name {
		return fmt.Errorf("/api/me answers with the user %q, want %q", got, name)
	}
	if _, shown := me.User["password"]; shown {
		return fmt.Errorf("/api/me shows the password's hash")
	}
	return nil
}

// want fails the test unless the door takes a request with these cookies for
// name, and Django does, too. The door is asked first: Django ends sessions.
func (s *site) want(cookies, name string) {
	s.Helper()
	if err := s.check(cookieHeader(cookies), name); err != nil {
		s.Error(err)
	}
	s.wantDjango(cookies, name)
}

func (s *site) wantDjango(cookies, name string) {
	s.Helper()
	if got := s.whoami(cookies); got != name {
		s.Errorf("Django takes the request for %q, want %q", got, name)
	}
}

// whoami is whom Django takes a request with these cookies for.
func (s *site) whoami(cookies string) (name string) {
	s.Helper()
	arguments := args{"engine": s.engine, "cookie": nil}
	if cookies != "" {
		runes := make([]rune, len(cookies)) // a character for each byte, which need not be UTF-8
		for i := range len(cookies) {
			runes[i] = rune(cookies[i])
		}
		arguments["cookie"] = string(runes)
	}
	s.ask("whoami", arguments, &name)
	return name
}

// sameIdentity fails the test unless an application gets the same identity, or
// the door may refuse such a header and does.
func (s *site) sameIdentity(header http.Header, want map[string][]string, mayRefuse bool) {
	s.Helper()
	status, got, err := s.protected(header)
	switch {
	case err != nil:
		s.Error(err)
	case mayRefuse && status == http.StatusBadRequest:
	case want == nil && status != http.StatusUnauthorized:
		s.Errorf("forged %q: answered with %d %q", header, status, got)
	case want != nil && (status != http.StatusOK || !reflect.DeepEqual(got, want)):
		s.Errorf("forged %q: answered with %d %q, want %q", header, status, got, want)
	}
}

// newSession is the session key that an answer sets; "" when it sets none.
func newSession(a answer) string {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == sessionCookie {
			return c.Value
		}
	}
	return ""
}
