package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// current is the Django version that most tests run against; others are named by major and minor digits likewise.
const current = "52"

// secretKey is the site's SECRET_KEY, with what JSON, URLs and shells would stumble over.
const secretKey = "django-insecure-q$4=%w'x\"é&#(7)@u1*_0^z!kz+8b"

// settings are Django settings by name.
type settings map[string]any

// django is a running site.
type django struct {
	*server
	version string
}

// python is a command of the virtual environment of a Django version, with the site's settings in its environment.
func python(t testing.TB, version string, db *database, s settings, args ...string) *exec.Cmd {
	t.Helper()
	all := settings{"DATABASES": map[string]any{"default": db.django}}
	maps.Copy(all, s)
	encoded, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	site, err := filepath.Abs("site")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(component(t, "django"+version+"/bin/python"), args...)
	cmd.Dir = site
	cmd.Env = append(os.Environ(), "DJANGO_SETTINGS_MODULE=settings", "SITE_SETTINGS="+string(encoded),
		"PYTHONPATH="+site, "PYTHONDONTWRITEBYTECODE=1")
	return cmd
}

// launchDjango starts a site under gunicorn.
func launchDjango(t testing.TB, version string, db *database, s settings) *django {
	t.Helper()
	addr := freeAddr()
	server, err := launch("django"+version, addr, python(t, version, db, s, "-m", "gunicorn", "--workers", "1",
		"--worker-class", "gthread", "--threads", "4", "--keep-alive", "60", "--bind", addr, "--worker-tmp-dir", scratch,
		"--log-level", "warning", "--no-control-socket", "wsgi"))
	if err != nil {
		t.Fatal(err)
	}
	return &django{server, version}
}

// startDjango is launchDjango for the time of one test.
func startDjango(t testing.TB, version string, db *database, s settings) *django {
	t.Helper()
	d := launchDjango(t, version, db, s)
	t.Cleanup(func() {
		d.stop(syscall.SIGTERM)
		tellOnFailure(t, d.server)
	})
	return d
}

func (d *django) url(path string) string { return "http://" + d.addr + path }

// arguments are the keyword arguments of a function in site/control.py.
type arguments map[string]any

// control calls a function of site/control.py and decodes what it returns into result, which may be nil.
func (d *django) control(t testing.TB, name string, args arguments, result any) {
	t.Helper()
	body, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(d.url("/control/"+name), "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, d.tail())
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v\n%s", name, response.Status, err, d.tail())
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(text, &struct{ Result any }{result}); err != nil {
		t.Fatal(fmt.Errorf("%s: %w in %s", name, err, text))
	}
}
