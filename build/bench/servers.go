package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/djedge/djedge/build/bench/measure"
	"github.com/djedge/djedge/build/bench/process"
)

// server is one that runs, and what is asked of it.
type server struct {
	*process.Process
	addr     string
	requests []measure.Request
	spare    []measure.Request // to warm up with, where keys must not have been seen
}

// launch starts a server and waits until it answers.
func (r *run) launch(group *process.Group, name, addr string, cmd *exec.Cmd) (*server, error) {
	p, err := process.Start(name, r.dir, cmd)
	if err != nil {
		return nil, err
	}
	group.Add(p)
	if err := p.Await(addr); err != nil {
		return nil, err
	}
	return &server{Process: p, addr: addr}, nil
}

// ask makes the requests of a server that answers path with 200 and the user's name.
func (s *server) ask(path string, sessions []session) *server {
	for _, v := range sessions {
		s.requests = append(s.requests, measure.NewRequest(s.addr, path, "sessionid="+v.key, 200, `"`+v.username+`"`))
	}
	return s
}

// gunicorn and uvicorn are how a Django is served.
func gunicorn(worker string) func(r *run, addr string) []string {
	return func(r *run, addr string) []string {
		return []string{"-m", "gunicorn", "--workers", "2", "--worker-class", worker, "--threads", map[string]string{"gthread": "4", "sync": "1"}[worker],
			"--keep-alive", "60", "--bind", addr, "--worker-tmp-dir", r.dir, "--log-level", "warning", "--no-control-socket", "wsgi"}
	}
}

func uvicorn(_ *run, addr string) []string {
	host, port, _ := strings.Cut(addr, ":")
	return []string{"-m", "uvicorn", "--host", host, "--port", port, "--workers", "1", "--loop", "uvloop", "--http", "httptools",
		"--no-access-log", "--log-level", "warning", "--lifespan", "off", "asgi:application"}
}

// startDjango starts Django 5.2 on a database.
func (r *run) startDjango(ctx context.Context, group *process.Group, name string, db *database, arguments func(*run, string) []string) (*server, error) {
	addr, err := process.FreeAddr()
	if err != nil {
		return nil, err
	}
	cmd, err := r.python(context.WithoutCancel(ctx), "bench-django", db, nil, arguments(r, addr)...)
	if err != nil {
		return nil, err
	}
	return r.launch(group, name, addr, cmd)
}

// pooled is a database with psycopg's pool, for a Django whose requests do not keep a thread.
func pooled(db *database) *database {
	django := map[string]any{"OPTIONS": map[string]any{"pool": map[string]any{"min_size": 4, "max_size": 16}}}
	for k, v := range db.django {
		if k != "CONN_MAX_AGE" {
			django[k] = v
		}
	}
	return &database{url: db.url, django: django, sessions: db.sessions}
}

// startSeed starts the aiohttp example of async-django-user.
func (r *run) startSeed(group *process.Group, db *database) (*server, error) {
	addr, err := process.FreeAddr()
	if err != nil {
		return nil, err
	}
	_, port, _ := strings.Cut(addr, ":")
	cmd := exec.Command(r.component("bench-seed/bin/python"), filepath.Join(r.Root, "build", "bench", "seed", "app.py"))
	cmd.Env = append(os.Environ(), "SEED_DATABASE="+db.url, "SEED_SECRET_KEY="+secretKey, "SEED_PORT="+port, "PYTHONDONTWRITEBYTECODE=1")
	return r.launch(group, "seed", addr, cmd)
}

// startPython starts the same example over djedge's Python package.
func (r *run) startPython(group *process.Group, db *database) (*server, error) {
	addr, err := process.FreeAddr()
	if err != nil {
		return nil, err
	}
	_, port, _ := strings.Cut(addr, ":")
	cmd := exec.Command(r.component("python-djedge/bin/python"), filepath.Join(r.Root, "build", "bench", "seed", "djedge_app.py"))
	cmd.Env = append(os.Environ(), "SEED_DATABASE="+db.url, "SEED_SECRET_KEY="+secretKey, "SEED_PORT="+port,
		"PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH="+filepath.Join(r.Root, "wasm", "python", "src"))
	return r.launch(group, "python", addr, cmd)
}

// build compiles a program of this repository, once in a run.
func (r *run) build(ctx context.Context, pkg string) (string, error) {
	out := filepath.Join(r.dir, filepath.Base(pkg))
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", out, pkg)
	cmd.Dir = r.Root
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", pkg, err, text)
	}
	return out, nil
}

// startDjedge starts `djedge serve` on a database.
func (r *run) startDjedge(ctx context.Context, group *process.Group, name, database string, flags ...string) (*server, error) {
	binary, err := r.build(ctx, "./host/djedge")
	if err != nil {
		return nil, err
	}
	secret := filepath.Join(r.dir, "secret-key")
	if err := os.WriteFile(secret, []byte(secretKey+"\n"), 0o600); err != nil {
		return nil, err
	}
	addr, err := process.FreeAddr()
	if err != nil {
		return nil, err
	}
	arguments := append([]string{"serve", "--listen", addr, "--secret-key-file", secret, "--log-level", "warn"}, flags...)
	if database != "" { // a login needs one
		arguments = append(arguments, "--api", "me,login", "--database", database)
	}
	return r.launch(group, name, addr, exec.Command(binary, arguments...))
}

// djedgeHas says whether this djedge has a flag.
func (r *run) djedgeHas(ctx context.Context, flag string) bool {
	binary, err := r.build(ctx, "./host/djedge")
	if err != nil {
		return false
	}
	help, _ := exec.CommandContext(ctx, binary, "serve", "--help").Output()
	return strings.Contains(string(help), "  --"+flag+" ")
}

// startHello starts build/bench/hello.
func (r *run) startHello(ctx context.Context, group *process.Group) (*server, error) {
	binary, err := r.build(ctx, "./build/bench/hello")
	if err != nil {
		return nil, err
	}
	addr, err := process.FreeAddr()
	if err != nil {
		return nil, err
	}
	return r.launch(group, "hello", addr, exec.Command(binary, addr))
}

// startOAuth2Proxy starts oauth2-proxy with sessions in cookies, and logs people in by its form: no provider is asked.
func (r *run) startOAuth2Proxy(ctx context.Context, group *process.Group) (*server, error) {
	addr, err := process.FreeAddr()
	if err != nil {
		return nil, err
	}
	users := filepath.Join(r.dir, "htpasswd")
	const visitor = "visitor:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n" // "password"
	if err := os.WriteFile(users, []byte(visitor), 0o600); err != nil {
		return nil, err
	}
	s, err := r.launch(group, "oauth2-proxy", addr, exec.Command(r.component("gobin/oauth2-proxy"),
		"--provider=github", "--client-id=x", "--client-secret=y", "--cookie-secret=0123456789abcdef0123456789abcdef", "--email-domain=*",
		"--upstream=static://202", "--http-address="+addr, "--cookie-secure=false", "--htpasswd-file="+users, "--set-xauthrequest=true",
		"--request-logging=false", "--auth-logging=false", "--standard-logging=false"))
	if err != nil {
		return nil, err
	}
	for range 50 {
		jar, _ := cookiejar.New(nil)
		client := http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		response, err := client.PostForm("http://"+addr+"/oauth2/sign_in", url.Values{"username": {"visitor"}, "password": {"password"}})
		if err != nil {
			return nil, err
		}
		response.Body.Close()
		var cookies []string
		for _, c := range response.Cookies() {
			cookies = append(cookies, c.Name+"="+c.Value)
		}
		s.requests = append(s.requests, measure.NewRequest(addr, "/oauth2/auth", strings.Join(cookies, "; "), http.StatusAccepted, "X-Auth-Request-User: visitor"))
	}
	return s, nil
}
