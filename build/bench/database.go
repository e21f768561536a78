package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/djedge/djedge/build/bench/process"
)

const (
	databasePassword = "not secret"
	userPassword     = "correct horse battery staple"
	secretKey        = "a secret key of the benchmark, as long as Django's own are"
)

// database is one that a Django has filled.
type database struct {
	url      string         // for djedge and others
	django   map[string]any // for DATABASES
	sessions []session
}

// session is one that Django made.
type session struct{ key, cookie, userID, username string }

// startPostgres starts a server with its durability on, and the memory that a site would give it.
func (r *run) startPostgres(ctx context.Context, group *process.Group) (*process.Process, string, error) {
	bin := r.component("postgres/bin")
	dir, err := os.MkdirTemp(r.dir, "postgres-")
	if err != nil {
		return nil, "", err
	}
	data, password := filepath.Join(dir, "data"), filepath.Join(r.dir, "password")
	if err := os.WriteFile(password, []byte(databasePassword+"\n"), 0o644); err != nil {
		return nil, "", err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "--pwfile="+password,
		"-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	if err := process.Unprivileged(initdb, dir); err != nil {
		return nil, "", err
	}
	initdb.Dir = dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, "", fmt.Errorf("initdb: %w\n%s", err, out)
	}
	addr, err := process.FreeAddr()
	if err != nil {
		return nil, "", err
	}
	_, port, _ := strings.Cut(addr, ":")
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "port="+port,
		"-c", "unix_socket_directories=", "-c", "max_connections=300", "-c", "timezone=UTC", "-c", "shared_buffers=512MB",
		"-c", "wal_level=minimal", "-c", "max_wal_senders=0", "-c", "max_wal_size=4GB", "-c", "maintenance_work_mem=256MB",
		"-c", "autovacuum=off") // it would work on what was filled in while something else is measured
	if err := process.Unprivileged(cmd, dir); err != nil {
		return nil, "", err
	}
	cmd.Dir = dir
	p, err := process.Start("postgres", r.dir, cmd)
	if err != nil {
		return nil, "", err
	}
	group.Add(p)
	if err := p.Await(addr); err != nil {
		return nil, "", err
	}
	// The port is open before the server is ready.
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err = execute(ctx, postgresURL(addr, "postgres"), "SELECT 1"); err == nil || time.Now().After(deadline) {
			return p, addr, err
		}
	}
}

func postgresURL(addr, name string) string {
	u := url.URL{Scheme: "postgresql", User: url.UserPassword("postgres", databasePassword), Host: addr, Path: "/" + name}
	return u.String()
}

// execute runs statements on a connection of their own.
func execute(ctx context.Context, url string, statements ...string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%.60s: %w", sql, err)
		}
	}
	return nil
}

// newPostgres is a new database, filled by the Django of an environment.
func (r *run) newPostgres(ctx context.Context, addr, name, environment string, settings map[string]any) (*database, error) {
	if err := execute(ctx, postgresURL(addr, "postgres"), "CREATE DATABASE "+name); err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	db := &database{url: postgresURL(addr, name), django: map[string]any{
		"ENGINE": "django.db.backends.postgresql", "NAME": name, "USER": "postgres", "PASSWORD": databasePassword,
		"HOST": host, "PORT": port, "CONN_MAX_AGE": 600,
	}}
	if err := r.fill(ctx, db, environment, settings); err != nil {
		return nil, err
	}
	return db, execute(ctx, db.url, "VACUUM ANALYZE")
}

// newSQLite is the same in a file, in the mode that both Django and djedge are best in.
func (r *run) newSQLite(ctx context.Context) (*database, error) {
	path := filepath.Join(r.dir, "site.sqlite3")
	db := &database{url: "sqlite://" + path, django: map[string]any{
		"ENGINE": "django.db.backends.sqlite3", "NAME": path, "CONN_MAX_AGE": 600,
		"OPTIONS": map[string]any{"timeout": 20, "init_command": "PRAGMA journal_mode=WAL"},
	}}
	return db, r.fill(ctx, db, "bench-django", nil)
}

// fill makes tables, users and sessions: [Config.Sessions], and a tenth more to warm up with.
func (r *run) fill(ctx context.Context, db *database, environment string, settings map[string]any) error {
	r.Say("Django fills %s", db.django["NAME"])
	cmd, err := r.python(ctx, environment, db, settings, "fill.py", fmt.Sprint(r.Sessions+r.spare()), userPassword)
	if err != nil {
		return err
	}
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		return fmt.Errorf("filling a database: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) != 4 {
			return fmt.Errorf("a session is not in %q", line)
		}
		db.sessions = append(db.sessions, session{f[0], f[1], f[2], f[3]})
	}
	return nil
}

// spare is how many sessions there are beyond those that are measured.
func (r *run) spare() int { return max(r.Sessions/10, 1) }

// measured is the sessions that requests come with.
func (r *run) measured(db *database) []session { return db.sessions[:r.Sessions] }

// python is a command in the environment of a Django, with the site's settings.
func (r *run) python(ctx context.Context, environment string, db *database, settings map[string]any, args ...string) (*exec.Cmd, error) {
	all := map[string]any{"SECRET_KEY": secretKey, "DATABASES": map[string]any{"default": db.django}}
	maps.Copy(all, settings)
	text, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, r.component(environment+"/bin/python"), args...)
	cmd.Dir = filepath.Join(r.Root, "build", "bench", "site")
	cmd.Env = append(os.Environ(), "DJANGO_SETTINGS_MODULE=settings", "SITE_SETTINGS="+string(text), "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH="+cmd.Dir)
	return cmd, nil
}
