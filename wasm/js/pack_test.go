package js_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/djedge/djedge/build/bench/process"
)

// packed is an empty project that the package, as npm packs it, is installed in.
func packed(t *testing.T) (dir string) {
	t.Helper()
	npm := program(t, "npm")
	dir = t.TempDir()
	var archives []struct{ Filename string }
	cmd := exec.Command(npm, "pack", "--json", "--silent", "--pack-destination", dir)
	if err := json.Unmarshal(run(t, cmd), &archives); err != nil || len(archives) != 1 {
		t.Fatal(err, archives)
	}
	write(t, filepath.Join(dir, "package.json"), `{"private": true, "type": "module"}`)
	cmd = exec.Command(npm, "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "./"+archives[0].Filename)
	cmd.Dir = dir
	run(t, cmd)
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// block is a block of code of a document, by the name behind its language.
func block(t *testing.T, document, name string) string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```\\w+ " + regexp.QuoteMeta(name) + "\n(.*?)```").FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s has no block %s", document, name)
	}
	return string(found[1])
}

// known is what the tests read of site.json.
type known struct {
	SecretKey string
	Sessions  map[string]string
}

func (s *site) known(t *testing.T) (k known) {
	t.Helper()
	text, err := os.ReadFile(s.path("site.json"))
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func get(t *testing.T, url, session string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if session != "" {
		request.Header.Set("Cookie", "sessionid="+session)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// The README's example runs with nothing but the package.
func TestReadme(t *testing.T) {
	node := component(t, "js/node_modules/node24/bin/node")
	s := newSite(t)
	dir := packed(t)
	write(t, filepath.Join(dir, "example.mjs"), block(t, "README.md", "example.mjs"))
	if err := os.Link(s.database, filepath.Join(dir, "db.sqlite3")); err != nil {
		t.Fatal(err)
	}
	addr, err := process.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	k := s.known(t)
	cmd := exec.Command(node, "example.mjs")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SECRET_KEY="+k.SecretKey, "PORT="+addr[strings.LastIndex(addr, ":")+1:])
	p, err := process.Start("example", dir, cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(syscall.SIGTERM) })
	if err := p.Await(addr); err != nil {
		t.Fatal(err, p.Tail())
	}
	if status, body := get(t, "http://"+addr, k.Sessions["user3"]); status != http.StatusOK || body != "Hello user3\n" {
		t.Errorf("logged in: %d %q", status, body)
	}
	if status, _ := get(t, "http://"+addr, ""); status != http.StatusUnauthorized {
		t.Errorf("anonymous: %d", status)
	}
}

// What a client sends under the name of an identity header does not reach a handler of Hono's.
func TestHono(t *testing.T) {
	dir := packed(t)
	if err := os.Symlink(component(t, "js/node_modules/hono"), filepath.Join(dir, "node_modules", "hono")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "main.mjs"), `import { createAuth } from 'djedge';
import { required } from 'djedge/hono';
import { Hono } from 'hono';
const query = async () => ({ rows: [] });
query.dialect = 'sqlite';
const app = new Hono();
app.use(async (c, next) => { if (c.req.query('read')) await c.req.text(); await next(); });
app.post('/', required(createAuth({ secretKey: 'x', djangoVersion: '5.2', query }), 'anyone'), async (c) => c.json([c.req.header(), await c.req.text()]));
const out = [];
for (const path of ['/', '/?read=1']) {
  const forged = { 'Remote-User': 'boss', remote_staff: 'true', 'REMOTE.SUPERUSER': 'true', 'X-Other': '1', 'Content-Type': 'text/plain' };
  out.push(await (await app.request(path, { method: 'POST', body: 'text', headers: forged })).json());
}
console.log(JSON.stringify(out));
`)
	cmd := exec.Command(program(t, "node"), "main.mjs")
	cmd.Dir = dir
	const one = `[{"content-type":"text/plain","x-other":"1"},"text"]`
	if got, want := strings.TrimSpace(string(run(t, cmd))), "["+one+","+one+"]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A handler behind the middleware for Express finds the same identity headers, and ours alone, however it looks for them.
func TestExpress(t *testing.T) {
	dir := packed(t)
	write(t, filepath.Join(dir, "main.mjs"), `import { createServer, request } from 'node:http';
import { createAuth } from 'djedge';
import { required } from 'djedge/express';
const query = async () => ({ rows: [] });
query.dialect = 'sqlite';
const guard = required(createAuth({ secretKey: 'x', djangoVersion: '5.2', query }), 'anyone');
const server = createServer((req, res) => guard(req, res, () => {
  const raw = {};
  for (let i = 0; i < req.rawHeaders.length; i += 2) (raw[req.rawHeaders[i].toLowerCase()] ??= []).push(req.rawHeaders[i + 1]);
  const ours = (headers) => Object.entries(headers).filter(([name]) => /remote/.test(name)).map(([name, value]) => name + '=' + value).sort().join();
  res.end(JSON.stringify([ours(req.headers), ours(req.headersDistinct), ours(raw), req.headersDistinct['x-other']]));
})).listen(0, '127.0.0.1', async () => {
  const forged = ['Remote-User', 'remote_user', 'REMOTE_USER', 'Remote.User', 'remote-user', 'remote_staff', 'Remote.Staff', 'Remote-Email', 'Remote_Email'];
  const out = [];
  for (const headers of [[], forged.flatMap((name) => [name, 'boss'])]) {
    out.push(await new Promise((resolve) => request({ port: server.address().port, headers: ['Host', 'a', ...headers, 'X-Other', '1'] }, async (res) => {
      let text = '';
      for await (const part of res) text += part;
      resolve(JSON.parse(text));
    }).end()));
  }
  console.log(JSON.stringify(out));
  process.exit(0);
});
`)
	cmd := exec.Command(program(t, "node"), "main.mjs")
	cmd.Dir = dir
	const nobody = `"remote-email=,remote-staff=,remote-superuser=,remote-user-id=,remote-user="`
	const one = "[" + nobody + "," + nobody + "," + nobody + `,["1"]]`
	if got, want := strings.TrimSpace(string(run(t, cmd))), "["+one+","+one+"]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What a strict project may write, and what it may not.
const typed = `import { createAuth, AuthError, type Auth, type Query, type User } from 'djedge';
import { pg } from 'djedge/pg';
import { d1 } from 'djedge/d1';
import { sqlite } from 'djedge/sqlite';
import { required as express } from 'djedge/express';
import { required as hono } from 'djedge/hono';
import wasm from 'djedge/wasm';

const query: Query = async (name, sql, args, { signal }) => {
  signal.throwIfAborted?.();
  return { rows: [[name, sql, args.length, null, 1n, new Uint8Array(1)]], affected: 0 };
};
query.dialect = 'sqlite';
query.batch = async (statements, { atomic }) => Promise.all(statements.map(() => ({ rows: [], affected: atomic ? 1 : 0 })));
const auth: Auth = createAuth({ secretKey: 'x', djangoVersion: '5.2', query, wasm, rules: ['* / staff', { path: '/', allow: 'permission:a.b' }], settings: { loopback: true, password_hashers: ['argon2'] } });
export async function handle(request: { method: string; url: string; headers: { get(name: string): string | null; has(name: string): boolean } }): Promise<string> {
  const decision = await auth.check(request, 'group:Editors');
  if (decision.outcome === 'error') return decision.reason === 'busy' ? 'later' : decision.detail;
  try {
    const user: User | null = await auth.user(request);
    const session = await auth.session(request);
    session.set('a', 1);
    await session.save(200);
    const login = await auth.login(request, { username: 'a', password: 'b' });
    return (user?.username ?? '') + login.cookies.join() + String(await auth.verifyPassword('a', 'b'));
  } catch (error) {
    if (error instanceof AuthError) return String(error.status);
    throw error;
  }
}
export const databases = [pg, d1, sqlite], middleware = [express(auth), hono(auth, 'staff')];
// @ts-expect-error
createAuth({ secretkey: 'x' });
// @ts-expect-error
createAuth({ secretKey: 'x', engine: 'memory' });
// @ts-expect-error
void auth.check({});
// @ts-expect-error
void auth.check(undefined as any, 'nonsense');
// @ts-expect-error
void auth.login(undefined as any, { username: 'x' });
`

func TestTypes(t *testing.T) {
	tsc := component(t, "js/node_modules/typescript/bin/tsc")
	node := program(t, "node")
	dir := packed(t)
	write(t, filepath.Join(dir, "main.ts"), typed)
	const web = "export {};\ndeclare const auth: import('djedge').Auth;\ndeclare const request: Request;\n" +
		"export const response: Promise<Response> = auth.check(request).then((decision) => decision.response());\n" +
		"export const headers: Promise<Headers> = auth.check(request).then((decision) => decision.identify(request.headers));\n" +
		"export const added: Promise<Headers> = auth.check(request).then((decision) => decision.cookie(new Headers()));\n"
	write(t, filepath.Join(dir, "web.ts"), web)
	for name, flags := range map[string][]string{
		"plain":   {"--lib", "es2022", "--module", "nodenext", "main.ts"},
		"web":     {"--lib", "es2022,dom,dom.iterable", "--module", "nodenext", "main.ts", "web.ts"},
		"bundler": {"--lib", "es2022,dom,dom.iterable", "--module", "esnext", "--moduleResolution", "bundler", "--customConditions", "workerd", "main.ts", "web.ts"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(node, append([]string{tsc, "--noEmit", "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--target", "es2022", "--types", ""}, flags...)...)
			cmd.Dir = dir
			run(t, cmd)
		})
	}
}

// The Worker of docs/runtimes/workers.md, with D1.
func TestWorkerOfTheDocs(t *testing.T) {
	miniflare := component(t, "js/node_modules/miniflare")
	s := newSite(t)
	write(t, s.path("worker.mjs"), block(t, "../../docs/runtimes/workers.md", "worker.mjs"))
	cmd := exec.Command(program(t, "node"), "test/worker_docs.mjs")
	cmd.Env = append(os.Environ(), "DJEDGE_MINIFLARE="+miniflare, "DJEDGE_SITE="+s.path("site.json"), "DJEDGE_WASM="+s.path("djedge.wasm"), "DJEDGE_WORKER="+s.path("worker.mjs"))
	var got []any
	if err := json.Unmarshal(run(t, cmd), &got); err != nil {
		t.Fatal(err)
	}
	want := []any{200.0, `{"hello":"user3"}`, 401.0, 400.0, 204.0, 200.0, `{"hello":"user4"}`}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
