// From the options of createAuth to the settings of the module. What is wrong
// is said here by the option's name; what only the module can judge, it says by
// the setting's.
import { KEY_NAMES } from './keys.js';

const OPTIONS = new Set(['wasm', 'keys', 'secretKey', 'secretKeyFallbacks', 'djangoVersion', 'engine', 'dialect', 'query', 'cache', 'kdf', 'rules', 'publicOrigins', 'settings',
  'queryTimeout', 'hashMemory', 'hashConcurrency', 'hashTimeout', 'inFlight', 'instances', 'hintEntries', 'log']);
const ENGINES = ['db', 'cached_db', 'cache', 'signed_cookies'];
const DIALECTS = ['postgresql', 'sqlite', 'mysql'];

function wrong(option, why) { throw new TypeError(`djedge: ${option}: ${why}`); }

const isText = (v) => typeof v === 'string' && v !== '';

function number(options, name, fallback, max) {
  const n = options[name] ?? fallback;
  if (!Number.isInteger(n) || n < 1 || n > max) wrong(name, `is not a whole number from 1 to ${max}`);
  return n;
}

/**
 * Checks the options. The secret is apart, for the keys to be derived from.
 * @returns {{ settings: Array<[string, string]>, secret: object | undefined, config: object }}
 */
export function readOptions(options, platform) {
  if (options === null || typeof options !== 'object') wrong('createAuth', 'takes an object with options');
  for (const name of Object.keys(options)) {
    if (!OPTIONS.has(name)) wrong(name, 'is not an option. Settings of djedge by their names in its configuration go into settings');
  }
  const { query, cache } = options;
  const settings = [];
  const own = new Map(Object.entries(options.settings ?? {}).filter(([, value]) => value !== undefined));
  const add = (name, value) => {
    if (own.has(name)) wrong(`settings.${name}`, 'is given by an option of its own, too');
    settings.push([name, value]);
  };
  const saltClass = own.get('session_salt_class');
  const unchecked = own.get('user_check') === 'none';

  if (options.djangoVersion !== undefined) {
    if (typeof options.djangoVersion !== 'string') wrong('djangoVersion', 'is not a text such as "5.2"');
    add('version', options.djangoVersion);
  }
  const engine = options.engine ?? 'db';
  if (engine === 'file') wrong('engine', 'file: sessions in files are not for this package; djedge serve has them');
  if (!ENGINES.includes(engine)) wrong('engine', `is none of ${ENGINES.join(', ')}`);
  add('session_engine', engine);
  if (typeof query !== 'function' && !(unchecked && query === undefined)) wrong('query', 'is not a function (name, sql, args) => rows');
  const dialect = options.dialect ?? query?.dialect;
  if (dialect === undefined && !unchecked) wrong('dialect', `is missing: the query function does not say which of ${DIALECTS.join(', ')} its database speaks`);
  if (dialect !== undefined) {
    if (!DIALECTS.includes(dialect)) wrong('dialect', `is none of ${DIALECTS.join(', ')}`);
    add('dialect', dialect);
  }
  if (engine === 'cache' || engine === 'cached_db') {
    for (const name of ['get', 'set', 'add', 'delete']) {
      if (typeof cache?.[name] !== 'function') wrong('cache', `has no function ${name}, which the engine ${engine} needs`);
    }
  } else if (cache !== undefined) {
    wrong('cache', `is given, but the engine ${engine} has none`);
  }
  for (const rule of list(options.rules, 'rules')) add('rule', ruleText(rule));
  for (const origin of list(options.publicOrigins, 'publicOrigins')) add('public_origin', String(origin));
  if ((options.djangoVersion !== undefined || own.has('password_hashers')) && !own.has('rehash')) settings.push(['rehash', 'true']);

  const secret = readSecret(options, saltClass, settings);
  for (const [name, value] of own) {
    if (KEY_NAMES.includes(name)) wrong(`settings.${name}`, 'keys go into keys');
    for (const v of Array.isArray(value) ? value : [value]) {
      if (!['string', 'number', 'boolean'].includes(typeof v)) wrong(`settings.${name}`, 'is neither a text, a number, a boolean nor a list of texts');
      settings.push([name, String(v)]);
    }
  }
  const kdf = options.kdf ?? 'host';
  if (kdf !== 'host' && kdf !== 'module' && typeof kdf !== 'function') wrong('kdf', 'is neither "host", "module" nor a function');
  if (options.log !== undefined && typeof options.log !== 'function') wrong('log', 'is not a function');
  const hashConcurrency = number(options, 'hashConcurrency', 4, 1024);
  return {
    settings,
    secret,
    config: {
      engine,
      cookie: String(own.get('session_cookie_name') ?? 'sessionid'),
      pk: String(own.get('user_pk') ?? 'id'),
      query,
      cache,
      kdf,
      wasm: options.wasm,
      log: options.log ?? ((text) => console.error(text)),
      queryTimeout: number(options, 'queryTimeout', 5000, 3600_000),
      hashMemory: number(options, 'hashMemory', platform.hashMemory, 2 ** 32),
      hashConcurrency,
      hashWait: number(options, 'hashTimeout', 5000, 3600_000),
      hashInstances: hashConcurrency,
      inFlight: number(options, 'inFlight', 1000, 1000),
      instances: number(options, 'instances', 4, 1024),
      wait: 1000,
      memory: 32 << 20,
      hintEntries: options.hintEntries === 0 ? 0 : number(options, 'hintEntries', 10_000, 10_000_000),
    },
  };
}

function list(value, name) {
  if (value === undefined) return [];
  if (!Array.isArray(value)) wrong(name, 'is not a list');
  return value;
}

function ruleText(rule) {
  if (typeof rule === 'string') return rule;
  const { methods, path, allow } = rule ?? {};
  if (!isText(path) || !isText(allow) || (methods !== undefined && (!Array.isArray(methods) || methods.length === 0))) {
    wrong('rules', 'holds what is neither a text "METHODS PATH REQUIREMENT" nor { methods?, path, allow }');
  }
  return `${methods?.join(',') ?? '*'} ${path} ${allow}`;
}

// The message names nothing of a key.
function readSecret(options, saltClass, settings) {
  const { keys, secretKey, secretKeyFallbacks } = options;
  if (keys !== undefined) {
    if (secretKey !== undefined || secretKeyFallbacks !== undefined) wrong('keys', 'are given beside secretKey');
    if (saltClass !== undefined) wrong('settings.session_salt_class', 'has no effect on derived keys; give it to `djedge keys`');
    if (keys === null || typeof keys !== 'object') wrong('keys', 'is not an object of derived keys');
    let some = false;
    for (const [name, ring] of Object.entries(keys)) {
      if (!KEY_NAMES.includes(name)) wrong(`keys.${name}`, `is none of ${KEY_NAMES.join(', ')}`);
      for (const key of Array.isArray(ring) ? ring : [ring]) {
        if (!isText(key)) wrong(`keys.${name}`, 'holds what is no text');
        settings.push([name, key]);
        some = true;
      }
    }
    if (!some) wrong('keys', 'holds no key');
    return undefined;
  }
  if (!isText(secretKey)) wrong('secretKey', 'neither it nor keys are given');
  for (const key of list(secretKeyFallbacks, 'secretKeyFallbacks')) {
    if (!isText(key)) wrong('secretKeyFallbacks', 'holds an empty key, or what is no text');
  }
  return { key: secretKey, fallbacks: [...(secretKeyFallbacks ?? [])], saltClass };
}
