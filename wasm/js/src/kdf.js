// Deriving keys from passwords: natively where the runtime can, else in the
// module, in slices.
import { Queue, Busy, Gone, patience } from './queue.js';
import { Undecided } from './engine.js';

const PBKDF2_SHA256 = 1, PBKDF2_SHA1 = 2, SCRYPT = 7;
const ARGON2 = { 3: 'argon2d', 4: 'argon2i', 5: 'argon2id' };

/** What hosted Workers allow WebCrypto to do; they throw above. */
const WEBCRYPTO_ITERATIONS = 100_000;

/**
 * A function from a key derivation to its key, or to null when the module shall derive it.
 * @param {{ kdf: 'host' | 'module' | Function, concurrency: number, wait: number, memory: number, crypto: () => Promise<any> }} config
 */
export function keyDeriver({ kdf, concurrency, wait, memory, crypto: nodeCrypto }) {
  const queue = new Queue(concurrency, wait, patience(wait));
  return async (d, signal) => {
    if (kdf !== 'module') {
      const held = await queue.enter('hashing', signal);
      let key;
      try {
        key = typeof kdf === 'function' ? await custom(kdf, d) : await native(d, await nodeCrypto());
      } finally {
        queue.leave(held);
      }
      if (key) return key;
    }
    const need = d.function === SCRYPT ? 128 * d.N * d.r : ARGON2[d.function] ? d.memory * 1024 : 0;
    if (need > memory) {
      const name = d.function === SCRYPT ? 'scrypt' : ARGON2[d.function];
      throw new Undecided('hash_cost', `a ${name} hash needs ${Math.ceil(need / 1048576)} MiB of memory and this runtime does not derive it natively: ` +
        `hashMemory allows the module ${Math.floor(memory / 1048576)} MiB. Raise hashMemory where the isolate has room, give kdf a function, or have the site prefer PBKDF2 (PASSWORD_HASHERS)`);
    }
    return null;
  };
}

const FUNCTIONS = { 1: 'pbkdf2_sha256', 2: 'pbkdf2_sha1', 3: 'argon2d', 4: 'argon2i', 5: 'argon2id', 6: 'bcrypt', 7: 'scrypt' };

async function custom(derive, d) {
  const { iterations, memory, parallelism, N, r, version, keyLength } = d;
  const key = await derive({ function: FUNCTIONS[d.function] ?? 'unknown', iterations, memory, parallelism, N, r, version, keyLength }, d.password.slice(), d.salt.slice());
  if (key == null) return null;
  if (!(key instanceof Uint8Array) || key.length !== keyLength) throw new Error(`kdf: the function did not give ${keyLength} bytes`);
  return key;
}

async function native(d, node) {
  // Whatever the runtime refuses, the module can do.
  try {
    if (node) {
      const key = await byNode(d, node);
      if (key) return key;
    }
  } catch (error) {
    if (error instanceof Busy || error instanceof Gone) throw error;
  }
  try {
    return await byWebCrypto(d);
  } catch {
    return null;
  }
}

function byNode(d, node) {
  const call = (f, ...args) => new Promise((resolve, reject) => {
    f(...args, (error, key) => (error ? reject(error) : resolve(new Uint8Array(key))));
  });
  switch (d.function) {
    case PBKDF2_SHA256:
      return call(node.pbkdf2, d.password, d.salt, d.iterations, d.keyLength, 'sha256');
    case PBKDF2_SHA1:
      return call(node.pbkdf2, d.password, d.salt, d.iterations, d.keyLength, 'sha1');
    case SCRYPT:
      return call(node.scrypt, d.password, d.salt, d.keyLength, { N: d.N, r: d.r, p: d.parallelism, maxmem: 128 * d.N * d.r + 128 * d.r * d.parallelism + (1 << 20) });
  }
  if (ARGON2[d.function] && d.version === 19 && typeof node.argon2 === 'function') {
    return call(node.argon2, ARGON2[d.function], {
      message: d.password, nonce: d.salt, parallelism: d.parallelism, tagLength: d.keyLength, memory: d.memory, passes: d.iterations,
    });
  }
}

async function byWebCrypto(d) {
  const hash = { [PBKDF2_SHA256]: 'SHA-256', [PBKDF2_SHA1]: 'SHA-1' }[d.function];
  if (!hash || d.iterations > WEBCRYPTO_ITERATIONS) return null;
  const { subtle } = globalThis.crypto;
  const secret = await subtle.importKey('raw', d.password, 'PBKDF2', false, ['deriveBits']);
  return new Uint8Array(await subtle.deriveBits({ name: 'PBKDF2', hash, salt: d.salt, iterations: d.iterations }, secret, 8 * d.keyLength));
}

/** Lets everything else that waits have its turn. */
export function pause() {
  return new Promise((resolve) => (globalThis.setImmediate ?? setTimeout)(resolve));
}
