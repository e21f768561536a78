package host_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/build/compat/record"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/internal/testservers"
	"github.com/djedge/djedge/host/sqldb"
)

// middlewareProgram is a Django with its SessionMiddleware, whose view does
// with the session what each line of the input says.
const middlewareProgram = `
import json, sys
from django.conf import settings
settings.configure(ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"], MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"], **json.loads(sys.argv[1]))
import django
django.setup()
import logging
logging.disable(logging.CRITICAL)
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client
from django.urls import path

def view(request):
    s = request.session
    for name in todo["view"].split():
        if name == "get": s.get("x")
        elif name == "set": s["y"] = {"b": 1.0, "\u00e9": [None]}
        elif name == "nested": s.get("l", []).append(1)
        elif name == "pop": s.pop("x", None)
        elif name == "pop-missing": s.pop("z", None)
        elif name == "clear": s.clear()
        elif name == "flush": s.flush()
        elif name == "cycle": s.cycle_key()
        elif name == "vanish": Session.objects.filter(session_key=todo["key"]).delete()
        elif name.startswith("expiry"): s.set_expiry(int(name[6:]))
    return HttpResponse("hello", status=todo["status"])

urlpatterns = [path("", view)]
for line in sys.stdin:
    todo = json.loads(line)
    if "read" in todo:
        row = Session.objects.filter(session_key=todo["read"]).first()
        answer = {"exists": row is not None, "items": " ".join("%s=%s" % (k, json.dumps(v, separators=(",", ":"))) for k, v in SessionStore().decode(row.session_data).items()) if row else ""}
    else:
        extra = {"HTTP_COOKIE": "sessionid=" + todo["cookie"]} if todo["cookie"] else {}
        settings.SESSION_SAVE_EVERY_REQUEST = todo["every"]
        response = Client().get("/", **extra)
        answer = {"status": response.status_code, "cookies": [m.OutputString() for m in response.cookies.values()], "vary": response.get("Vary", "")}
    print(json.dumps(answer), flush=True)
`

type middlewareRequest struct {
	View   string `json:"view"`
	Cookie string `json:"cookie"`
	Key    string `json:"key"` // of the session that is to vanish
	Status int    `json:"status"`
	Every  bool   `json:"every"`
}

type middlewareAnswer struct {
	Status  int
	Cookies []string
	Vary    string
}

// line is the answer without what no two responses have in common.
func (a middlewareAnswer) line(old string) string {
	text := fmt.Sprint(a.Status, " ", strings.Join(a.Cookies, " + "))
	if key := a.key(); key != "" {
		text = strings.Replace(text, key, map[bool]string{true: "<OLD>", false: "<NEW>"}[key == old], 1)
	}
	return regexp.MustCompile(`expires=\w+, \d+ \w+ 20\d\d [\d:]+ GMT`).ReplaceAllString(text, "expires=<SOON>")
}

func (a middlewareAnswer) key() string {
	for _, cookie := range a.Cookies {
		if key, _, _ := strings.Cut(strings.TrimPrefix(cookie, "sessionid="), ";"); key != `""` {
			return key
		}
	}
	return ""
}

// djangoMiddleware runs the program; ask sends it one line.
func djangoMiddleware(t *testing.T, venv, path string) (ask func(line, answer any)) {
	t.Helper()
	settings, _ := json.Marshal(map[string]any{
		"SECRET_KEY": secret, "USE_TZ": true, "INSTALLED_APPS": []string{"django.contrib.sessions"},
		"DATABASES": map[string]any{"default": map[string]string{"ENGINE": "django.db.backends.sqlite3", "NAME": path}},
	})
	cmd := exec.Command(testservers.Component(t, venv+"/bin/python"), "-W", "ignore", "-c", middlewareProgram, string(settings))
	cmd.Env, cmd.Stderr = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1"), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // which ends it
		_ = cmd.Wait()
	})
	answers := bufio.NewScanner(out)
	return func(line, answer any) {
		t.Helper()
		text, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write(append(text, '\n')); err != nil || !answers.Scan() {
			t.Fatalf("Django has ended: %v", err)
		}
		if err := json.Unmarshal(answers.Bytes(), answer); err != nil {
			t.Fatal(err)
		}
	}
}

// ours does what the Django program does.
func ours(t *testing.T, h *host.Host, db *database, q middlewareRequest) (a middlewareAnswer) {
	t.Helper()
	res := handle(h, q.Cookie, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
		for _, name := range strings.Fields(q.View) {
			var err error
			switch name {
			case "get":
				_, _, err = s.Get(ctx, "x")
			case "set":
				err = s.SetRaw(ctx, "y", `{"b": 1.0, "é": [null]}`)
			case "nested":
				var value any
				if value, _, err = s.Get(ctx, "l"); value != nil {
					value.([]any)[0] = json.Number("7")
				}
			case "pop":
				err = s.Delete(ctx, "x")
			case "pop-missing":
				err = s.Delete(ctx, "z")
			case "clear":
				err = s.Clear()
			case "flush":
				err = s.Flush(ctx)
			case "cycle":
				err = s.CycleKey(ctx)
			case "vanish":
				db.exec(t, `DELETE FROM django_session WHERE session_key = '`+q.Key+`'`)
			default:
				var seconds int
				_, err = fmt.Sscanf(name, "expiry%d", &seconds)
				must(t, err)
				err = s.SetExpiry(ctx, time.Duration(seconds)*time.Second)
			}
			must(t, err)
		}
		w.WriteHeader(q.Status)
	})
	if vary := res.Header["Vary"]; len(vary) > 0 {
		a.Vary = vary[0]
	}
	a.Status, a.Cookies = res.StatusCode, res.Header["Set-Cookie"]
	return a
}

// middlewareRequests are what is done to both.
func middlewareRequests() (all []middlewareRequest) {
	for _, view := range []string{
		"", "get", "set", "nested", "pop", "pop-missing", "clear", "flush", "cycle", "set flush", "flush set", "set cycle set", "clear set",
		"set clear", "cycle flush", "expiry0 set", "expiry30", "expiry-5 set", "set vanish", "clear vanish", "cycle vanish", "flush vanish",
	} {
		for _, cookie := range []string{"", "existing", "nonexistentkey12345678", "short"} {
			for _, every := range []bool{false, true} {
				for _, status := range []int{200, 404, 500} {
					if view == "nested" && every {
						continue // Django saves what was changed inside; here the value is a copy
					}
					if status == 200 || slices.Contains([]string{"", "set", "flush", "cycle", "set vanish"}, view) {
						all = append(all, middlewareRequest{View: view, Cookie: cookie, Status: status, Every: every})
					}
				}
			}
		}
	}
	return all
}

// TestDjangoMiddleware: the same requests to Django and to a Go handler have
// the same cookies, statuses and sessions, each of which the other one reads.
func TestDjangoMiddleware(t *testing.T) {
	for _, site := range []struct{ venv, version, engine string }{
		{"django22", "2.2", "native"}, {"django32", "3.2", "native"}, {"django42", "4.2", "native"},
		{"django52", "5.2", "native"}, {"django52", "5.2", "module"}, {"django60", "6.0", "native"}, {"django61", "6.1", "native"},
	} {
		t.Run(site.version+"/"+site.engine, func(t *testing.T) {
			t.Parallel()
			record.Passed(t, record.Cell{Python: testservers.Component(t, site.venv+"/bin/python"), Engine: "db", Database: "sqlite"})
			path := filepath.Join(t.TempDir(), "db.sqlite3")
			sqlite, err := sqldb.CreateSQLite(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = sqlite.Close() })
			if err := sqldb.CreateDjangoSchema(t.Context(), sqlite); err != nil {
				t.Fatal(err)
			}
			db := &database{DB: sqlite}
			ask := djangoMiddleware(t, site.venv, path)
			hosts := map[bool]*host.Host{}
			for _, every := range []bool{false, true} {
				hosts[every] = newHost(t, host.Config{
					DB: db, SecretKey: secret, DjangoVersion: site.version, SessionSaveEveryRequest: every, Engine: engines[site.engine](),
				})
			}
			django := func(q middlewareRequest) (a middlewareAnswer) { ask(q, &a); return a }
			stored := func(key string) string {
				var answer struct {
					Exists bool
					Items  string
				}
				ask(map[string]string{"read": key}, &answer)
				return fmt.Sprint(answer.Exists, " ", answer.Items)
			}
			for _, q := range middlewareRequests() {
				h := hosts[q.Every]
				existing := q.Cookie == "existing"
				var state [2]string
				var answers [2]middlewareAnswer
				var lines [2]string
				for i := range 2 {
					if existing { // made by the other one
						q.Cookie = sent(t, handle(h, "", func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
							must(t, s.SetRaw(ctx, "x", "1"), s.SetRaw(ctx, "l", "[1]"))
						}))
						q.Key = q.Cookie
					}
					if i == 0 {
						answers[i] = django(q)
					} else {
						answers[i] = ours(t, h, db, q)
					}
					key := answers[i].key()
					state[i] = stored(key) + " | " + stored(q.Key)
					lines[i] = answers[i].line(q.Cookie)
					if key != "" {
						if got, want := entries(t, hosts[false], key), strings.TrimPrefix(stored(key), "true "); got != want && !strings.Contains(q.View, "expiry-5") {
							t.Errorf("%+v: %q is read here, %q by Django", q, got, want)
						}
					}
				}
				if lines[0] != lines[1] || state[0] != state[1] {
					t.Errorf("%+v:\nDjango  %s, stored %s\nhere    %s, stored %s", q, lines[0], state[0], lines[1], state[1])
				}
				// Older releases leave it out where a cookie is sent or deleted that nobody asked for.
				// Here an error varies by it, too.
				if vary := answers[1].Vary; vary != answers[0].Vary && answers[1].Status != 400 && (site.version >= "5.2" || vary == "" || len(answers[1].Cookies) == 0) {
					t.Errorf("%+v: Vary %q, in Django %q", q, vary, answers[0].Vary)
				}
			}
		})
	}
}
