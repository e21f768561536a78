package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/djedge/djedge/host"
)

// A client that never sends its body does not keep the server, nor make its end an error.
func TestShutdownCutsOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var log bytes.Buffer
	begun := make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		io.ReadAll(r.Body)
	})
	address := make(chan string, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- listenAndServe(ctx, func() {}, 100*time.Millisecond, []listener{{"listen", "127.0.0.1:0", slow}, {"admin_listen", "127.0.0.1:0", slow}},
			slog.New(slog.NewTextHandler(&log, nil)), func(first string) { address <- first })
	}()
	c, err := net.Dial("tcp", <-address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
	<-begun
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("an error: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for the body")
	}
	if n := strings.Count(log.String(), "cut off"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, &log)
	}
}

// A start that is called off ends well, and without having listened.
func TestStartIsCalledOff(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var log bytes.Buffer
	code := run(ctx, &process{args: words("serve --demo --engine native --listen 127.0.0.1:0"), stdout: &log, stderr: &log})
	if code != exitOK || strings.Contains(log.String(), "listening") || !strings.Contains(log.String(), "stopped before it was ready") {
		t.Errorf("exit code %d\n%s", code, &log)
	}
}

// The first signal waits for a running request, the second for nothing.
func TestSecondSignal(t *testing.T) {
	if os.Getenv("DJEDGE_TEST_SERVE") != "" {
		os.Exit(run(context.Background(), &process{
			args:  words("serve --demo --engine native --log-format text --listen 127.0.0.1:0"),
			stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stdout,
		}))
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSecondSignal$")
	child.Env = append(os.Environ(), "DJEDGE_TEST_SERVE=1", "TMPDIR="+t.TempDir())
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	log := bufio.NewScanner(out)
	wait := func(text string) string {
		for log.Scan() {
			if strings.Contains(log.Text(), text) {
				return log.Text()
			}
		}
		t.Fatalf("no %q in the log", text)
		return ""
	}
	_, address, _ := strings.Cut(wait("msg=listening"), "address=")
	wait("inactive")
	address, _, _ = strings.Cut(address, " ")
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST /api/login HTTP/1.1\r\nHost: "+address+"\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
	if _, err := bufio.NewReader(c).ReadString('\n'); err != nil { // it waits for the body
		t.Fatal(err)
	}
	child.Process.Signal(syscall.SIGTERM)
	wait("shutting down")
	begun := time.Now()
	child.Process.Signal(syscall.SIGTERM)
	err = child.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != -1 || time.Since(begun) > shutdownTimeout/2 {
		t.Errorf("after the second signal: %v, %v", err, time.Since(begun))
	}
}

// pinged is a database of which only Ping answers.
type pinged struct {
	host.DB
	err error
}

func (p pinged) Ping(context.Context) error { return p.err }

func TestTransient(t *testing.T) {
	path := siteDatabase(t, t.TempDir())
	holder, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	holder.SetMaxOpenConns(1)
	if _, err := holder.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	waiting, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	_, locked := waiting.Exec("SELECT * FROM auth_user")
	_, missing := waiting.Exec("SELEC")
	if locked == nil || missing == nil {
		t.Fatalf("%v, %v", locked, missing)
	}
	broken := errors.New("broken")
	for _, test := range []struct {
		db   error
		err  error
		want bool
	}{
		{nil, broken, false},
		{broken, broken, true},
		{nil, fmt.Errorf("user_table: %w", locked), true},
		{nil, missing, false},
		{nil, fmt.Errorf("user_table: %w", context.DeadlineExceeded), true},
		{nil, fmt.Errorf("user_table: %w", context.Canceled), true},
	} {
		if got := transient(t.Context(), pinged{err: test.db}, test.err); got != test.want {
			t.Errorf("%v with ping %v: %v", test.err, test.db, got)
		}
	}
}

// What is allowed and hardly meant.
func TestWarnings(t *testing.T) {
	for setting, want := range map[string]string{
		"--trusted-proxies=10.0.0.0/8,0.0.0.0/0": "trusted_proxies is everybody",
		"--trusted-proxies=::/0":                 "trusted_proxies is everybody",
		"--session-cookie-samesite=None":         "session_cookie_samesite is None",
		"--trusted-proxies=10.0.0.0/8":           "",
		"--max-staleness=3s":                     "revocation_window=3s",
		"--user-check=none":                      "user_check is none",
	} {
		c, err := loadConfig(&process{args: []string{"--demo", setting}})
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		if c.warn(t.Context(), nil, slog.New(slog.NewTextHandler(&log, nil))); !strings.Contains(log.String(), want) || (want == "") != (log.Len() == 0) {
			t.Errorf("%s: log %q, want %q", setting, &log, want)
		}
	}
}
