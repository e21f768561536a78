package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/djedge/djedge/build/bench/process"
)

const postgresPassword = "not secret"

// postgres is the one server of this run, started by the first test that needs it.
func postgres(t testing.TB) *server {
	t.Helper()
	bin := component(t, "postgres/bin")
	s, err := startPostgres(bin)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var startPostgres = onceWith(func(bin string) (*server, error) {
	dir := filepath.Join(scratch, "postgres")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	password := filepath.Join(scratch, "postgres-password")
	if err := os.WriteFile(password, []byte(postgresPassword+"\n"), 0o644); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "--pwfile="+password,
		"-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	if err := process.Unprivileged(initdb, dir); err != nil {
		return nil, err
	}
	initdb.Dir = dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}

	addr := freeAddr()
	_, port, _ := strings.Cut(addr, ":")
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "port="+port,
		"-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "timezone=UTC",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off")
	if err := process.Unprivileged(cmd, dir); err != nil {
		return nil, err
	}
	cmd.Dir = dir
	s, err := launch("postgres", addr, cmd)
	if err != nil {
		return nil, err
	}
	share(s)
	// The port is open before recovery is over.
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := execPostgres(s, "SELECT 1")
		if err == nil {
			return s, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("postgres: %w\n%s", err, s.tail())
		}
	}
})

// postgresURL is how djedge is told of a database on the server at addr.
func postgresURL(addr, name string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("postgres", postgresPassword), Host: addr, Path: "/" + name}
	return u.String()
}

func execPostgres(s *server, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, postgresURL(s.addr, "postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

// onceWith is a function that runs once, with the argument of its first call, and gives every caller the same answer.
func onceWith[A, R any](f func(A) (R, error)) func(A) (R, error) {
	var (
		once   sync.Once
		result R
		err    error
	)
	return func(a A) (R, error) {
		once.Do(func() { result, err = f(a) })
		return result, err
	}
}
