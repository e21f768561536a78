// The Worker of the documentation in miniflare, with its D1.
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';

const { Miniflare } = createRequire(import.meta.url)(process.env.DJEDGE_MINIFLARE);
const site = JSON.parse(readFileSync(process.env.DJEDGE_SITE, 'utf8'));
const esm = (path, contents) => ({ type: 'ESModule', path, contents });

const miniflare = new Miniflare({
  modulesRoot: '/',
  modules: [
    esm('/worker.mjs', readFileSync(process.env.DJEDGE_WORKER, 'utf8')),
    esm('/djedge', "export * from './package/src/index.workerd.js'"), // what Wrangler's bundler finds by the package's exports
    esm('/djedge/d1', "export * from '../package/src/d1.js'"),
    ...readdirSync(new URL('../src', import.meta.url)).filter((name) => !/^(index|platform|sqlite|pg|express|hono)\.js$/.test(name))
      .map((name) => esm(`/package/src/${name}`, readFileSync(new URL(`../src/${name}`, import.meta.url), 'utf8'))),
    { type: 'CompiledWasm', path: '/package/djedge.wasm', contents: readFileSync(process.env.DJEDGE_WASM) },
  ],
  compatibilityDate: '2026-01-01',
  compatibilityFlags: ['nodejs_compat'],
  d1Databases: { DB: 'site' },
  bindings: { SECRET_KEY: site.secretKey },
});
const database = await miniflare.getD1Database('DB');
for (let i = 0; i < site.dump.length; i += 100) await database.batch(site.dump.slice(i, i + 100).map((sql) => database.prepare(sql)));

const get = (session) => miniflare.dispatchFetch('http://site.example/', { headers: session ? { cookie: `sessionid=${session}` } : {} });
const login = (username, password) => miniflare.dispatchFetch('http://site.example/login', {
  method: 'POST', headers: { 'content-type': 'application/json', origin: 'http://site.example' }, body: JSON.stringify({ username, password }),
});
const mine = await get(site.sessions.user3);
const out = [mine.status, await mine.text(), (await get()).status, (await login('user4', 'wrong')).status];
const entered = await login('user4', site.password);
const key = /sessionid=([^;]+)/.exec(entered.headers.get('set-cookie'))?.[1];
const then = await get(key);
console.log(JSON.stringify([...out, entered.status, then.status, await then.text()]));
await miniflare.dispose();
