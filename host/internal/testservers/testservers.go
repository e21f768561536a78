// Package testservers starts real caches and databases for tests: on a free
// port of the loopback interface, in the foreground, stopped by process id.
//
// The programs are those that build/components/install puts below the
// directory that DJEDGE_TEST_COMPONENTS names. Without one, a test is skipped;
// where CI is "true" it fails instead.
package testservers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/djedge/djedge/build/bench/process"
)

// Server is a running server.
type Server struct {
	Addr string // 127.0.0.1:port
	Dir  string // of its own, with the socket "s" where there is one
	cmd  *exec.Cmd
	done chan struct{}
}

// Component is the path of an installed file.
func Component(t testing.TB, path string) string {
	t.Helper()
	dir := os.Getenv("DJEDGE_TEST_COMPONENTS")
	full := filepath.Join(dir, path)
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

// Redis starts a server for this test; program is "redis" or "valkey".
func Redis(t testing.TB, program string, args ...string) *Server {
	t.Helper()
	binary := Component(t, program+"/"+program+"-server")
	return forTest(t, func(dir, port string) *exec.Cmd {
		return exec.Command(binary, append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", dir,
			"--save", "", "--appendonly", "no", "--unixsocket", filepath.Join(dir, "s")}, args...)...)
	})
}

// RedisURLs are the servers to test with: the one that DJEDGE_TEST_REDIS
// names, or one of each kind.
func RedisURLs(t testing.TB) map[string]string {
	t.Helper()
	if url := os.Getenv("DJEDGE_TEST_REDIS"); url != "" {
		return map[string]string{"given": url}
	}
	return map[string]string{
		"valkey": "redis://" + Redis(t, "valkey").Addr,
		"redis":  "redis://" + Redis(t, "redis").Addr,
	}
}

// Memcached starts a server for this test.
func Memcached(t testing.TB, args ...string) *Server {
	t.Helper()
	binary := Component(t, "memcached/usr/bin/memcached")
	root, _ := filepath.Abs(filepath.Join(filepath.Dir(binary), "../.."))
	return forTest(t, func(_, port string) *exec.Cmd {
		args := append([]string{"-l", "127.0.0.1", "-p", port, "-U", "0", "-m", "32"}, args...)
		if os.Getuid() == 0 {
			args = append(args, "-u", "root")
		}
		cmd := exec.Command(binary, args...)
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+libraries(root))
		return cmd
	})
}

// MemcachedAddr is the server that DJEDGE_TEST_MEMCACHED names, or a new one.
func MemcachedAddr(t testing.TB) string {
	t.Helper()
	if addr := os.Getenv("DJEDGE_TEST_MEMCACHED"); addr != "" {
		return addr
	}
	return Memcached(t).Addr
}

// Django runs a program in the Python that has Django 5.2 and its clients of
// caches and MariaDB, and returns what it prints.
func Django(t testing.TB, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(Component(t, "django52/bin/python"), append([]string{"-c", program}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Django: %v\n%s", err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// libraries are the directories of Debian's libraries below root.
func libraries(root string) string {
	found, _ := filepath.Glob(root + "/usr/lib/*-linux-gnu*")
	more, _ := filepath.Glob(root + "/lib/*-linux-gnu*")
	return strings.Join(append(found, more...), ":")
}

// Stop ends the server, politely at first.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Kill is kill -9.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

func (s *Server) end(signal os.Signal) {
	_ = s.cmd.Process.Signal(signal)
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// Restart starts the server again, on the same port and without its data,
// unless that is in its directory.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	cmd := exec.Command(s.cmd.Path, s.cmd.Args[1:]...)
	cmd.Env = s.cmd.Env
	again, err := start(s.Dir, s.Addr, cmd)
	if err != nil {
		t.Fatal(err)
	}
	s.cmd, s.done = again.cmd, again.done
}

func forTest(t testing.TB, command func(dir, port string) *exec.Cmd) *Server {
	t.Helper()
	// Not t.TempDir, whose path may be too long for a socket.
	dir, err := os.MkdirTemp("", "djedge")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s, err := startFree(dir, command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Log(s.log())
		}
	})
	return s
}

// startFree tries twice, since another program may take the free port first.
func startFree(dir string, command func(dir, port string) *exec.Cmd) (s *Server, err error) {
	for range 2 {
		l, err1 := net.Listen("tcp", "127.0.0.1:0")
		if err1 != nil {
			return nil, err1
		}
		addr := l.Addr().String()
		_ = l.Close()
		_, port, _ := net.SplitHostPort(addr)
		if s, err = start(dir, addr, command(dir, port)); err == nil {
			return s, nil
		}
	}
	return nil, err
}

// start waits until the port answers.
func start(dir, addr string, cmd *exec.Cmd) (*Server, error) {
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, dir
	process.Tie(cmd)
	s := &Server{Addr: addr, Dir: dir, cmd: cmd, done: make(chan struct{})}
	if err := process.StartTied(cmd); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait()
		close(s.done)
	}()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if c, err := net.Dial("tcp", addr); err == nil {
			return s, c.Close()
		}
		select {
		case <-s.done:
			return nil, fmt.Errorf("%s ended: %v\n%s", cmd.Path, cmd.ProcessState, s.log())
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.Kill()
	return nil, fmt.Errorf("%s does not answer\n%s", cmd.Path, s.log())
}

// log is the end of what the server said.
func (s *Server) log() string {
	b, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
