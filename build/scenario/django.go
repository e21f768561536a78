package scenario

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/jackc/pgx/v5"

	"github.com/djedge/djedge/build/bench/process"
)

// The site's keys. Signed with the second is as good as signed with the first.
const (
	secretKey   = "django-insecure-scenario-$%&é-0123456789"
	fallbackKey = "django-insecure-scenario-before-0123456789"
	anotherKey  = "django-insecure-somebody-else-0123456789"
)

// database is a site's database, and how each side is told of it.
type database struct {
	kind   string // postgres or sqlite
	url    string // for doors
	addr   string // of PostgreSQL
	django map[string]any
}

var databases atomic.Int64

// newPostgres makes a database on the server that a URL names; drop ends it.
func newPostgres(ctx context.Context, server string) (db *database, drop func() error, err error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, nil, errors.New("the server's URL cannot be read")
	}
	name := fmt.Sprintf("scenario_%d_%d", os.Getpid(), databases.Add(1))
	execute := func(sql string) error {
		conn, err := pgx.Connect(context.WithoutCancel(ctx), server)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(context.WithoutCancel(ctx), sql)
		return err
	}
	if err := execute("CREATE DATABASE " + name); err != nil {
		return nil, nil, err
	}
	u.Path = "/" + name
	password, _ := u.User.Password()
	return &database{kind: "postgres", url: u.String(), addr: u.Host, django: map[string]any{
		"ENGINE": "django.db.backends.postgresql", "NAME": name, "USER": u.User.Username(), "PASSWORD": password,
		"HOST": u.Hostname(), "PORT": u.Port(), "CONN_MAX_AGE": nil,
	}}, func() error { return execute("DROP DATABASE " + name + " WITH (FORCE)") }, nil
}

// newSQLite is a database in a file of dir.
func newSQLite(dir string) *database {
	path := filepath.Join(dir, fmt.Sprintf("scenario%d.sqlite3", databases.Add(1)))
	return &database{kind: "sqlite", url: path, django: map[string]any{
		"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": map[string]any{"timeout": 20},
	}}
}

// through is the database by another address.
func (db *database) through(addr string) string {
	u, err := url.Parse(db.url)
	if err != nil || db.kind != "postgres" {
		return db.url
	}
	u.Host = addr
	return u.String()
}

// django is a process of site.py.
type django struct {
	process *process.Process
	mu      sync.Mutex
	in      io.WriteCloser
	out     *bufio.Reader
}

// startDjango starts site.py with the Python of a virtual environment, and has
// it make the tables. Cache is redis://… or "".
func startDjango(python, dir string, db *database, cache string) (*django, error) {
	settings := map[string]any{
		"SECRET_KEY": secretKey, "SECRET_KEY_FALLBACKS": []string{fallbackKey},
		"DATABASES": map[string]any{"default": db.django},
	}
	if cache != "" {
		settings["CACHES"] = map[string]any{"default": map[string]any{"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": cache}}
	}
	encoded, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	script, err := filepath.Abs("site.py")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(python, "-I", "-B", script)
	cmd.Env = append(os.Environ(), "SCENARIO_SETTINGS="+string(encoded))
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, answers, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout = answers
	p, err := process.Start("django", dir, cmd)
	answers.Close()
	if err != nil {
		return nil, err
	}
	d := &django{process: p, in: in, out: bufio.NewReader(out)}
	if err := d.call("migrate", nil, nil); err != nil {
		d.stop()
		return nil, err
	}
	return d, nil
}

func (d *django) stop() { d.process.Stop(syscall.SIGTERM) }

// args are the keyword arguments of a function of site.py.
type args map[string]any

// call calls a function of site.py.
func (d *django) call(name string, arguments args, result any) error {
	if arguments == nil {
		arguments = args{}
	}
	line, err := json.Marshal([]any{name, arguments})
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("django: %w\n%s", err, d.process.Tail())
	}
	answer, err := d.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("django: %w\n%s", err, d.process.Tail())
	}
	var decoded struct {
		Error  string
		Result json.RawMessage
	}
	if err := json.Unmarshal(answer, &decoded); err != nil {
		return err
	}
	if decoded.Error != "" {
		return fmt.Errorf("django: %s: %s", name, decoded.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(decoded.Result, result)
}
