package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/build/bench/process"
)

// The page of `djedge serve --demo`, walked in a browser, with the users that its log names.
func TestDemoPageInBrowser(t *testing.T) {
	t.Parallel()
	component(t, "chromium/chromium")
	component(t, "js/node_modules/playwright-core")
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed")
	}
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			demo, told := startDemo(t, engine)
			screenshot := filepath.Join(scratch, "page-"+engine+".png")
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			walk := exec.CommandContext(ctx, node, "browser/page.mjs", filepath.Clean(componentsDir), told.url, screenshot,
				told.user.Username, told.user.Password)
			process.Tie(walk)
			if out, err := walk.CombinedOutput(); err != nil {
				t.Errorf("%v, with the page as in %s\n%s\n%s", err, screenshot, out, demo.tail())
			}
		})
	}
}

// What the demo's log says is enough for curl too: to log in, see who one is, change the password, register and log out.
func TestDemoByHand(t *testing.T) {
	t.Parallel()
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			demo, told := startDemo(t, engine)
			if want := "http://" + demo.addr + "/"; told.url != want {
				t.Fatalf("the log names the address %s, not %s", told.url, want)
			}
			s := &site{t: t, edge: &edge{demo, engine}, django: &django{server: demo}}
			v := s.visitor()
			v.wantEdgeUser("")
			v.loginAtEdge(told.user)
			v.wantEdgeUser(told.user.Username)
			v.want(200, v.edge("POST", "/api/change-password", map[string]string{"password": "another password"}))
			v.wantEdgeUser("")
			v.want(400, v.edge("POST", "/api/login", told.user))
			v.loginAtEdge(user{told.user.Username, "another password"})
			v.want(200, v.edge("POST", "/api/logout", nil))
			v.wantEdgeUser("")
			fresh := user{newName(), "a new user's password"}
			v.want(200, v.edge("POST", "/api/register", fresh))
			v.wantEdgeUser(fresh.Username)
		})
	}
}

// told is what the demo's log says.
type told struct {
	url  string
	user user
}

// startDemo starts djedge as `make run` does, on a free port, and reads its log as a person would.
func startDemo(t *testing.T, engine string) (*server, told) {
	t.Helper()
	addr := freeAddr()
	cmd := exec.Command(djedge(), "serve", "--demo", "--engine", engine, "--listen", addr, "--log-format", "json")
	cmd.Env = plainEnvironment()
	s := serve(t, "djedge-demo-"+engine, addr, cmd)
	var found told
	eventually(t, "the log names an address and a user", 5*time.Second, func(context.Context) bool {
		text, err := os.ReadFile(s.log)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var entry struct {
				URL, Username, Password string
				Active                  bool
			}
			if json.Unmarshal([]byte(line), &entry) != nil {
				continue
			}
			if entry.URL != "" {
				found.url = entry.URL
			}
			if entry.Active && found.user.Username == "" {
				found.user = user{entry.Username, entry.Password}
			}
		}
		return found.url != "" && found.user.Username != ""
	})
	return s, found
}
