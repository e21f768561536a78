// The suite in miniflare, with its D1. DJEDGE_MINIFLARE is the package's directory.
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const { Miniflare } = createRequire(import.meta.url)(process.env.DJEDGE_MINIFLARE);
const root = fileURLToPath(new URL('..', import.meta.url));
const site = readFileSync(process.env.DJEDGE_SITE, 'utf8');
const esm = (name) => ({ type: 'ESModule', path: root + name, contents: readFileSync(root + name, 'utf8') });
const { dump } = JSON.parse(site);

const miniflare = new Miniflare({
  modulesRoot: root,
  modules: [
    esm('test/worker.js'), esm('test/suite.js'), esm('test/remote.js'),
    { type: 'ESModule', path: `${root}test/site.json`, contents: `export default ${site}` },
    ...readdirSync(`${root}src`).map((name) => esm(`src/${name}`)).filter(({ path }) => !/\/(index|platform|sqlite|pg|express|hono)\.js$/.test(path)),
    { type: 'CompiledWasm', path: `${root}djedge.wasm`, contents: readFileSync(process.env.DJEDGE_WASM) },
  ],
  compatibilityDate: '2026-01-01',
  compatibilityFlags: process.env.DJEDGE_FLAGS ? [process.env.DJEDGE_FLAGS] : [],
  d1Databases: { DB: 'site' },
});
const database = await miniflare.getD1Database('DB');
for (let i = 0; i < dump.length; i += 100) await database.batch(dump.slice(i, i + 100).map((sql) => database.prepare(sql)));
const response = await miniflare.dispatchFetch('http://localhost/');
console.log(await response.text());
await miniflare.dispose();
