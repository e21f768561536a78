package scenario

import (
	"net/http"
	"strings"
	"time"
)

// Row is one situation.
type Row struct {
	Name string
	// Without says with which session engines it cannot be, and why.
	Without map[string]string
	outage  bool // there must be a server, and a way to it
	test    func(s *site)
}

const month = 30 * 24 * 60 * 60 // seconds; a session lives for two weeks

var stateless = map[string]string{"signed_cookies": "nothing is stored that could be ended"}

// Rows is the table.
func Rows() []Row {
	return []Row{
		{Name: "anonymous", test: anonymous},
		{Name: "logged in at Django", test: loggedIn},
		{Name: "logged in and out at the door", test: loginAtDoor},
		{Name: "registered at the door", test: registerAtDoor},
		{Name: "password changed at the door", test: changeAtDoor},
		{Name: "session expired", test: expired},
		{Name: "session tampered with", test: tampered},
		{Name: "session signed with another key", test: otherKey},
		{Name: "session signed with a fallback key", test: oldKey},
		{Name: "logged out at Django", Without: stateless, test: loggedOut},
		{Name: "password changed at Django", test: passwordChanged},
		{Name: "user made inactive", test: inactive},
		{Name: "user deleted", test: deleted},
		{Name: "duplicate and malformed cookies", test: malformedCookies},
		{Name: "forged identity headers", test: forgedHeaders},
		{Name: "database down", outage: true, test: func(s *site) { outage(s, down) }},
		{Name: "database slow", outage: true, test: func(s *site) { outage(s, slow) }},
		{Name: "database answers garbage", outage: true, test: func(s *site) { outage(s, garbage) }},
	}
}

// Cell is one row through one door with one session engine, as a run has shown it.
type Cell struct {
	Door    string `json:"door"`
	Engine  string `json:"engine"`
	Row     string `json:"row"`
	Without string `json:"without,omitempty"` // why it is not covered; "" means that it passed
}

func anonymous(s *site) {
	s.want("", "")
	a := s.must("GET", "/api/me", "", nil)
	if got := strings.TrimSpace(string(a.body)); got != `{"user":{},"session":{}}` {
		s.Errorf("/api/me answers %s", got)
	}
}

func loggedIn(s *site) {
	name := s.person(nil)
	key := s.login(name, args{"color": "blue"})
	s.want(cookie(key), name)
	if a := s.must("GET", "/api/me", cookie(key), nil); !strings.Contains(string(a.body), `"color":"blue"`) {
		s.Errorf("/api/me does not show the session: %.300s", a.body)
	}
}

func loginAtDoor(s *site) {
	name := s.person(nil)
	if a := s.must("POST", "/api/login", "", map[string]string{"username": name, "password": otherPassword}); a.status != http.StatusForbidden && a.status != http.StatusUnauthorized && a.status != http.StatusBadRequest || newSession(a) != "" {
		s.Errorf("a wrong password is answered with %d", a.status)
	}
	a := s.must("POST", "/api/login", "", map[string]string{"username": name, "password": password})
	key := newSession(a)
	if a.status != http.StatusOK || key == "" {
		s.Fatalf("login is answered with %d %.200s", a.status, a.body)
	}
	s.want(cookie(key), name)
	a = s.must("POST", "/api/logout", cookie(key), nil)
	if a.status != http.StatusOK {
		s.Fatalf("logout is answered with %d %.200s", a.status, a.body)
	}
	if left := newSession(a); left != "" && left != `""` {
		s.Errorf("logout leaves the cookie %.20q", left)
	}
	if s.engine != "signed_cookies" { // where the old cookie stays good, in Django too
		s.want(cookie(key), "")
	}
}

func registerAtDoor(s *site) {
	name := s.person(nil) + "new"
	a := s.must("POST", "/api/register", "", map[string]string{"username": name, "password": password})
	key := newSession(a)
	if a.status != http.StatusOK || key == "" {
		s.Fatalf("register is answered with %d %.200s", a.status, a.body)
	}
	s.want(cookie(key), name)
	s.wantPassword(name, password)
	a = s.must("POST", "/api/register", "", map[string]string{"username": name, "password": password})
	if a.status < 400 || a.status > 499 || newSession(a) != "" {
		s.Errorf("a name that is taken is answered with %d", a.status)
	}
}

func changeAtDoor(s *site) {
	name := s.person(nil)
	key := s.login(name, nil)
	a := s.must("POST", "/api/change-password", cookie(key), map[string]string{"password": otherPassword})
	if a.status != http.StatusOK {
		s.Fatalf("change-password is answered with %d %.200s", a.status, a.body)
	}
	s.wantPassword(name, otherPassword)
	s.want(cookie(key), "")
}

func (s *site) wantPassword(name, password string) {
	s.Helper()
	var ok bool
	if s.ask("check_password", args{"username": name, "password": password}, &ok); !ok {
		s.Error("Django does not take the password that was set")
	}
}

func expired(s *site) {
	s.want(cookie(s.login(s.person(nil), args{"seconds_ago": month})), "")
}

func tampered(s *site) {
	name := s.person(nil)
	key := s.login(name, nil)
	if s.engine == "signed_cookies" {
		for _, forged := range forgeries(key) {
			s.want(cookie(forged), "")
		}
		s.want(cookie(key), name)
		return
	}
	var data string
	s.ask("session_data", args{"key": key}, &data)
	for _, forged := range forgeries(data) {
		s.ask("session_data", args{"key": key, "data": forged}, nil)
		if err := s.check(cookieHeader(cookie(key)), ""); err != nil {
			s.Error(err)
		}
		s.wantDjango(cookie(key), "")
	}
	s.ask("session_data", args{"key": key, "data": data}, nil)
	s.want(cookie(key), name)
}

// forgeries are a signed text with something changed in each part.
func forgeries(signed string) []string {
	flip := func(i int) string {
		c := "A"
		if signed[i] == 'A' {
			c = "B"
		}
		return signed[:i] + c + signed[i+1:]
	}
	end := strings.LastIndex(signed, ":")
	stamp := strings.LastIndex(signed[:end], ":")
	return []string{flip(2), flip(stamp / 2), flip(stamp + 1), flip(end + 1), flip(len(signed) - 2), signed[:len(signed)-1], signed[:end], signed + "A"}
}

func otherKey(s *site) {
	s.want(cookie(s.login(s.person(nil), args{"secret": anotherKey})), "")
}

func oldKey(s *site) {
	name := s.person(nil)
	s.want(cookie(s.login(name, args{"secret": fallbackKey})), name)
}

func loggedOut(s *site) {
	name := s.person(nil)
	key := s.login(name, nil)
	s.want(cookie(key), name)
	s.ask("logout", args{"engine": s.engine, "cookie": cookie(key)}, nil)
	s.want(cookie(key), "")
}

func passwordChanged(s *site) {
	name := s.person(nil)
	key := s.login(name, nil)
	s.want(cookie(key), name)
	s.ask("change_password", args{"username": name, "password": otherPassword}, nil)
	s.want(cookie(key), "")
}

func inactive(s *site) {
	name := s.person(nil)
	key := s.login(name, nil)
	s.want(cookie(key), name)
	s.ask("update_user", args{"username": name, "is_active": false}, nil)
	s.want(cookie(key), "")
	s.ask("update_user", args{"username": name, "is_active": true}, nil)
	s.want(cookie(key), name)
}

func deleted(s *site) {
	name := s.person(nil)
	key := s.login(name, nil)
	s.want(cookie(key), name)
	s.ask("delete_user", args{"username": name}, nil)
	s.want(cookie(key), "")
}

// Django says whom each of these is for.
func malformedCookies(s *site) {
	name := s.person(nil)
	key := s.login(name, nil)
	mine, other := cookie(key), cookie(strings.Repeat("x", 32))
	found := 0
	for _, header := range []string{
		mine, "a=b; " + mine, mine + "; a=b", mine + "; " + other, other + "; " + mine, mine + "; " + mine, mine + ";", ";;;" + mine + ";;",
		"sessionid = " + key, `sessionid="` + key + `"`, `sessionid="` + key, "sessionid='" + key + "'", "Sessionid=" + key, "SESSIONID=" + key,
		"sessionid", "sessionid=", "=" + key, key, mine + ", " + other, mine + "," + other, "$Version=1; " + mine + "; $Path=/", "x; " + mine,
		"a=\xff\xfe; " + mine, "sessionid=\xff" + key, mine + "%00", mine + `\"`, "sessionid=" + strings.ToUpper(key) + "X", "sessionid=../../" + key,
		"sessionid=" + strings.Repeat("a", 5000), "sessionid=' OR 1=1 --", strings.Repeat("a=b; ", 300) + mine, mine + "; sessionid", mine + "; sessionid=",
	} {
		got := s.check(cookieHeader(header), "")
		switch want := s.whoami(header); {
		case want == "":
			if got != nil {
				s.Errorf("%.120q: %v", header, got)
			}
		default:
			found++
			if err := s.check(cookieHeader(header), want); err != nil {
				s.Errorf("%.120q: %v", header, err)
			}
		}
	}
	if found < 5 {
		s.Errorf("Django finds the session in %d headers alone", found)
	}
}

func forgedHeaders(s *site) {
	name := s.person(nil)
	victim := s.person(args{"is_staff": true, "is_superuser": true})
	key := s.login(name, nil)
	status, identity, err := s.protected(cookieHeader(cookie(key)))
	if err != nil || status != http.StatusOK {
		s.Fatalf("not forged: %d %v", status, err)
	}
	for header, want := range map[string]string{"Remote-User": name, "Remote-Email": name + "@example.com", "Remote-Staff": "false", "Remote-Superuser": "false"} {
		if got := identity[header]; len(got) != 1 || got[0] != want {
			s.Errorf("an application is told %s: %q, want %q", header, got, want)
		}
	}
	for _, header := range identityHeaders {
		for _, spelling := range []string{
			header, strings.ToLower(header), strings.ToUpper(header), strings.ReplaceAll(header, "-", "_"), strings.ToLower(strings.ReplaceAll(header, "-", "_")),
			strings.ToUpper(strings.ReplaceAll(header, "-", "_")), strings.ReplaceAll(header, "-", "."), strings.ToLower(strings.ReplaceAll(header, "-", ".")), strings.Replace(header, "-", "_", 1),
		} {
			for _, values := range [][]string{{victim}, {victim, victim}, {name, victim}, {victim, name}, {name}, {"true"}, {""}} {
				forged := http.Header{spelling: values}
				odd := strings.ContainsAny(spelling, "_.") // which a server may refuse altogether
				s.sameIdentity(forged, nil, odd)
				forged["Cookie"] = []string{cookie(key)}
				s.sameIdentity(forged, identity, odd)
			}
		}
	}
}

// outage has the way to the database fail, and be right again.
func outage(s *site, m mode) {
	name := s.person(nil)
	header := cookieHeader(cookie(s.login(name, nil)))
	if err := s.check(header, name); err != nil {
		s.Fatal(err)
	}
	s.proxy.set(m)
	defer s.proxy.set(passing)
	for range 2 {
		for _, request := range []struct {
			method, path string
			body         any
		}{
			{"GET", "/api/me", nil},
			{"GET", "/protected", nil},
			{"POST", "/api/login", map[string]string{"username": name, "password": password}},
		} {
			if s.door.auth && request.path == "/protected" {
				request.path = "/auth"
			}
			headers := header
			if request.method == "POST" {
				headers = http.Header{}
			}
			switch a, err := s.send(request.method, request.path, headers, request.body); {
			case err != nil:
				s.Errorf("%s %s: %v", request.method, request.path, err)
			case a.status != http.StatusServiceUnavailable:
				s.Errorf("%s %s is answered with %d %.200s", request.method, request.path, a.status, a.body)
			case newSession(a) != "" || a.header.Get("Remote-User") != "":
				s.Errorf("%s %s is answered with a login", request.method, request.path)
			}
		}
	}
	s.proxy.set(passing)
	err := s.check(header, name)
	for deadline := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(deadline); err = s.check(header, name) {
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		s.Errorf("it is not right again within ten seconds: %v", err)
	}
}
