// What the package costs, in CPU time: a line of JSON for each measurement.
//
//     node bench.mjs SITE.json [NODE_MODULES]
//
// SITE.json is what test/site.py made; NODE_MODULES holds hash-wasm, the peer.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createAuth } from './src/index.js';

const [, , siteFile, peers] = process.argv;
const site = JSON.parse(readFileSync(siteFile, 'utf8'));

/** The least CPU microseconds of each of several functions over interleaved rounds, per call. */
async function compare(rounds, times, functions) {
  const best = Object.fromEntries(Object.keys(functions).map((name) => [name, Infinity]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(functions)) {
      const before = process.cpuUsage();
      for (let i = 0; i < times; i++) await run(i);
      const { user, system } = process.cpuUsage(before);
      best[name] = Math.min(best[name], (user + system) / times);
    }
  }
  return best;
}

const print = (name, values) => console.log(JSON.stringify({ name, ...values }));

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
print('check', { cpu_us: (await compare(7, 1000, { check: () => auth.check(request) })).check });

const iterations = 100_000;
const inModule = createAuth({ secretKey: 'x', djangoVersion: '5.2', dialect: 'sqlite', query, kdf: 'module', settings: { pbkdf2_iterations: iterations } });
const native = createAuth({ secretKey: 'x', djangoVersion: '5.2', dialect: 'sqlite', query, settings: { pbkdf2_iterations: iterations } });
const functions = { module: () => inModule.makePassword('password'), native: () => native.makePassword('password') };
if (peers) {
  const { pbkdf2, createSHA256 } = createRequire(new URL(`file://${peers}/`))('hash-wasm');
  const salt = new Uint8Array(16);
  functions['hash-wasm'] = () => pbkdf2({ password: 'password', salt, iterations, hashLength: 32, hashFunction: createSHA256(), outputType: 'binary' });
}
await inModule.makePassword('password');
const cost = await compare(4, 2, functions);
print('pbkdf2', { iterations, cpu_us: cost, module_vs_hash_wasm: cost['hash-wasm'] / cost.module });
process.exit(0);
