package testservers

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Run runs the tests of a package that calls [MySQL], for its TestMain, and
// stops the server that they have shared.
func Run(m *testing.M) int {
	code := m.Run()
	if shared != nil {
		shared.Kill()
		_ = os.RemoveAll(shared.Dir)
	}
	return code
}

var (
	shared      *Server
	sharedError error
	sharedOnce  sync.Once
)

// MySQL is the URL of a new database of the server that DJEDGE_TEST_MYSQL
// names (as a user who may create databases), or of one that is started. It is
// dropped when the test ends. TestMain must call [Run].
func MySQL(t testing.TB) *url.URL {
	t.Helper()
	server := os.Getenv("DJEDGE_TEST_MYSQL")
	if server == "" {
		base := Component(t, "mariadb")
		sharedOnce.Do(func() { shared, sharedError = startMariaDB(base) })
		if sharedError != nil {
			t.Fatal(sharedError)
		}
		server = "mysql://dj:secret@" + shared.Addr + "/"
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("DJEDGE_TEST_MYSQL is not a URL")
	}
	config := mysql.NewConfig()
	config.Net, config.Addr, config.User, config.MultiStatements = "tcp", u.Host, u.User.Username(), true
	config.Passwd, _ = u.User.Password()
	config.Logger = &mysql.NopLogger{}
	if query := u.Query().Get("tls"); query != "" {
		config.TLSConfig = query
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	name := "djedge_test_" + strings.ToLower(rand.Text()[:12])
	exec := func(sql string) {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if _, err := db.ExecContext(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	// The character set of Django's documentation, and the loose collation
	// that MySQL and MariaDB have had for it the longest.
	exec("CREATE DATABASE " + name + " CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
	t.Cleanup(func() {
		exec("DROP DATABASE " + name)
		_ = db.Close()
	})
	u.Path = "/" + name
	return u
}

// SharedMySQL is the server that [MySQL] has started, for tests that need
// more of it than a URL. They are skipped when the server is another's.
func SharedMySQL(t testing.TB) *Server {
	t.Helper()
	if shared == nil {
		t.Skip("the server is not this test's own")
	}
	return shared
}

func startMariaDB(base string) (*Server, error) {
	dir, err := os.MkdirTemp("", "djedge")
	if err != nil {
		return nil, err
	}
	s, err := startMariaDBIn(dir, base)
	if err != nil {
		_ = os.RemoveAll(dir)
	}
	return s, err
}

func startMariaDBIn(dir, base string) (*Server, error) {
	server, install, messages := "bin/mariadbd", "scripts/mariadb-install-db", "share"
	var env []string
	if _, err := os.Stat(filepath.Join(base, "usr")); err == nil { // Debian's
		env = append(os.Environ(), "LD_LIBRARY_PATH="+libraries(base))
		base = filepath.Join(base, "usr")
		server, install, messages = "sbin/mariadbd", "bin/mariadb-install-db", "share/mysql"
	}
	var user []string
	if os.Getuid() == 0 {
		user = []string{"--user=root"}
	}
	data := filepath.Join(dir, "data")
	init := exec.Command(filepath.Join(base, install), append([]string{"--no-defaults", "--basedir=" + base, "--datadir=" + data,
		"--auth-root-authentication-method=normal", "--skip-test-db"}, user...)...)
	init.Env = env
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mariadb-install-db: %w\n%s", err, out)
	}
	host, _ := os.Hostname()
	// One statement in each line. The anonymous account would shadow the other.
	accounts := filepath.Join(dir, "init.sql")
	if err := os.WriteFile(accounts, []byte("DROP USER IF EXISTS ''@'localhost';\nDROP USER IF EXISTS ''@'"+host+"';\n"+
		"CREATE USER IF NOT EXISTS 'dj'@'%' IDENTIFIED BY 'secret';\nGRANT ALL ON *.* TO 'dj'@'%';\n"), 0o600); err != nil {
		return nil, err
	}
	certificate, key, err := certificate(dir)
	if err != nil {
		return nil, err
	}
	return startFree(dir, func(dir, port string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(base, server), append([]string{"--no-defaults", "--basedir=" + base, "--datadir=" + data,
			"--socket=" + filepath.Join(dir, "s"), "--pid-file=" + filepath.Join(dir, "pid"), "--port=" + port, "--bind-address=127.0.0.1",
			"--lc-messages-dir=" + filepath.Join(base, messages), "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--sync-frm=0",
			"--skip-log-bin", "--character-set-server=utf8mb4", "--max-connections=100",
			"--ssl-cert=" + certificate, "--ssl-key=" + key, "--init-file=" + accounts}, user...)...)
		cmd.Env = env
		return cmd
	})
}
