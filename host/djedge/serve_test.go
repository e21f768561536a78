package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/djedge/djedge/build/modules"
)

// running is `djedge serve` inside this process.
type running struct {
	*testing.T
	lines  []map[string]any // of the log, until it was ready
	output *strings.Builder // all of it, when it has ended
	stop   func() int       // returns the exit code
	client *http.Client
}

// start runs `djedge serve` until its log has the message ready.
func start(t *testing.T, ready string, env []string, args ...string) *running {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{T: t, output: new(strings.Builder), client: &http.Client{Jar: jar}}
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, &process{args: append([]string{"serve", "--log-format", "json"}, args...), env: env, stdin: strings.NewReader(""), stdout: writer, stderr: writer})
		writer.Close()
	}()
	log := bufio.NewReader(reader)
	drained := make(chan struct{})
	stopped := false
	r.stop = func() int {
		if stopped {
			return 0
		}
		stopped = true
		cancel()
		<-drained
		return <-code
	}
	for {
		line, err := log.ReadString('\n')
		r.output.WriteString(line)
		if err != nil {
			close(drained)
			cancel()
			t.Fatalf("ended with %d before it was ready:\n%s", <-code, r.output)
		}
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			continue
		}
		r.lines = append(r.lines, entry)
		if entry["msg"] == ready {
			break
		}
	}
	go func() {
		io.Copy(r.output, log)
		close(drained)
	}()
	t.Cleanup(func() { r.stop() })
	return r
}

// entry is the first log line with a message.
func (r *running) entry(message string) map[string]any {
	r.Helper()
	for _, entry := range r.lines {
		if entry["msg"] == message {
			return entry
		}
	}
	r.Fatalf("the log has no %q", message)
	return nil
}

func (r *running) get(url string) (int, string) {
	r.Helper()
	return r.read(r.client.Get(url))
}

func (r *running) post(url, body string) (int, string) {
	r.Helper()
	return r.read(r.client.Post(url, "application/json", strings.NewReader(body)))
}

func (r *running) read(response *http.Response, err error) (int, string) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestDemo(t *testing.T) {
	for _, engine := range []string{"native", "wasm"} {
		t.Run(engine, func(t *testing.T) {
			if _, err := modules.WASM(); engine == "wasm" && err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			temporary := t.TempDir()
			t.Setenv("TMPDIR", temporary)
			r := start(t, "demo user", nil, "--demo", "--engine", engine, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
				"--module-cache-dir", filepath.Join(temporary, "cache"))
			url := r.entry("demo: open this address in a browser")["url"].(string)
			user := r.entry("demo user")
			if status, page := r.get(url); status != 200 || !strings.Contains(page, "<h2 id=\"login-title\"") {
				t.Errorf("page: %d %s", status, page)
			}
			credentials, _ := json.Marshal(map[string]any{"username": user["username"], "password": user["password"]})
			if status, text := r.post(url+"api/login", string(credentials)); status != 200 || text != "{}" {
				t.Errorf("login: %d %s", status, text)
			}
			if status, text := r.get(url + "api/me"); status != 200 || !strings.Contains(text, `"username":"admin"`) || !strings.Contains(text, `"is_superuser":true`) {
				t.Errorf("me: %d %s", status, text)
			}
			for _, each := range demoUsers[1:] {
				credentials, _ := json.Marshal(map[string]any{"username": each.name, "password": demoPassword(each.name)})
				status, text := r.post(url+"api/login", string(credentials))
				if each.active != (status == 200) || !each.active && text != `{"message":"User isn't active"}` {
					t.Errorf("%s: %d %s", each.name, status, text)
				}
			}
			var admin string
			for _, entry := range r.lines {
				if entry["setting"] == "admin_listen" {
					admin = "http://" + entry["address"].(string)
				}
			}
			if status, text := r.get(admin + "/metrics"); status != 200 || !strings.Contains(text, `djedge_decisions_total{op="login",reason="ok"}`) {
				t.Errorf("metrics: %d %s", status, text)
			}
			if status, _ := r.get(admin + "/readyz"); status != 200 {
				t.Errorf("readyz: %d", status)
			}
			if code := r.stop(); code != exitOK {
				t.Errorf("exit code %d\n%s", code, r.output)
			}
			if left, _ := filepath.Glob(filepath.Join(temporary, "djedge-demo-*")); len(left) > 0 {
				t.Errorf("%s is left", left)
			}
		})
	}
}

// A site's database, and settings from all three places.
func TestServeSite(t *testing.T) {
	dir := t.TempDir()
	path := siteDatabase(t, dir)
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	key := write("key", "canary-secret-key\n")
	config := write("djedge.toml", `
[django]
database = "sqlite:///nowhere"
session_cookie_name = "from_file"
session_cookie_path = "/file"
session_cookie_samesite = "Strict"

[serve]
listen = "127.0.0.1:1"
api = ["me"]
engine = "wasm"
`)
	r := start(t, "listening", []string{
		"DJEDGE_DATABASE=sqlite://" + path, "DJEDGE_ENGINE=native", "DJEDGE_SESSION_COOKIE_PATH=/env", "DJEDGE_SECRET_KEY_FILE=" + key,
		"DJEDGE_API=", "DJEDGE_TEST_IGNORED=1", "PATH=/bin", "DJEDGE_CONFIG=" + config,
	}, "--listen", "127.0.0.1:0", "--api", "login", "--api", "logout", "--session-cookie-name", "from_flag", "--pbkdf2-iterations", "10")
	url := "http://" + r.entry("listening")["address"].(string)
	if status, text := r.get(url + "/api/me"); status != 404 {
		t.Errorf("me is open: %d %s", status, text)
	}
	response, err := r.client.Post(url+"/api/login", "application/json", strings.NewReader(`{"username":"bob","password":"canary-password"}`))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Fatalf("login: %d", response.StatusCode)
	}
	cookie := response.Header.Get("Set-Cookie")
	for _, want := range []string{"from_flag=", "Path=/env", "SameSite=Strict"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie has no %s: %s", want, cookie)
		}
	}
	if code := r.stop(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	for _, secret := range []string{"canary", response.Cookies()[0].Value, "pbkdf2_sha256$"} {
		if strings.Contains(r.output.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, r.output)
		}
	}
	// The stored hash has 10 iterations, and so has djedge: no warning.
	if strings.Contains(r.output.String(), "stored passwords") {
		t.Errorf("a warning about equal parameters:\n%s", r.output)
	}
}

// Other parameters than the stored ones are worth a warning, which tells nothing of the hash.
func TestWarnHashes(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte("k"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, "listening", nil, "--database", "sqlite://"+siteDatabase(t, dir), "--engine", "native", "--listen", "127.0.0.1:0", "--secret-key-file", key)
	r.stop()
	if text := r.output.String(); !strings.Contains(text, "stored passwords have other parameters") || strings.Contains(text, "pbkdf2_sha256$") {
		t.Error(text)
	}
}

// Derived keys, as djedge keys prints them, do instead of SECRET_KEY.
func TestServeWithDerivedKeys(t *testing.T) {
	printed := invocation{args: words("keys"), env: []string{"DJEDGE_SECRET_KEY=canary-secret-key"}, stdout: anything}.try(t)
	r := start(t, "listening", nil, "--database", "sqlite://"+siteDatabase(t, t.TempDir()), "--engine", "native", "--listen", "127.0.0.1:0",
		"--config", file(t, "djedge.toml", printed), "--api", "login,me")
	url := "http://" + r.entry("listening")["address"].(string)
	if status, text := r.post(url+"/api/login", `{"username":"bob","password":"canary-password"}`); status != 200 {
		t.Errorf("login: %d %s", status, text)
	}
	if status, text := r.get(url + "/api/me"); status != 200 || !strings.Contains(text, `"username":"bob"`) {
		t.Errorf("me: %d %s", status, text)
	}
	if status, _ := r.get(url + "/auth"); status != 200 {
		t.Errorf("auth: %d", status)
	}
}
