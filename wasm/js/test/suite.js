// The package's tests: this file runs unchanged in Node, Deno, Bun and workerd.
// A real Django made the database and everything else in site, see site.py.
import { Auth } from '../src/auth.js';
import { decodeAnswer, timeText } from '../src/codec.js';
import { keyDeriver } from '../src/kdf.js';
import { deriveKeys } from '../src/keys.js';
import { Queue } from '../src/queue.js';

/** Runs every test. createAuth is the package's; query answers from the site's database.
 *  @returns {Promise<{ passed: string[], failed: Array<[string, string]>, written: object }>} */
export async function suite({ createAuth, platform, site, query, name: runtime }) {
  const passed = [], failed = [], written = {};
  const quiet = [];
  const options = (more) => ({
    secretKey: site.secretKey, secretKeyFallbacks: site.fallbacks, djangoVersion: '5.2', query, log: (text) => quiet.push(text),
    publicOrigins: ['http://site.example'], settings: { pbkdf2_iterations: 2000 }, ...more,
  });
  const get = (key, path = '/reports', headers = {}) => new Request(`http://site.example${path}`, { headers: key === undefined ? headers : { cookie: `sessionid=${key}`, ...headers } });
  const post = (key, headers = {}) => new Request('http://site.example/api', {
    method: 'POST', body: '{}', headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { cookie: `sessionid=${key}` }), ...headers },
  });
  const auth = createAuth(options());

  // What must never be printed.
  const printed = [];
  for (const method of ['log', 'error', 'warn', 'info', 'debug']) {
    const original = console[method].bind(console);
    console[method] = (...args) => { printed.push(args.join(' ')); original(...args); };
  }

  const tests = {
    async 'a session made by Django'() {
      const decision = await auth.check(get(site.sessions.user7));
      equal([decision.allowed, decision.status, decision.reason], [true, 200, 'ok']);
      equal([decision.user.username, decision.user.id, decision.user.is_active, decision.user.email], ['user7', site.people.user7, true, 'user7@example.com']);
      equal('password' in decision.user, false);
      equal(decision.identity, { id: String(site.people.user7), name: 'user7', email: 'user7@example.com', staff: false, superuser: false });
      equal((await auth.user(get(site.sessions.user7))).username, 'user7');
      equal((await auth.user(get(site.sessions['zoë']))).first_name, 'Zoë ✓');
      equal((await auth.user(get(site.sessions.user0))).last_login, site.lastLogin);
    },
    async 'sessions that are nobody\'s'() {
      for (const [key, reason] of [
        [undefined, 'no_session'], ['', 'no_session'], ['short', 'no_session'], ['x'.repeat(32), 'session_unknown'], [site.expired, 'session_unknown'],
        [site.other, 'session_corrupt'], [site.sessions.sleeper, 'user_inactive'], ["' OR 1=1 --", undefined], [`${site.sessions.user1}\u00ff`, undefined],
      ]) {
        const decision = await auth.check(get(key));
        equal([decision.outcome, decision.status, decision.user], ['deny', 401, null], String(key));
        if (reason) equal(decision.reason, reason);
        equal(await auth.user(get(key)), null);
        equal((await auth.check(get(key), 'anyone')).identify(new Headers({ 'Remote-User': 'boss' })).get('remote-user'), '');
        equal((await thrown(() => decision.identify(new Headers()))).status, 401);
      }
      equal((await auth.user(get(site.old))).username, 'user0', 'a fallback key');
    },
    async 'requirements and rules'() {
      for (const [name, requirement, status] of [
        ['user1', 'staff', 403], ['staff', 'staff', 200], ['staff', 'superuser', 403], ['boss', 'superuser', 200], ['boss', 'permission:auth.view_user', 200],
        ['reporter', 'permission:auth.view_user', 200], ['reporter', 'permission:auth.add_user', 403], ['reporter', 'group:Editors of reports', 200],
        ['user1', 'group:Editors of reports', 403], ['user1', 'anyone', 200], ['user1', 'nonsense', 503], ['user1', '', 503],
      ]) equal((await auth.check(get(site.sessions[name]), requirement)).status, status, `${name} ${requirement}`);
      const granted = await auth.permissions(get(site.sessions.reporter));
      equal([granted.permissions, granted.groups, granted.everything], [['auth.view_user'], ['Editors of reports'], false]);
      const ruled = createAuth(options({ rules: ['GET /reports/ group:Editors of reports', { path: '/public/', allow: 'anyone' }] }));
      equal((await ruled.check(get(site.sessions.reporter, '/reports/1'), 'rules')).status, 200);
      equal((await ruled.check(get(site.sessions.user1, '/reports/1'), 'rules')).status, 403);
      equal((await ruled.check(get(undefined, '/public/x'), 'rules')).status, 200);
      equal((await ruled.check(get(site.sessions.user1, '/public%2fx'), 'rules')).reason, 'path_ambiguous');
    },
    async 'two hundred requests in flight on one instance'() {
      const made = counted();
      let inFlight = 0, most = 0;
      const slow = async (name, sql, args, more) => {
        most = Math.max(most, ++inFlight);
        await new Promise((resolve) => setTimeout(resolve, 20 * Math.random()));
        if (inFlight > 150) await new Promise((resolve) => setTimeout(resolve, 100));
        inFlight--;
        return query(name, sql, args, more);
      };
      slow.dialect = query.dialect;
      const busy = createAuth(options({ query: slow }));
      await busy.ready();
      const names = Object.keys(site.people).filter((name) => name.startsWith('user'));
      equal(names.length, 200);
      const users = await Promise.all(names.map((name) => busy.user(get(site.sessions[name]))));
      equal(users.map((user) => [user.username, user.id]), names.map((name) => [name, site.people[name]]));
      equal(made.stop(), 1, 'instances');
      equal(most >= 150, true, `${most} at once`);
    },
    async 'one round trip when the user is known'() {
      const trips = [];
      const counting = (name, ...more) => { trips.push([name]); return query(name, ...more); };
      counting.dialect = query.dialect;
      counting.batch = (list, more) => { trips.push(list.map((s) => s.name)); return Promise.all(list.map((s) => query(s.name, s.sql, s.args, more))); };
      const hinted = createAuth(options({ query: counting }));
      await hinted.check(get(site.sessions.user3));
      await hinted.check(get(site.sessions.user3));
      equal(trips, [['session_load'], ['user_by_id'], ['session_load', 'user_by_id']]);
    },
    async 'log in, look, log out'() {
      const wrong = await auth.login(post(), { username: 'watcher', password: 'wrong' });
      equal([wrong.outcome, wrong.reason, wrong.status, wrong.cookies], ['deny', 'bad_credentials', 400, []]);
      equal((await auth.login(post(), { username: 'sleeper', password: site.password })).reason, 'user_inactive');
      equal((await auth.login(post(undefined, { origin: 'http://evil.example' }), { username: 'watcher', password: site.password })).reason, 'origin_mismatch');
      equal((await auth.login(get(), { username: 'watcher', password: site.password })).status, 405);
      equal((await auth.login(post(), { username: '\ud800', password: 'x' })).status, 400);
      const decision = await auth.login(post(), { username: 'watcher', password: site.password });
      equal([decision.allowed, decision.user?.username], [true, 'watcher'], decision.detail);
      const key = sessionKey(decision);
      const response = decision.response();
      equal([response.status, response.headers.get('set-cookie').startsWith('sessionid='), response.headers.get('vary')], [204, true, 'Cookie']);
      equal((await auth.user(get(key))).username, 'watcher');
      const out = await auth.logout(post(key));
      equal([out.allowed, /sessionid=""; expires=Thu, 01 Jan 1970/.test(out.cookies[0])], [true, true]);
      equal(await auth.user(get(key)), null);
    },
    async 'register, and a name that is taken'() {
      const name = `newcomer_${runtime}`;
      const decision = await auth.register(post(), { username: name, password: 'long enough ✓', email: 'n@example.com' });
      equal([decision.allowed, decision.reason], [true, 'ok'], decision.detail);
      equal((await auth.user(get(sessionKey(decision)))).email, 'n@example.com');
      const taken = await auth.register(post(), { username: name, password: 'long enough ✓' });
      equal([taken.outcome, taken.reason, taken.status], ['deny', 'username_taken', 400], taken.detail);
      Object.assign(written, { registered: name, password: 'long enough ✓' });
    },
    async 'change the password'() {
      const decision = await auth.changePassword(post(site.sessions.changer), { password: 'another one' });
      equal(decision.allowed, true, decision.detail);
      equal(await auth.user(get(site.sessions.changer)), null, 'the session ended');
      written.newPassword = 'another one';
    },
    async 'sessions: read, change, save'() {
      const session = await auth.session(get(site.sessions.user9));
      equal([session.get('color'), session.get('number'), session.get('none')], ['blue', 9, undefined]);
      session.set('cart', [1, 'ä✓', { deep: null }]);
      session.delete('color');
      const decision = await session.save();
      equal(decision.cookies.length, 1);
      const again = (await auth.session(get(site.sessions.user9))).toJSON();
      equal([again.cart, 'color' in again, again.number], [[1, 'ä✓', { deep: null }], false, 9]);
      written.session = site.sessions.user9;
      const cycled = await auth.session(get(site.sessions.user10));
      await cycled.cycleKey();
      const key = sessionKey(await cycled.save());
      equal([key === site.sessions.user10, (await auth.user(get(key))).username, await auth.user(get(site.sessions.user10))], [false, 'user10', null]);
      const flushed = await auth.session(get(key));
      await flushed.flush();
      equal([/1970/.test((await flushed.save()).cookies[0]), await auth.user(get(key))], [true, null]);
      equal((await (await auth.session(get())).save()).cookies, []);
    },
    async 'decode the data of a session'() {
      const items = await auth.decodeSession(site.data);
      equal([items.color, items.number, items._auth_user_id], ['blue', 7, String(site.people.user7)]);
      equal(await auth.decodeSession(`${site.data.slice(0, -2)}AA`), null);
      equal(await auth.decodeSession(''), null);
    },
    async 'signed cookies'() {
      const signed = createAuth(options({ engine: 'signed_cookies' }));
      equal((await signed.user(get(site.cookie))).username, 'user0');
      equal((await signed.decodeSession(site.cookie)).color, 'red');
      equal(await signed.user(get(`${site.cookie.slice(0, -1)}${site.cookie.endsWith('A') ? 'B' : 'A'}`)), null);
    },
    async 'a cache'() {
      const value = new Uint8Array(site.cacheValue);
      const entries = new Map([[site.cacheEntry, value], [site.cacheEntry.replace('.cache', '.cached_db'), value]]);
      const cache = {
        get: async (key) => entries.get(key),
        set: async (key, value) => { entries.set(key, value); },
        add: async (key, value) => !entries.has(key) && Boolean(entries.set(key, value)),
        delete: async (key) => entries.delete(key),
      };
      for (const engine of ['cache', 'cached_db']) {
        const cached = createAuth(options({ engine, cache }));
        equal((await cached.user(get(site.cacheSession)))?.username, 'user0', engine);
        if (engine === 'cache') equal((await cached.decodeSession(value)).color, 'green');
        const decision = await cached.login(post(), { username: 'user11', password: site.password });
        equal((await cached.user(get(sessionKey(decision)))).username, 'user11', decision.detail);
        equal((await cached.logout(post(sessionKey(decision)))).allowed, true);
        equal(await cached.user(get(sessionKey(decision))), null);
      }
      const down = createAuth(options({ engine: 'cache', cache: { ...cache, get: async () => { throw new Error('down'); } } }));
      equal((await down.check(get(site.cacheSession))).status, 503);
    },
    async 'passwords, hashed natively'() {
      for (const [hasher, encoded] of Object.entries(site.hashes)) {
        if (hasher === 'argon2') continue; // below
        equal([await auth.verifyPassword('pässword', encoded), await auth.verifyPassword('password', encoded)], [true, false], hasher);
      }
      equal((await auth.makePassword('x')).startsWith('pbkdf2_sha256$2000$'), true);
      equal((await auth.makePassword('x', 'scrypt')).startsWith('scrypt$'), true);
      equal(await auth.verifyPassword('x', await auth.makePassword('x')), true);
    },
    async 'argon2 as Django makes it, or why not'() {
      const decision = await auth.verifyPassword('pässword', site.hashes.argon2).catch((error) => error.decision);
      if (decision === true) return;
      equal([platform.hashMemory < 100 << 20, decision.reason, decision.status, /hashMemory/.test(decision.detail)], [true, 'hash_cost', 503, true], decision.detail);
    },
    async 'passwords, hashed in the module'() {
      const slices = createAuth(options({ kdf: 'module' }));
      let turns = 0;
      const timer = setInterval(() => turns++, 1);
      equal(await slices.verifyPassword('pässword', site.hashes.pbkdf2_sha256), true);
      clearInterval(timer);
      equal(turns > 3, true, `${turns} turns for others meanwhile`);
      equal(await slices.verifyPassword('pässword', site.hashes.scrypt), true);
      const small = createAuth(options({ kdf: 'module', hashMemory: 8 << 20 }));
      for (const hasher of ['scrypt', 'argon2']) {
        const error = await thrown(() => small.verifyPassword('pässword', site.hashes[hasher]));
        equal([error.reason, error.status, /hashMemory/.test(error.decision.detail)], ['hash_cost', 503, true]);
      }
    },
    async 'WebCrypto below 100,000 iterations alone'() {
      const asked = [], { subtle } = crypto, original = subtle.deriveBits;
      subtle.deriveBits = function deriveBits(algorithm, ...more) {
        asked.push(algorithm.iterations);
        if (algorithm.iterations > 100_000) throw new Error(`Pbkdf2 failed: iteration counts above 100000 are not supported (requested ${algorithm.iterations}).`);
        return original.call(subtle, algorithm, ...more);
      };
      try {
        const bare = new Auth(options(), { ...platform, crypto: () => null });
        equal([await bare.verifyPassword('pässword', site.cheap), await bare.verifyPassword('password', site.cheap)], [true, false]);
        if (asked.length) equal(Math.max(...asked), 100_000);
        equal(await bare.verifyPassword('pässword', site.hashes.pbkdf2_sha256), true);
        equal(asked.every((n) => n <= 100_000), true);
        if (runtime !== 'workerd' && runtime !== 'd1') equal(asked.length > 0, true);
      } finally {
        delete subtle.deriveBits;
      }
      // A runtime whose node:crypto refuses leaves it to the module.
      const refuse = { pbkdf2: (...args) => args.at(-1)(new Error('iteration counts above 100000 are not supported')) };
      const derive = keyDeriver({ kdf: 'host', concurrency: 1, wait: 100, memory: 1 << 20, crypto: async () => refuse });
      equal(await derive({ function: 1, iterations: 600_000, keyLength: 32, password: new Uint8Array(1), salt: new Uint8Array(1) }), null);
    },
    async 'a function of one\'s own that hashes'() {
      let asked;
      const own = createAuth(options({ kdf: async (derivation) => { asked = derivation; return new Uint8Array(32); } }));
      equal(await own.verifyPassword('pässword', site.cheap), false);
      equal([asked.function, asked.iterations, asked.keyLength], ['pbkdf2_sha256', 100_000, 32]);
      const wrong = createAuth(options({ kdf: async () => new Uint8Array(3) }));
      equal((await thrown(() => wrong.verifyPassword('pässword', site.cheap))).status, 503);
    },
    async 'a database that is down, slow or talks nonsense'() {
      let answer = query;
      const broken = (...args) => answer(...args);
      broken.dialect = query.dialect;
      const failing = createAuth(options({ query: broken, queryTimeout: 100 }));
      equal((await failing.check(get(site.sessions.user5))).status, 200);
      for (const [what, bad] of Object.entries({
        down: async () => { throw new Error('connect canary-2'); },
        synchronously: () => { throw new Error('no'); },
        slow: () => new Promise(() => {}),
        nothing: async () => undefined,
        'no rows': async () => ({}),
        'rows that are objects': async () => ({ rows: [{ session_key: site.sessions.user5, session_data: site.data }] }),
        'what is no value': async () => ({ rows: [[Symbol('x'), () => {}]] }),
        'too large': async () => ({ rows: [[site.sessions.user5, 'x'.repeat(17 << 20)]] }),
      })) {
        answer = bad;
        for (const decision of [await failing.check(get(site.sessions.user5)), await failing.login(post(), { username: 'user5', password: site.password })]) {
          equal([decision.outcome, decision.status, decision.cookies, decision.user, decision.detail.includes('canary')], ['error', 503, [], null, false], what);
          equal(decision.response().status, 503);
        }
        equal((await thrown(() => failing.user(get(site.sessions.user5)))).status, 503, what);
        answer = query;
        equal((await failing.check(get(site.sessions.user5))).status, 200, `after ${what}`);
      }
      equal(quiet.some((line) => line.includes('session_load')), true);
    },
    async 'a client that goes away'() {
      const gone = new AbortController();
      let release;
      const held = async (...args) => { gone.abort(); await new Promise((resolve) => { release = resolve; }); return query(...args); };
      held.dialect = query.dialect;
      const waiting = createAuth(options({ query: held }));
      equal((await waiting.check(get(site.sessions.user5), 'anyone', { signal: gone.signal })).status, 503);
      release();
      equal((await auth.check(get(site.sessions.user5), 'anyone', { signal: AbortSignal.abort() })).status, 503);
      equal((await auth.check(get(site.sessions.user5))).status, 200);
    },
    async 'identity headers for whatever is behind'() {
      const decision = await auth.check(get(site.sessions.user5));
      const headers = decision.identify(new Headers([['Remote-User', 'boss'], ['remote_user', 'boss'], ['Remote.User', 'boss'], ['REMOTE_STAFF', 'true'], ['Connection', 'close, Remote-User'], ['X-Other', '1']]));
      equal([...headers].sort(), [['connection', 'close'], ['remote-email', 'user5@example.com'], ['remote-staff', 'false'], ['remote-superuser', 'false'],
        ['remote-user', 'user5'], ['remote-user-id', String(site.people.user5)], ['x-other', '1']]);
    },
    async 'bad options'() {
      const canary = 'canary-1-in-a-wrong-place';
      for (const [name, bad] of Object.entries({
        secretKey: { secretKey: '' }, keys: { keys: { key_session: 'x' } }, 'keys.canary': { secretKey: undefined, secretKeyFallbacks: undefined, keys: { canary } },
        secretKeyFallbacks: { secretKeyFallbacks: [''] }, djangoVersion: { djangoVersion: 5.2 }, engine: { engine: 'memory' }, dialect: { dialect: 'oracle' },
        query: { query: 'SELECT' }, cache: { engine: 'cache' }, kdf: { kdf: 'fast' }, rules: { rules: [{}] }, queryTimeout: { queryTimeout: -1 }, hashMemory: { hashMemory: 0 },
        inFlight: { inFlight: 1001 }, secretkey: { secretkey: canary }, 'settings.version': { settings: { version: '5.2' } }, 'settings.key_session': { settings: { key_session: canary } },
        log: { log: 1 },
      })) {
        const error = await thrown(() => createAuth(options(bad)));
        equal([error instanceof TypeError, error.message.startsWith(`djedge: ${name}:`), error.message.includes('canary-1')], [true, true, false], error.message);
      }
      for (const [name, bad] of Object.entries({
        version: { djangoVersion: 'five' }, no_such: { settings: { no_such: 'x' } }, session_cookie_age: { settings: { session_cookie_age: 'x' } }, rule: { rules: ['nonsense'] },
        key_session: { secretKey: undefined, secretKeyFallbacks: undefined, keys: { key_session: canary } },
      })) {
        const bad1 = createAuth(options(bad));
        const error = await thrown(() => bad1.ready());
        equal([error.message.includes(name), error.message.includes('canary-1')], [true, false], error.message);
        equal((await bad1.check(get(site.sessions.user5))).status, 503, 'fails closed');
      }
      equal((await thrown(() => auth.check({}))) instanceof TypeError, true);
      equal((await thrown(() => auth.login(post(), {}))).message, 'djedge: username is not a text');
      equal((await thrown(() => createAuth(options({ wasm: new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]) })).ready())) instanceof Error, true);
    },
    async 'derived keys, as djedge keys prints them'() {
      const keys = { key_session: 'sha256:b07d33a65e5ba4e4b8c0f6bf7b2c8ee6c8a6c0e1ba3e8a0e84bbe0a1ef0d5d8d' };
      const other = createAuth(options({ secretKey: undefined, secretKeyFallbacks: undefined, keys: { ...keys, key_auth_hash: keys.key_session, key_cookie: keys.key_session } }));
      equal((await other.check(get(site.sessions.user5))).reason, 'session_corrupt', 'the keys of another site');
      const derived = createAuth(options({ secretKey: undefined, secretKeyFallbacks: undefined, keys: site.keys }));
      equal([(await derived.user(get(site.sessions.user5))).username, (await derived.user(get(site.old))).username], ['user5', 'user0']);
      equal((await deriveKeys(site.secretKey, site.fallbacks)).map(([name, key]) => [name, site.keys[name].includes(key)]).filter(([, same]) => !same), []);
    },
    async 'messages that cannot be read'() {
      for (const bytes of [[], [6], [6, 1, 0, 0, 0], [6, 4, 0, 0, 0, 255, 255, 255, 255], [4, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [9, 0, 0, 0, 0], [6, 5, 0, 0, 0, 1, 0, 0, 0, 9]]) {
        equal((await thrown(() => decodeAnswer(new Uint8Array(bytes), []))) instanceof Error, true, String(bytes));
      }
      equal(timeText(-1), '1969-12-31T23:59:59.999999Z');
      equal(timeText(1700000000000001), '2023-11-14T22:13:20.000001Z');
    },
    async 'an answer is copied before the next call'() {
      const made = counted((exports) => {
        let answer;
        return {
          ...exports,
          djedge_begin(...args) {
            answer = exports.djedge_begin(...args);
            return answer;
          },
          djedge_free(at) { // as docs/abi.md lets every export do
            exports.djedge_free(at);
            new Uint8Array(exports.memory.buffer, Number(BigInt.asUintN(32, answer >> 32n)), Number(answer & 0xffffffffn)).fill(255);
          },
        };
      });
      try {
        const decision = await createAuth(options()).check(get(undefined, '/reports', { cookie: `a=${'x'.repeat(100_000)}` }));
        equal([decision.status, decision.reason], [401, 'no_session'], decision.detail);
      } finally {
        made.stop();
      }
    },
    async 'places of requests that never come to their end'() {
      const queue = new Queue(1, 30, 200);
      let lost = 0;
      const first = await queue.enter('x');
      first.lost = () => lost++;
      equal((await thrown(() => queue.enter('x'))).message, 'x: no place became free within 30 ms');
      await new Promise((resolve) => setTimeout(resolve, 300));
      const second = await queue.enter('x');
      equal(lost, 1);
      queue.leave(first); // which is alive after all, and has nothing to give back
      equal((await thrown(() => queue.enter('x'))).message, 'x: no place became free within 30 ms');
      const third = queue.enter('x');
      queue.leave(second);
      queue.leave(await third);
      queue.leave(await queue.enter('x'));
    },
    async 'instances that trap'() {
      if (!site.chaos) return;
      let wreck = false, wrecked = 0;
      const made = counted((exports) => ({
        ...exports,
        djedge_resume(...args) {
          if (wreck) {
            wreck = false;
            wrecked++;
            exports.djedge_chaos(1); // traps
          }
          return exports.djedge_resume(...args);
        },
      }));
      try {
        const chaos = createAuth(options({ wasm: site.chaos }));
        const names = ['user20', 'user21', 'user22', 'user23'];
        wreck = true;
        equal((await Promise.all(names.map((name) => chaos.user(get(site.sessions[name]))))).map((user) => user.username), names);
        equal([wrecked, made.all.length > 1], [1, true]);
        const sent = [];
        const counting = async (name, ...more) => {
          sent.push(name);
          wreck = name === 'session_delete';
          return query(name, ...more);
        };
        counting.dialect = query.dialect;
        counting.batch = async (list) => Promise.all(list.map((s) => counting(s.name, s.sql, s.args)));
        const writing = createAuth(options({ wasm: site.chaos, query: counting }));
        const decision = await writing.logout(post(site.sessions.user24));
        equal([decision.outcome, decision.status, decision.cookies, sent.filter((name) => name === 'session_delete').length], ['error', 503, [], 1], `a write is not sent again: ${sent}`);
        equal([wrecked, (await writing.user(get(site.sessions.user25))).username], [2, 'user25']);
      } finally {
        made.stop();
      }
    },
  };

  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      passed.push(name);
    } catch (error) {
      failed.push([name, String(error?.stack ?? error)]);
    }
  }
  const leaks = [...printed, ...quiet].filter((line) => /canary-\d|quick password|pässword|pbkdf2_sha256\$/.test(line));
  if (leaks.length) failed.push(['nothing secret is printed', leaks.join('\n')]);
  else passed.push('nothing secret is printed');
  return { passed, failed, written };
}

function sessionKey(decision) { return /^sessionid=([^;]+);/.exec(decision.cookies.find((cookie) => cookie.startsWith('sessionid=')) ?? '')?.[1]; }

// counted sees which instances are made from now on.
function counted(change = (exports) => exports) {
  const Real = WebAssembly.Instance, all = [];
  WebAssembly.Instance = function Instance(...args) {
    const instance = new Real(...args);
    all.push(instance);
    return Object.create(Real.prototype, { exports: { value: change(instance.exports) } });
  };
  return {
    all,
    stop() {
      WebAssembly.Instance = Real;
      return all.length;
    },
  };
}

async function thrown(f) {
  try {
    await f();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

function equal(got, want, what = '') {
  const [a, b] = [got, want].map((v) => JSON.stringify(v, (_, x) => (typeof x === 'bigint' ? Number(x) : x)));
  if (a !== b) throw new Error(`${what}: ${a}, want ${b}`);
}
