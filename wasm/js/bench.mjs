// What the package costs, in CPU time: a line of JSON for each figure, {"name": …, "ratio": …, "unit": …}, of which
// `go run ./build bench js` makes a table.
//
//     node bench.mjs SITE.json [NODE_MODULES]
//
// SITE.json is what `test/site.py make` printed; NODE_MODULES holds hash-wasm, the peer.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createAuth } from './src/index.js';

const [, , siteFile, peers] = process.argv;
const site = JSON.parse(readFileSync(siteFile, 'utf8'));

/** The least CPU milliseconds of each of several functions over interleaved rounds, per call. */
async function compare(rounds, times, functions) {
  const best = Object.fromEntries(Object.keys(functions).map((name) => [name, Infinity]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(functions)) {
      const before = process.cpuUsage();
      for (let i = 0; i < times; i++) await run(i);
      const { user, system } = process.cpuUsage(before);
      best[name] = Math.min(best[name], (user + system) / 1000 / times);
    }
  }
  return best;
}

const print = (name, ratio, unit) => console.log(JSON.stringify({ name, ratio, unit }));

// A database that is a table in memory: what is left is the package and the module.
const query = async (name, sql, args) => (name === 'session_load' ? { rows: [[args[0], site.data]] } : { rows: [site.row] });
query.dialect = 'sqlite';
query.batch = (list) => Promise.all(list.map((s) => query(s.name, s.sql, s.args)));
const auth = createAuth({ secretKey: site.secretKey, secretKeyFallbacks: site.fallbacks, djangoVersion: '5.2', query, log: () => {} });
await auth.ready();
const request = new Request('http://localhost/', { headers: { cookie: `sessionid=${site.sessions.user7}` } });
const decision = await auth.check(request);
if (!decision.allowed) throw new Error(decision.reason);
for (let i = 0; i < 2000; i++) await auth.check(request);
print('JS check', (await compare(7, 1000, { check: () => auth.check(request) })).check, 'ms');

const iterations = 100_000;
const inModule = createAuth({ secretKey: 'x', djangoVersion: '5.2', dialect: 'sqlite', query, kdf: 'module', settings: { pbkdf2_iterations: iterations } });
const native = createAuth({ secretKey: 'x', djangoVersion: '5.2', dialect: 'sqlite', query, settings: { pbkdf2_iterations: iterations } });
const functions = { 'in the module': () => inModule.makePassword('password'), "of Node's own crypto": () => native.makePassword('password') };
const [, , salt, key] = (await inModule.makePassword('password')).split('$');
if (peers) {
  const { pbkdf2, createSHA256 } = createRequire(new URL(`file://${peers}/`))('hash-wasm');
  const derive = () => pbkdf2({ password: 'password', salt, iterations, hashLength: 32, hashFunction: createSHA256(), outputType: 'binary' });
  if (Buffer.from(await derive()).toString('base64') !== key) throw new Error('hash-wasm derives another key');
  functions['of hash-wasm'] = derive;
}
const cost = await compare(4, 2, functions);
for (const name of Object.keys(functions)) print(`pbkdf2 ${name}`, cost[name], 'ms');
if (peers) print('pbkdf2 in the module ÷ hash-wasm', cost['of hash-wasm'] / cost['in the module'], '×');
process.exit(0);
