// Which user a session belonged to when it was last read, so that both rows are
// asked for at once. Session keys are passwords of a sort, so only a digest of
// 53 bits is kept, of a seed that nobody knows: a wrong hint costs a round trip
// and decides nothing. The longest unused is forgotten first.

export class Hints {
  #users = new Map();
  #limit;
  #seed;

  constructor(limit) { this.#limit = limit; }

  digest(sessionKey) {
    if (!sessionKey || this.#limit <= 0) return 0;
    this.#seed ??= crypto.getRandomValues(new Uint32Array(2)); // not at global scope
    let [a, b] = this.#seed;
    for (let i = 0; i < sessionKey.length; i++) {
      const c = sessionKey.charCodeAt(i);
      a = Math.imul(a ^ c, 0x9e3779b1);
      b = Math.imul(b ^ c, 0x85ebca6b);
      a ^= b >>> 15;
      b ^= a >>> 13;
    }
    return 1 + (a >>> 0) + (b & 0x1fffff) * 4294967296;
  }

  get(digest) {
    const user = this.#users.get(digest);
    if (user === undefined) return null;
    this.#users.delete(digest);
    this.#users.set(digest, user);
    return user;
  }

  put(digest, user) {
    if (!digest) return;
    this.#users.delete(digest);
    this.#users.set(digest, user);
    if (this.#users.size > this.#limit) this.#users.delete(this.#users.keys().next().value);
  }

  remove(digest) { this.#users.delete(digest); }
}
