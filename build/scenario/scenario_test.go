package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/djedge/djedge/build/bench/process"
)

var (
	components = os.Getenv("DJEDGE_TEST_COMPONENTS")
	inCI       = os.Getenv("CI") == "true"
)

// component is the path of an installed file; where it is missing the test is skipped, or fails in CI.
func component(t testing.TB, path string) string {
	t.Helper()
	full, err := filepath.Abs(filepath.Join(components, path))
	if err == nil {
		_, err = os.Stat(full)
	}
	if components == "" || err != nil {
		why := "component " + path + " is not installed (make components, and DJEDGE_TEST_COMPONENTS)"
		if inCI {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	return full
}

// The table. With DJEDGE_SCENARIO_RECORD the result of each cell is appended to that file, for docs/runtimes.md.
func TestScenarios(t *testing.T) {
	python := component(t, "django52/bin/python")
	programs := t.TempDir()
	at := place{root: root(t), components: components, djedge: filepath.Join(programs, "djedge"), middleware: filepath.Join(programs, "middleware")}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", programs, "github.com/djedge/djedge/host/djedge",
		"github.com/djedge/djedge/build/scenario/middleware").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	worlds := map[string]*world{}
	t.Cleanup(func() {
		for _, w := range worlds {
			w.close(t)
		}
	})
	for _, door := range Doors() {
		t.Run(door.Name, func(t *testing.T) {
			kind := door.Database
			if kind == "" {
				kind = "postgres"
			}
			if door.Component != "" {
				component(t, door.Component)
			}
			if worlds[kind] == nil {
				worlds[kind] = newWorld(t, kind, python)
			}
			w := worlds[kind]
			t.Parallel()
			for _, engine := range door.Engines {
				t.Run(engine, func(t *testing.T) {
					t.Parallel()
					w.run(t, at, door, engine)
				})
			}
		})
	}
}

func root(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// world is a database, a Django and a cache that doors share.
type world struct {
	db      *database
	drop    func() error
	django  *django
	cache   string
	valkey  *process.Process
	encoded string
	dir     string
}

func newWorld(t *testing.T, kind, python string) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "djedge-scenario-")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{drop: func() error { return nil }, dir: dir}
	if kind == "postgres" {
		server := os.Getenv("DJEDGE_TEST_POSTGRES")
		switch {
		case server == "" && inCI:
			t.Fatal("DJEDGE_TEST_POSTGRES is not set, and CI does without no test")
		case server == "":
			t.Skip("DJEDGE_TEST_POSTGRES is not set: no PostgreSQL to test with")
		}
		if w.db, w.drop, err = newPostgres(context.Background(), server); err != nil {
			t.Fatal(err)
		}
	} else {
		w.db = newSQLite(dir)
	}
	addr, err := process.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(addr, ":")
	w.valkey, err = process.Start("valkey", dir, exec.Command(component(t, "valkey/valkey-server"),
		"--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.valkey.Await(addr); err != nil {
		t.Fatal(err)
	}
	w.cache = "redis://" + addr
	if w.django, err = startDjango(python, dir, w.db, w.cache); err != nil {
		t.Fatal(err)
	}
	if err := w.django.call("make_password", args{"password": password}, &w.encoded); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) close(t *testing.T) {
	if w.django != nil {
		w.django.stop()
	}
	w.valkey.Stop(syscall.SIGTERM)
	if err := w.drop(); err != nil {
		t.Error(err)
	}
	_ = os.RemoveAll(w.dir)
}

// run is every row with one door and one session engine.
func (w *world) run(t *testing.T, at place, door Door, engine string) {
	at.scratch = t.TempDir()
	s := settings{database: w.db.url, engine: engine}
	if engine == "cached_db" {
		s.cache = w.cache
	}
	var between *proxy
	if w.db.kind == "postgres" {
		var err error
		if between, err = newProxy(w.db.addr); err != nil {
			t.Fatal(err)
		}
		defer between.close()
		s.database = w.db.through(between.addr())
	}
	r, err := door.start(at, s)
	if err != nil {
		t.Fatal(err)
	}
	defer r.stop()
	for _, row := range Rows() {
		t.Run(row.Name, func(t *testing.T) {
			began := time.Now()
			why := door.Without[row.Name]
			if why == "" {
				why = row.Without[engine]
			}
			if why == "" && row.outage && between == nil {
				why = "there is no server between the door and the database"
			}
			if why != "" {
				record(t, Cell{Door: door.Name, Engine: engine, Row: row.Name, Without: why})
				t.Logf("not covered: %s", why)
				return
			}
			row.test(&site{TB: t, django: w.django, proxy: between, door: r, engine: engine, encoded: w.encoded})
			if t.Failed() {
				t.Log(r.process.Tail())
				return
			}
			record(t, Cell{Door: door.Name, Engine: engine, Row: row.Name})
			t.Logf("%.1f s", time.Since(began).Seconds())
		})
	}
}

// record appends a cell to the file of the run.
func record(t *testing.T, c Cell) {
	t.Helper()
	name := os.Getenv("DJEDGE_SCENARIO_RECORD")
	if name == "" {
		return
	}
	line, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "%s\n", line); err != nil {
		t.Fatal(err)
	}
}
