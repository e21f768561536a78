// The session of one request, which a program may change.
import { Op } from './codec.js';
import { AuthError } from './decision.js';

const NO_BYTES = new Uint8Array(0);

export class Session {
  #do;
  #state;
  #moved; // the cookie under which it is found now

  /** @param {(op: object, cookie?: string) => Promise<{ result: object, decision: import('./decision.js').Decision }>} run on the session's request */
  constructor(run, result) {
    this.#do = run;
    this.#take(result, false);
  }

  #take(result, modified) {
    this.#state = {
      key: result.sessionKey, resolved: true, loaded: true, accessed: true, modified: modified || result.sessionModified, items: result.items,
    };
  }

  async #run(kind, more) {
    const { result, decision } = await this.#do({ kind, session: this.#state, ...more }, kind === Op.sessionSave ? undefined : this.#moved);
    if (!decision.allowed) throw new AuthError(decision);
    return { result, decision };
  }

  /** The names of the entries. */
  keys() { return this.#state.items.map((item) => item.key); }

  /** One entry as the JSON text that Django stored, or undefined. */
  raw(key) { return this.#state.items.find((item) => item.key === key)?.raw; }

  /** One entry, or undefined. */
  get(key) {
    const raw = this.raw(key);
    return raw === undefined ? undefined : parse(raw);
  }

  /** All entries. */
  toJSON() { return Object.fromEntries(this.#state.items.map((item) => [item.key, parse(item.raw)])); }

  set(key, value) {
    const text = JSON.stringify(value);
    if (typeof key !== 'string' || text === undefined) throw new TypeError('djedge: a session holds what JSON can say, under texts');
    const raw = text.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
    const item = { key, raw, pickled: NO_BYTES }, at = this.#state.items.findIndex((other) => other.key === key);
    if (at < 0) this.#state.items.push(item);
    else this.#state.items[at] = item;
    this.#state.modified = true;
  }

  delete(key) {
    const at = this.#state.items.findIndex((item) => item.key === key);
    if (at < 0) return false;
    this.#state.items.splice(at, 1);
    this.#state.modified = true;
    return true;
  }

  /** Removes every entry and keeps the session. */
  clear() {
    this.#state.items = [];
    this.#state.modified = true;
  }

  /** Ends the session, at once; save then deletes the cookie. */
  async flush() {
    const { result } = await this.#run(Op.sessionFlush);
    this.#moved = '';
    this.#take(result, true);
  }

  /** Gives the session a new key, at once; save then sends the cookie. */
  async cycleKey() {
    const { result } = await this.#run(Op.sessionCycle);
    this.#moved = result.sessionKey;
    this.#take(result, true);
  }

  /** Saves what was changed, before a response of this status goes out. The decision has the cookies. */
  async save(status = 200) {
    const { result, decision } = await this.#run(Op.sessionSave, { responseStatus: status });
    if (result.sessionKey) Object.assign(this.#state, { key: result.sessionKey, modified: false });
    return decision;
  }
}

/** JSON as Python writes it: NaN and the infinities become null. */
export function parse(raw) {
  try {
    return JSON.parse(raw);
  } catch {
    return JSON.parse(raw.replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (token) => (token[0] === '"' ? token : 'null')));
  }
}
