package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// mariadb is a running MariaDB of a command's own: without a network, for
// whoever can open its socket, as user root without a password.
type mariadb struct {
	Socket string
	dir    string
	cmd    *exec.Cmd
	done   chan struct{}
}

// startMariaDB starts the server that make components has put below components.
func startMariaDB(components string) (_ *mariadb, err error) {
	base, err := filepath.Abs(filepath.Join(components, "mariadb"))
	if err != nil {
		return nil, err
	}
	server, install, messages := "bin/mariadbd", "scripts/mariadb-install-db", "share"
	env := append(os.Environ(), "TZ=UTC")
	if _, err := os.Stat(filepath.Join(base, "usr")); err == nil { // Debian's
		libraries, _ := filepath.Glob(base + "/usr/lib/*-linux-gnu*")
		env = append(env, "LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
		base = filepath.Join(base, "usr")
		server, install, messages = "sbin/mariadbd", "bin/mariadb-install-db", "share/mysql"
	}
	if _, err := os.Stat(filepath.Join(base, server)); err != nil {
		return nil, fmt.Errorf("mariadb is not installed (make components): %w", err)
	}
	dir, err := os.MkdirTemp("", "djedge") // short: a socket's path has 107 bytes at most
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	common := []string{"--no-defaults", "--basedir=" + base, "--datadir=" + filepath.Join(dir, "data")}
	if os.Getuid() == 0 {
		common = append(common, "--user=root")
	}
	init := exec.Command(filepath.Join(base, install), append(common, "--auth-root-authentication-method=normal", "--skip-test-db")...)
	init.Env = env
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mariadb-install-db: %w\n%s", err, out)
	}
	m := &mariadb{Socket: filepath.Join(dir, "s"), dir: dir, done: make(chan struct{})}
	m.cmd = exec.Command(filepath.Join(base, server), append(common, "--socket="+m.Socket, "--skip-networking", "--pid-file="+filepath.Join(dir, "pid"),
		"--lc-messages-dir="+filepath.Join(base, messages), "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0",
		"--skip-log-bin", "--character-set-server=utf8mb4", "--default-time-zone=+00:00")...)
	m.cmd.Env = env
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = m.cmd.Wait()
		close(m.done)
	}()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("unix", m.Socket); err == nil {
			return m, c.Close()
		}
		select {
		case <-m.done:
			return nil, fmt.Errorf("mariadbd ended: %v", m.cmd.ProcessState)
		default:
		}
	}
	m.stop()
	return nil, fmt.Errorf("mariadbd does not answer")
}

func (m *mariadb) stop() {
	_ = m.cmd.Process.Kill() // nothing in it is worth keeping
	<-m.done
	_ = os.RemoveAll(m.dir)
}
