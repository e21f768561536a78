package host_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/host/files"
	"github.com/djedge/djedge/host/internal/testservers"
	"github.com/djedge/djedge/host/sqldb"
	"github.com/djedge/djedge/wasm/abi"
)

// configured is a real Django of testdata/settings.py, with settings that few
// sites have, on a SQLite database and a folder that are shared with it.
type configured struct {
	release, path, folder string
	ask                   func(t *testing.T, request map[string]any) settingsAnswer
}

type settingsAnswer struct {
	Key, Repr, Changed, Data, Hash, Name, Token, Error string
	OK                                                 bool
	Length                                             int
}

func startConfigured(t *testing.T, release string, settings map[string]any) *configured {
	t.Helper()
	dir := t.TempDir()
	c := &configured{release: release, path: filepath.Join(dir, "db.sqlite3"), folder: filepath.Join(dir, "sessions")}
	if err := os.Mkdir(c.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	settings["SECRET_KEY"], settings["SESSION_FILE_PATH"] = secret, c.folder
	settings["DATABASES"] = map[string]any{"default": map[string]any{"ENGINE": "django.db.backends.sqlite3", "NAME": c.path, "OPTIONS": map[string]any{"timeout": 20}}}
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(testservers.Component(t, venv(release)+"/bin/python"), "testdata/settings.py", string(text))
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewReader(out)
	c.ask = func(t *testing.T, request map[string]any) (answer settingsAnswer) {
		t.Helper()
		err := json.NewEncoder(in).Encode(request)
		var line string
		if err == nil {
			line, err = lines.ReadString('\n')
		}
		if err == nil {
			err = json.Unmarshal([]byte(line), &answer)
		}
		if err != nil || answer.Error != "" {
			t.Fatalf("Django %s, %v: %v %s\n%s", release, request, err, answer.Error, stderr.String())
		}
		return answer
	}
	c.ask(t, map[string]any{"do": "longest"}) // the tables are there now
	return c
}

// host is one with the same settings, as far as config says the others.
func (c *configured) host(t *testing.T, engine host.Engine, config host.Config) *host.Host {
	t.Helper()
	db, err := sqldb.OpenSQLite(t.Context(), c.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	config.DB, config.SecretKey, config.DjangoVersion, config.Engine = db, secret, c.release, engine
	config.PasswordHashers = []string{"md5"}
	switch config.SessionEngine {
	case "file":
		folder, err := files.Open(c.folder)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = folder.Close() })
		config.Storage = folder
	case "cached_db":
		config.Storage = noCache{}
	}
	return newHost(t, config)
}

// noCache is Django's DummyCache.
type noCache struct{}

func (noCache) Storage(context.Context, djsession.StorageOp) (djsession.StorageResult, error) {
	return djsession.StorageResult{}, nil
}

func (noCache) Close() error { return nil }

// everySigned runs a test with every session engine that signs, in both engines
// of the rules.
func everySigned(t *testing.T, test func(t *testing.T, session string, engine host.Engine)) {
	for _, session := range []string{"db", "cached_db", "file", "signed_cookies"} {
		for name, engine := range engines {
			t.Run(session+"/"+name, func(t *testing.T) { test(t, session, engine()) })
		}
	}
}

// With PickleSerializer each side reads and changes what the other wrote, and
// values without a form in JSON keep their types. What is outside of the safe
// subset is nobody's, and left alone.
func TestPickleSerializerOfDjango(t *testing.T) {
	for _, release := range []string{"2.2", "3.2", "4.2"} {
		t.Run(release, func(t *testing.T) {
			site := startConfigured(t, release, map[string]any{"SESSION_SERIALIZER": "django.contrib.sessions.serializers.PickleSerializer"})
			everySigned(t, func(t *testing.T, session string, engine host.Engine) {
				h := site.host(t, engine, host.Config{SessionEngine: session, SessionSerializer: "pickle"})
				set := func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
					must(t, s.Set(ctx, "n", 3))
				}
				for _, kind := range []string{"plain", "typed"} {
					wrote := site.ask(t, map[string]any{"do": "write", "engine": session, "kind": kind})
					key := wrote.Key
					if got := sent(t, handle(h, key, set)); got != "" {
						key = got
					}
					if got := site.ask(t, map[string]any{"do": "read", "engine": session, "key": key}); got.Repr != wrote.Changed {
						t.Errorf("%s: Django reads\n%s, want\n%s", kind, got.Repr, wrote.Changed)
					}
				}
				ours := sent(t, handle(h, "", func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
					must(t, s.Set(ctx, "a", "ü"), s.Set(ctx, "b", []any{1, 2.5, nil, true, map[string]any{"c": "d"}}))
				}))
				const want = "{'a': 'ü', 'b': [1, 2.5, None, True, {'c': 'd'}]}"
				if got := site.ask(t, map[string]any{"do": "read", "engine": session, "key": ours}); got.Repr != want {
					t.Errorf("Django reads of ours %s", got.Repr)
				}

				unsafe := site.ask(t, map[string]any{"do": "write", "engine": session, "kind": "unsafe"})
				res := handle(h, unsafe.Key, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
					if err := s.Set(ctx, "n", 3); err == nil {
						t.Error("a session that cannot be read is changed")
					}
				})
				if got := sent(t, res); got != "" {
					t.Errorf("the cookie becomes %q", got)
				}
				result := h.Do(t.Context(), &abi.Op{Kind: abi.OpCheck, Require: gate.Authenticated, Request: cookie(unsafe.Key)})
				if d := result.Decision; d.Reason != gate.ReasonSessionCorrupt || d.Detail != "session data: pickle_global" {
					t.Errorf("check: %s, %q", d.Reason, d.Detail)
				}
				if got := site.ask(t, map[string]any{"do": "read", "engine": session, "key": unsafe.Key}); got.Repr != unsafe.Repr {
					t.Errorf("Django reads\n%s, want\n%s", got.Repr, unsafe.Repr)
				}
			})
		})
	}
}

func cookie(key string) gate.Request {
	return gate.Request{Method: "GET", URI: "/", Host: "127.0.0.1", Scheme: "http", Headers: []gate.Header{{Name: "Cookie", Value: "sessionid=" + key}}}
}

// With DEFAULT_HASHING_ALGORITHM = "sha1" sessions, their hashes and reset
// tokens are those of older releases.
func TestDefaultHashingAlgorithmOfDjango(t *testing.T) {
	site := startConfigured(t, "3.2", map[string]any{"DEFAULT_HASHING_ALGORITHM": "sha1"})
	site.ask(t, map[string]any{"do": "create", "name": "ann"})
	everySigned(t, func(t *testing.T, session string, engine host.Engine) {
		h := site.host(t, engine, host.Config{SessionEngine: session, DefaultHashingAlgorithm: "sha1", Loopback: true})
		wrote := site.ask(t, map[string]any{"do": "write", "engine": session, "kind": "plain"})
		key := wrote.Key
		if got := sent(t, handle(h, key, func(ctx context.Context, s *host.RequestSession, w http.ResponseWriter, r *http.Request) {
			must(t, s.Set(ctx, "n", 3))
		})); got != "" {
			key = got
		}
		if got := site.ask(t, map[string]any{"do": "read", "engine": session, "key": key}); got.Repr != wrote.Changed {
			t.Errorf("Django reads\n%s, want\n%s", got.Repr, wrote.Changed)
		}
		if session == "db" {
			if got := site.ask(t, map[string]any{"do": "data", "key": key}); strings.Contains(got.Data, ":") {
				t.Errorf("stored is not the old format: %.40s", got.Data)
			}
		}

		check := func(key string) *abi.Result {
			return h.Do(t.Context(), &abi.Op{Kind: abi.OpCheck, Require: gate.Authenticated, Request: cookie(key)})
		}
		theirs := site.ask(t, map[string]any{"do": "login", "engine": session, "name": "ann"})
		if d := check(theirs.Key).Decision; d.Outcome != gate.Allow || len(theirs.Hash) != 40 {
			t.Errorf("Django's login: %s, %q", d.Reason, d.Detail)
		}
		login := &abi.Op{Kind: abi.OpLogin, Username: "ann", Password: "pw", Request: cookie("")}
		login.Request.Method, login.Request.Headers = "POST", []gate.Header{{Name: "Origin", Value: "http://127.0.0.1"}, {Name: "Content-Type", Value: "application/json"}}
		ours := h.Do(t.Context(), login)
		if ours.Decision.Outcome != gate.Allow {
			t.Fatalf("login: %s, %q", ours.Decision.Reason, ours.Decision.Detail)
		}
		if got := site.ask(t, map[string]any{"do": "who", "engine": session, "key": ours.SessionKey}); got.Name != "ann" {
			t.Errorf("our login is Django's %q", got.Name)
		}

		// What is signed with SHA-256 is nobody's here, as in Django.
		site.ask(t, map[string]any{"do": "algorithm", "name": "sha256"})
		modern := site.ask(t, map[string]any{"do": "login", "engine": session, "name": "ann"})
		site.ask(t, map[string]any{"do": "algorithm", "name": "sha1"})
		who := site.ask(t, map[string]any{"do": "who", "engine": session, "key": modern.Key})
		if d := check(modern.Key).Decision; who.Name != "" || d.Outcome != gate.Deny || d.Reason != gate.ReasonSessionCorrupt {
			t.Errorf("signed with SHA-256: %s, in Django %q", d.Reason, who.Name)
		}
	})

	// Reset tokens, which are for Go programs.
	db, err := sqldb.OpenSQLite(t.Context(), site.path)
	must(t, err)
	defer db.Close()
	fx := siteEffects{db: db}
	release := version.Version{Major: 3, Minor: 2}
	keys := signing.DeriveKeys("", secret, nil)
	store, err := djsession.New(djsession.Settings{Version: release, Dialect: query.SQLite, Keys: keys, DefaultHashingAlgorithm: signing.SHA1})
	must(t, err)
	users, err := djuser.New(djuser.Settings{Version: release, Dialect: query.SQLite, Keys: keys}, store)
	must(t, err)
	user, err := users.Load(t.Context(), hashingEffects{fx}, "1")
	must(t, err)
	tokens := &djuser.ResetTokens{Version: release, DefaultHashingAlgorithm: signing.SHA1,
		Keys:     signing.Ring{Current: signing.Derive(signing.SHA256, djuser.ResetTokenSalt, secret)},
		KeysSHA1: signing.Ring{Current: signing.Derive(signing.SHA1, djuser.ResetTokenSalt, secret)}}
	if theirs := site.ask(t, map[string]any{"do": "token", "name": "ann"}); !tokens.CheckFor(user, theirs.Token, time.Now()) {
		t.Error("Django's reset token is refused")
	}
	ours, err := tokens.MakeFor(user, time.Now())
	must(t, err)
	if !site.ask(t, map[string]any{"do": "check", "name": "ann", "token": ours}).OK {
		t.Error("Django refuses our reset token")
	}
	site.ask(t, map[string]any{"do": "algorithm", "name": "sha256"})
	modern := site.ask(t, map[string]any{"do": "token", "name": "ann"})
	site.ask(t, map[string]any{"do": "algorithm", "name": "sha1"})
	if django := site.ask(t, map[string]any{"do": "check", "name": "ann", "token": modern.Token}).OK; django || tokens.CheckFor(user, modern.Token, time.Now()) {
		t.Errorf("a reset token of SHA-256: in Django %v", django)
	}
}

// Names have the length that Django's own column has in the release.
func TestFirstNameOfDjango(t *testing.T) {
	for _, release := range []string{"2.2", "3.2", "5.2"} {
		site := startConfigured(t, release, map[string]any{})
		site.ask(t, map[string]any{"do": "create", "name": "ann"})
		longest := site.ask(t, map[string]any{"do": "longest"}).Length
		for name, engine := range engines {
			h := site.host(t, engine(), host.Config{})
			for length, want := range map[int]gate.Reason{longest: gate.ReasonOK, longest + 1: gate.ReasonFieldInvalid} {
				op := &abi.Op{Kind: abi.OpSaveUser, UserID: "1", Fields: []djuser.Field{{Column: "first_name", Value: query.Text(strings.Repeat("é", length))}}}
				if d := h.Do(t.Context(), op).Decision; d.Reason != want {
					t.Errorf("%s, %s: a first name of %d characters: %s, %s", release, name, length, d.Reason, d.Detail)
				}
			}
		}
	}
}

// hashingEffects leave hashing to the rules.
type hashingEffects struct{ siteEffects }

func (hashingEffects) DeriveKey(context.Context, password.Params, []byte, []byte) ([]byte, error) {
	return nil, password.ErrDeclined
}

func (hashingEffects) Yield(ctx context.Context) error { return ctx.Err() }
