package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// edge is a running djedge.
type edge struct {
	*server
	engine string
}

// edgeOptions is what a test varies; a plain djedge knows the database's URL and the key, and nothing else of the site.
type edgeOptions struct {
	engine string // wasm or native
	secret string // SECRET_KEY; "" means secretKey
	config string // TOML; "" means no file
	args   []string

	noSecret bool // the configuration has derived keys
}

// launchEdge starts djedge on a database.
func launchEdge(t testing.TB, url string, o edgeOptions) *edge {
	t.Helper()
	e, err := tryEdge(t, url, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func tryEdge(t testing.TB, url string, o edgeOptions) (*edge, error) {
	t.Helper()
	if o.secret == "" {
		o.secret = secretKey
	}
	addr := freeAddr()
	args := []string{"serve", "--listen", addr, "--database", url, "--engine", o.engine, "--api", "me,login,logout,register,change-password"}
	if !o.noSecret {
		args = append(args, "--secret-key-file", file(t, "secret-key", o.secret+"\n"))
	}
	if o.config != "" {
		args = append(args, "--config", file(t, "djedge.toml", o.config))
	}
	cmd := exec.Command(djedge(), append(args, o.args...)...)
	cmd.Env = plainEnvironment()
	s, err := launch("djedge-"+o.engine, addr, cmd)
	if err != nil {
		return nil, err
	}
	return &edge{s, o.engine}, nil
}

// startEdge is launchEdge for the time of one test.
func startEdge(t testing.TB, url string, o edgeOptions) *edge {
	t.Helper()
	e := launchEdge(t, url, o)
	t.Cleanup(func() {
		e.stop(syscall.SIGTERM)
		tellOnFailure(t, e.server)
	})
	return e
}

func (e *edge) url(path string) string { return "http://" + e.addr + path }

// plainEnvironment is the environment without the variables that djedge would take for settings.
func plainEnvironment() []string {
	var env []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "DJEDGE_") {
			env = append(env, variable)
		}
	}
	return env
}

// file writes a file that only its owner can read.
func file(t testing.TB, name, text string) string {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "file-")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
