package serve

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// nobody is a host without users.
type nobody struct{ decision gate.Decision }

func (n nobody) Do(context.Context, *abi.Op) *abi.Result { return &abi.Result{Decision: n.decision} }
func (nobody) Summary(*http.Request) gate.Request        { return gate.Request{} }
func (nobody) Columns() []query.Column                   { return nil }

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func TestOpenByName(t *testing.T) {
	closed, err := New(Config{Host: nobody{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/app.js", "/api/me", "/api/login", "/authx", "/metrics"} {
		if w := get(closed, path); w.Code != http.StatusNotFound {
			t.Errorf("%s is open: %d", path, w.Code)
		}
	}
	// A host that decides nothing lets nobody in.
	if w := get(closed, "/auth"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("/auth answers %d", w.Code)
	}
	for _, names := range [][]string{{"nothing"}, {"Me"}, {""}, {Page}, {Page, Me, Login, Logout, Register}} {
		if h, err := New(Config{Host: nobody{}, API: names}); err == nil || h != nil || !strings.HasPrefix(err.Error(), "api: ") {
			t.Errorf("%q: %v", names, err)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("no host, no error")
	}
}

// Whatever the rules deny, nginx gets a 401 or a 403: it makes a 500 of other statuses.
func TestAuthDenials(t *testing.T) {
	for d, want := range map[*gate.Decision]int{
		{Outcome: gate.Deny, Status: 401}: 401, {Outcome: gate.Deny, Status: 403}: 403, {Outcome: gate.Redirect, Status: 302}: 401,
		{Outcome: gate.Deny, Status: 400}: 401, {Outcome: gate.Deny, Status: 429}: 401,
	} {
		h, err := New(Config{Host: nobody{*d}})
		if err != nil {
			t.Fatal(err)
		}
		if w := get(h, "/auth"); w.Code != want {
			t.Errorf("%v: %d", *d, w.Code)
		}
	}
}

func TestPage(t *testing.T) {
	h, err := New(Config{Host: nobody{}, API: Endpoints()})
	if err != nil {
		t.Fatal(err)
	}
	for path, contentType := range map[string]string{
		"/": "text/html; charset=utf-8", "/app.js": "text/javascript; charset=utf-8", "/style.css": "text/css; charset=utf-8",
		"/noscript.css": "text/css; charset=utf-8",
	} {
		w := get(h, path)
		if w.Code != 200 || w.Header().Get("Content-Type") != contentType {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s may be sniffed", path)
		}
	}
	html, script := get(h, "/").Body.String(), get(h, "/app.js").Body.String()
	// The policy forbids these; the page must not need them.
	for _, bad := range []string{"style=", "onclick", "<style", "http:", "https:", "//"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http"} {
		if strings.Contains(script, bad) {
			t.Errorf("the script has %q", bad)
		}
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		if ids[m[1]] {
			t.Errorf("id %s is there twice", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(` (?:for|aria-labelledby|aria-describedby)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		if !ids[m[1]] {
			t.Errorf("nothing has the id %s", m[1])
		}
	}
	if inputs, labels := strings.Count(html, "<input"), strings.Count(html, "<label"); inputs != labels {
		t.Errorf("%d inputs and %d labels", inputs, labels)
	}
	if head := httptest.NewRecorder(); true {
		h.ServeHTTP(head, httptest.NewRequest("POST", "/", nil))
		if head.Code != http.StatusMethodNotAllowed || head.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST /: %d %v", head.Code, head.Header())
		}
	}
}

func TestAdmin(t *testing.T) {
	m := NewMetrics()
	m.count(abi.OpCheck, &gate.Decision{Reason: gate.ReasonOK})
	m.count(abi.OpCheck, &gate.Decision{Reason: gate.ReasonOK})
	var down error
	h := NewAdmin(m, func(context.Context) error { return down })
	for path, want := range map[string]string{
		"/livez":   "ok\n",
		"/readyz":  "ok\n",
		"/metrics": "# HELP djedge_decisions_total Decisions by operation and reason.\n# TYPE djedge_decisions_total counter\ndjedge_decisions_total{op=\"check\",reason=\"ok\"} 2\n",
	} {
		if w := get(h, path); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
	down = errors.New("canary: the host of the database")
	if w := get(h, "/readyz"); w.Code != 503 || w.Body.String() != "not ready\n" {
		t.Errorf("/readyz: %d %q", w.Code, w.Body)
	}
	if w := get(h, "/livez"); w.Code != 200 {
		t.Errorf("/livez: %d", w.Code)
	}
	if w := get(h, "/auth"); w.Code != 404 {
		t.Errorf("/auth on the admin listener: %d", w.Code)
	}
}
