package host_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/djedge/djedge/host/internal/testservers"
)

// sessionProgram is a Django that does what each line of its input says, in
// the engine, database and cache of that line.
const sessionProgram = `
import datetime, json, os, sys, time
from importlib import import_module
import django
from django.conf import settings

class Router:
    database = "default"
    def db_for_read(self, model, **hints):
        return Router.database
    db_for_write = db_for_read

given = json.loads(sys.argv[1])
engines = {d.get("ENGINE", "").rpartition(".")[2] for d in given["DATABASES"].values()}
if "mysql" in engines:
    import pymysql
    pymysql.install_as_MySQLdb()
settings.configure(DATABASE_ROUTERS=[Router()], **given)
os.environ["TZ"] = settings.TIME_ZONE # as a settings module does
time.tzset()
if "postgresql" in engines and django.VERSION < (3, 1):
    # psycopg2 2.9 hands over a time zone that Django 2.2 does not take for UTC.
    import django.db.backends.postgresql.base as base, django.utils.timezone
    base.utc_tzinfo_factory = lambda offset: django.utils.timezone.utc
django.setup()
from django.core.management import call_command
for alias in given["DATABASES"]:
    if alias != "default": call_command("migrate", database=alias, verbosity=0)

data = {"_auth_user_id": "1", "n": 3, "f": 1.5, "whole": 1.0, "big": 2**70, "none": None, "t": True, "l": [1, "\u00e9", {"k": []}], "\u00e9": "\u20ac\U0001f600"}
typed = {"tuple": (1, "a"), "bytes": b"\x00\xff", "set": {1}, "when": datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.timezone.utc), "keys": {1: None}}
for line in sys.stdin:
    a = json.loads(line)
    Router.database, settings.SESSION_CACHE_ALIAS = a["database"], a["cache"]
    Store = import_module("django.contrib.sessions.backends." + a["engine"]).SessionStore
    s, answer = Store(a.get("key")), {}
    try:
        if a["do"] == "write":
            s.update(data)
            if a.get("typed"): s.update(typed)
            if "expiry" in a: s.set_expiry(a["expiry"])
            s.save()
        elif a["do"] == "change":
            s["python"] = a["value"]
            s.save()
        elif a["do"] == "cycle":
            s.cycle_key()
        elif a["do"] == "flush":
            s.flush()
        elif a["do"] == "expiry":
            modified = datetime.datetime.fromisoformat(a["modified"])
            if a.get("expiry") is not None: s["_session_expiry"] = a["expiry"]
            answer["date"] = s.get_expiry_date(modification=modified)
            if isinstance(answer["date"], str): answer["date"] = datetime.datetime.fromisoformat(answer["date"])
            answer["date"] = answer["date"].isoformat()
            answer["age"] = s.get_expiry_age(modification=modified)
        if a["do"] != "expiry":
            answer["repr"] = repr(sorted(s.items(), key=repr))
            answer["key"] = s.session_key
            try: answer["items"] = [[k, json.dumps(v, separators=(",", ":"))] for k, v in s.items()]
            except TypeError: pass
    except Exception as e:
        answer["error"] = type(e).__name__
    print(json.dumps(answer), flush=True)
`

// pythonSessions is a running sessionProgram.
type pythonSessions struct {
	in  io.Writer
	out *bufio.Scanner
}

type sessionRequest struct {
	Do       string `json:"do"`
	Key      string `json:"key,omitempty"`
	Value    int    `json:"value,omitempty"`
	Typed    bool   `json:"typed,omitempty"`
	Expiry   any    `json:"expiry,omitempty"`
	Modified string `json:"modified,omitempty"`

	Engine   string `json:"engine"`   // the last part of SESSION_ENGINE
	Database string `json:"database"` // alias of DATABASES
	Cache    string `json:"cache"`    // SESSION_CACHE_ALIAS
}

type sessionAnswer struct {
	Key, Repr, Error, Date string
	Items                  [][2]string
	Age                    float64
}

// startPython runs the program until the test ends.
func startPython(t *testing.T, venv string, settings map[string]any) *pythonSessions {
	t.Helper()
	python := testservers.Component(t, venv+"/bin/python")
	encoded, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-W", "ignore", "-c", sessionProgram, string(encoded))
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stderr = os.Stderr
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
	return &pythonSessions{in, bufio.NewScanner(out)}
}

func (p *pythonSessions) do(t *testing.T, r sessionRequest) (answer sessionAnswer) {
	t.Helper()
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	if !p.out.Scan() {
		t.Fatal("Django has ended")
	}
	if err := json.Unmarshal(p.out.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
