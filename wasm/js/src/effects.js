// What an operation asks for: rows, randomness, keys of passwords, a turn for
// others, values of the cache.
import { Duplicate } from './engine.js';
import { asBytes } from './codec.js';
import { selects } from './lane.js';
import { keyDeriver, pause } from './kdf.js';

const MAX_RANDOM = 4096;

/** A function of the program's answers otherwise than it should, or not in time; the message is our own. */
class Misuse extends Error {}

export function hostEffects(config, platform) {
  const { query, cache, queryTimeout, log } = config;
  const kdf = keyDeriver({ kdf: config.kdf, concurrency: config.hashConcurrency, wait: config.hashWait, memory: config.hashMemory, crypto: platform.crypto });
  // An error of a driver is known by its code alone: the message might hold values.
  const failed = (what, error, signal) => {
    const code = String(error?.code ?? error?.name ?? 'error');
    if (!signal?.aborted) log(`djedge: ${what}: ${code}`);
    return error instanceof Misuse ? error : new Error(code);
  };
  return {
    kdf,
    pause,
    random(count) {
      if (count > MAX_RANDOM) throw new Error(`${count} random bytes were asked for`);
      return crypto.getRandomValues(new Uint8Array(count));
    },
    async query(statements, atomic, signal) {
      try {
        return await limited(queryTimeout, signal, 'the database', (s) => run(query, statements, atomic, s));
      } catch (error) {
        if (isDuplicate(error)) throw new Duplicate();
        throw failed(`the database did not answer ${statements.map((s) => s.name).join(', ')}`, error, signal);
      }
    },
    async storage(effect, signal) {
      if (!cache) throw new Error('cache: none is configured');
      try {
        return await limited(queryTimeout, signal, 'the cache', () => store(cache, effect));
      } catch (error) {
        throw failed('the cache did not answer', error, signal);
      }
    },
  };
}

// limited gives f so many milliseconds, and a signal that says when they, or the client, are gone.
async function limited(ms, signal, what, f) {
  const controller = new AbortController();
  const gone = () => controller.abort();
  signal?.addEventListener('abort', gone);
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const error = new Misuse(`${what} did not answer within ${ms} ms`);
      error.code = 'TIMEOUT';
      reject(error);
      controller.abort();
    }, ms);
  });
  try {
    return await Promise.race([f(controller.signal), late]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', gone);
  }
}

async function run(query, statements, atomic, signal) {
  const list = statements.map(({ name, sql, args }) => ({ name, sql, args }));
  let answers;
  if (list.length === 1) {
    answers = [await query(list[0].name, list[0].sql, list[0].args, { signal })];
  } else if (typeof query.batch === 'function') {
    answers = await query.batch(list, { atomic, signal });
  } else if (atomic) {
    throw new Misuse('query: it has no function batch, which statements that belong together need');
  } else if (list.every((s) => selects(s.sql))) {
    answers = await Promise.all(list.map((s) => query(s.name, s.sql, s.args, { signal })));
  } else {
    answers = [];
    for (const s of list) answers.push(await query(s.name, s.sql, s.args, { signal }));
  }
  if (!Array.isArray(answers) || answers.length !== list.length) throw new Misuse('query: batch did not give one result for each statement');
  return answers.map((answer, i) => result(answer, list[i]));
}

// result checks an answer. Rows that are missing by mistake would be a session that does not exist.
function result(answer, { name, sql }) {
  const { rows, affected } = answer ?? {};
  const reads = selects(sql);
  if (reads ? !Array.isArray(rows) : rows !== undefined && !Array.isArray(rows)) throw new Misuse(`query: ${name} was answered without rows`);
  if (rows?.some((row) => !Array.isArray(row))) throw new Misuse(`query: a row of ${name} is not an array of values in the order of the columns`);
  if (!reads && typeof affected !== 'number' && typeof affected !== 'bigint') throw new Misuse(`query: ${name} was answered without affected, the number of rows`);
  return { affected: affected ?? rows.length, rows: rows ?? [] };
}

const DUPLICATE = new Set(['23505', 'ER_DUP_ENTRY', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY', 'SQLITE_CONSTRAINT_ROWID']);

function isDuplicate(error) {
  return error?.duplicate === true || DUPLICATE.has(error?.code) || [1555, 2067, 2579].includes(error?.errcode ?? error?.errno) || error?.errno === 1062 ||
    /UNIQUE constraint failed/.test(error?.message ?? '');
}

const EMPTY = new Uint8Array(0);
const stored = (found, value = EMPTY, flags = 0) => ({ found, value, flags, modified: 0 });

async function store(cache, { operation, key, value, flags, ttl }) {
  switch (operation) {
    case 1: {
      const found = await cache.get(key);
      return found == null ? stored(false) : entry(found);
    }
    case 2:
      if (ttl > 0) await cache.set(key, value, ttl, flags);
      else await cache.delete(key);
      return stored(true);
    case 3:
      if (ttl > 0) return stored(yes(await cache.add(key, value, ttl, flags), 'add'));
      return stored(await cache.get(key) == null);
    case 4:
      return stored(Boolean(await cache.delete(key)));
  }
  throw new Error('the operation is not one of a cache');
}

function entry(found) {
  const bytes = asBytes(found) ?? asBytes(found.value);
  if (!bytes) throw new Misuse('cache: get gave neither bytes nor { value: bytes, flags }');
  return stored(true, bytes, found.flags ?? 0);
}

function yes(answer, name) {
  if (typeof answer !== 'boolean') throw new Misuse(`cache: ${name} did not give a boolean`);
  return answer;
}
