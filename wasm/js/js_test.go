// Package js_test starts the tests of the npm package djedge in every runtime
// that it is for, beside a real Django.
package js_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/djedge/djedge/build/bench/process"
	"github.com/djedge/djedge/build/modules"
	"github.com/djedge/djedge/build/wasmbuild"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/sqldb"
)

// component is the path of an installed file; without it the test is skipped, or fails in CI.
func component(t testing.TB, path string) string {
	t.Helper()
	dir := os.Getenv("DJEDGE_TEST_COMPONENTS")
	full := filepath.Join(dir, filepath.FromSlash(path))
	if _, err := os.Stat(full); dir == "" || err != nil {
		missing(t, path+" is not installed below DJEDGE_TEST_COMPONENTS (make components)")
	}
	return full
}

func missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// program is a program of this machine.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" is not installed")
	}
	return path
}

// run is what a command prints.
func run(t testing.TB, cmd *exec.Cmd) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, stderr.Bytes(), out)
	}
	return out
}

// site is a site that Django made.
type site struct {
	dir, python, database string
}

// newSite also puts the module beside the package.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{dir: t.TempDir(), python: component(t, "django52/bin/python")}
	s.database = filepath.Join(s.dir, "db.sqlite3")
	var about map[string]json.RawMessage
	var secret string
	var fallbacks []string
	err := json.Unmarshal(run(t, s.django("make")), &about)
	if err == nil {
		err = errors.Join(json.Unmarshal(about["secretKey"], &secret), json.Unmarshal(about["fallbacks"], &fallbacks))
	}
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]string{}
	for _, setting := range host.KeySettings(signing.DeriveKeys("", secret, fallbacks)) {
		keys[setting.Name] = append(keys[setting.Name], setting.Value)
	}
	if about["keys"], err = json.Marshal(keys); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(about)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path("site.json"), out, 0o600); err != nil {
		t.Fatal(err)
	}
	writeModule(t, s.path("djedge.wasm"))
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) django(verb string) *exec.Cmd {
	cmd := exec.Command(s.python, "test/site.py", verb, s.database)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	return cmd
}

// writeModule writes the module of this repository, there and beside the package.
func writeModule(t testing.TB, path string) {
	t.Helper()
	wasm, err := modules.WASM()
	if errors.Is(err, modules.ErrMissing) {
		missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, "djedge.wasm"} {
		if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, wasm) {
			continue
		}
		if err := os.WriteFile(name+".new", wasm, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name+".new", name); err != nil {
			t.Fatal(err)
		}
	}
}

// result is what test/suite.js answers.
type result struct {
	Passed  []string    `json:"passed"`
	Failed  [][2]string `json:"failed"`
	Written json.RawMessage
}

func read(t *testing.T, out []byte) result {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var r result
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil {
		t.Fatalf("%v: %.2000s", err, out)
	}
	for _, failed := range r.Failed {
		t.Errorf("%s: %s", failed[0], failed[1])
	}
	if len(r.Passed) < 20 {
		t.Errorf("only %d tests passed", len(r.Passed))
	}
	t.Logf("%d tests passed", len(r.Passed))
	return r
}

// judge asks Django about what was written.
func (s *site) judge(t *testing.T, written json.RawMessage) {
	t.Helper()
	cmd := s.django("judge")
	cmd.Stdin = bytes.NewReader(written)
	var verdict struct {
		Registered, User string
		Items            map[string]any
		Changed          bool
	}
	if err := json.Unmarshal(run(t, cmd), &verdict); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(verdict.Registered, "newcomer_") || verdict.User != "user9" || !verdict.Changed {
		t.Errorf("Django finds %+v", verdict)
	}
	if got := fmt.Sprint(verdict.Items); got != "map[cart:[1 ä✓ map[deep:<nil>]] number:9]" {
		t.Errorf("Django finds the session %s", got)
	}
}

// Runtimes that read files get the path of everything in their environment.
func TestRuntimes(t *testing.T) {
	const node = "js/node_modules/"
	for name, command := range map[string]func(t *testing.T) *exec.Cmd{
		"node20": func(t *testing.T) *exec.Cmd { return exec.Command(program(t, "node"), "test/node.mjs") },
		"node24": func(t *testing.T) *exec.Cmd {
			return exec.Command(component(t, node+"node24/bin/node"), "--no-warnings", "test/node.mjs")
		},
		"deno": func(t *testing.T) *exec.Cmd {
			return exec.Command(component(t, node+"@deno/linux-x64-glibc/deno"), "run", "--no-remote", "--no-npm", "--no-config", "--no-prompt",
				"--allow-net=127.0.0.1", "--allow-read", "--allow-write", "--allow-env", "test/node.mjs")
		},
		"bun": func(t *testing.T) *exec.Cmd {
			return exec.Command(component(t, node+"@oven/bun-linux-x64/bin/bun"), "test/node.mjs")
		},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command(t)
			s := newSite(t)
			cmd.Env = append(os.Environ(), "DENO_DIR="+s.path("deno"), "DENO_NO_UPDATE_CHECK=1",
				"DJEDGE_NAME="+name, "DJEDGE_SITE="+s.path("site.json"), "DJEDGE_DATABASE="+s.database)
			if name == "node20" { // has no SQLite of its own
				cmd.Env = append(cmd.Env, "DJEDGE_REMOTE="+s.serve(t))
			}
			if name == "node24" {
				chaos, err := wasmbuild.Bytes(t.Context(), wasmbuild.Chaos())
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(s.path("chaos.wasm"), chaos, 0o600); err != nil {
					t.Fatal(err)
				}
				cmd.Env = append(cmd.Env, "DJEDGE_CHAOS="+s.path("chaos.wasm"))
			}
			s.judge(t, read(t, run(t, cmd)).Written)
		})
	}
}

// workerd compiles modules ahead and has no files: it asks the database over HTTP.
func TestWorkerd(t *testing.T) {
	workerd := component(t, "js/node_modules/@cloudflare/workerd-linux-64/bin/workerd")
	for _, socket := range []string{"bare", "node"} {
		t.Run(socket, func(t *testing.T) {
			s := newSite(t)
			addr, err := process.FreeAddr()
			if err != nil {
				t.Fatal(err)
			}
			other, err := process.FreeAddr()
			if err != nil {
				t.Fatal(err)
			}
			sockets := map[string]string{"bare": other, "node": other}
			sockets[socket] = addr
			cmd := exec.Command(workerd, "serve", "--import-path="+s.dir, "--socket-addr="+socket+"="+addr, "--socket-addr="+map[string]string{"bare": "node", "node": "bare"}[socket]+"="+other, "test/workerd.capnp")
			cmd.Env = append(os.Environ(), "DJEDGE_REMOTE="+s.serve(t))
			p, err := process.Start("workerd", s.dir, cmd)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { p.Stop(syscall.SIGTERM) })
			if err := p.Await(addr); err != nil {
				t.Fatal(err, p.Tail())
			}
			response, err := http.Get("http://" + addr)
			if err != nil {
				t.Fatal(err, p.Tail())
			}
			defer response.Body.Close()
			out, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != http.StatusOK {
				t.Fatalf("%s %v %.2000s %s", response.Status, err, out, p.Tail())
			}
			s.judge(t, read(t, out).Written)
		})
	}
}

// D1 as miniflare has it, without and with Node's own modules.
func TestD1(t *testing.T) {
	miniflare := component(t, "js/node_modules/miniflare")
	for _, flags := range []string{"", "nodejs_compat"} {
		t.Run("flags="+flags, func(t *testing.T) {
			s := newSite(t)
			cmd := exec.Command(program(t, "node"), "test/miniflare.mjs")
			cmd.Env = append(os.Environ(), "DJEDGE_MINIFLARE="+miniflare, "DJEDGE_SITE="+s.path("site.json"), "DJEDGE_WASM="+s.path("djedge.wasm"), "DJEDGE_FLAGS="+flags)
			read(t, run(t, cmd))
		})
	}
}

// serve answers test/remote.js from the site's database.
func (s *site) serve(t *testing.T) (url string) {
	t.Helper()
	db, err := sqldb.OpenSQLite(t.Context(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		results, err := ask(r.Context(), db, r.Body)
		answer := map[string]any{"results": results}
		if err != nil {
			answer = map[string]any{"error": err.Error(), "duplicate": errors.Is(err, query.ErrDuplicate)}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func ask(ctx context.Context, db *sqldb.DB, body io.Reader) (results []any, err error) {
	var asked struct {
		Atomic     bool
		Statements []struct {
			Name, SQL string
			Args      []any
		}
	}
	decoder := json.NewDecoder(body)
	decoder.UseNumber()
	if err := decoder.Decode(&asked); err != nil {
		return nil, err
	}
	var statements []query.Statement
	for _, s := range asked.Statements {
		statement := query.Statement{Name: s.Name, SQL: s.SQL}
		for _, arg := range s.Args {
			value := query.Null()
			switch arg := arg.(type) {
			case bool:
				value = query.Bool(arg)
			case string:
				value = query.Text(arg)
			case json.Number:
				n, err := arg.Int64()
				if err != nil {
					return nil, err
				}
				value = query.Int(n)
			}
			statement.Args = append(statement.Args, value)
		}
		statements = append(statements, statement)
	}
	answers, err := db.Query(ctx, asked.Atomic, statements...)
	for _, answer := range answers {
		rows := [][]any{}
		for _, row := range answer.Rows {
			cells := make([]any, len(row))
			for i, v := range row {
				switch v.Kind() {
				case query.KindBool:
					cells[i] = v.Bool()
				case query.KindInt:
					cells[i] = v.Int()
				case query.KindFloat:
					cells[i] = v.Float()
				case query.KindText, query.KindBytes:
					cells[i] = v.Text()
				case query.KindTime:
					cells[i] = v.Time().Format("2006-01-02T15:04:05.000000Z07:00")
				}
			}
			rows = append(rows, cells)
		}
		results = append(results, map[string]any{"rows": rows, "affected": answer.Affected})
	}
	return results, err
}
