// One Django site as seen from here.
import { Op } from './codec.js';
import { AuthError, Decision } from './decision.js';
import { hostEffects } from './effects.js';
import { Engine } from './engine.js';
import { Hints } from './hints.js';
import { deriveKeys } from './keys.js';
import { failure } from './reasons.js';
import { cookieValue, summary } from './request.js';
import { Session, parse } from './session.js';
import { readOptions } from './settings.js';

// Operations that may read the user of a request's session.
const HAS_USER = new Set([Op.check, Op.loadUser, Op.permissions, Op.login, Op.logout, Op.register, Op.changePassword]);

const isWellFormed = (text) => !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);

export class Auth {
  #platform;
  #config;
  #settings;
  #secret;
  #effects;
  #hints;
  #engine;
  #wanted;

  constructor(options, platform) {
    const { settings, secret, config } = readOptions(options, platform);
    this.#platform = platform;
    this.#config = config;
    this.#settings = settings;
    this.#secret = secret;
    this.#effects = hostEffects(config, platform);
    // Only a row of the session can be asked for together with the user's.
    this.#hints = new Hints(config.engine === 'db' ? config.hintEntries : 0);
  }

  /** Loads the module and checks the settings; else the first request does. Throws what is wrong with them. */
  async ready() { await this.#start(); }

  // Requests do not wait for one another's promises here: in workerd one whose
  // client went away never comes to its end.
  async #start() {
    if (this.#engine) return this.#engine;
    const keys = this.#secret ? await deriveKeys(this.#secret.key, this.#secret.fallbacks, this.#secret.saltClass) : [];
    let module = this.#config.wasm ?? this.#platform.module();
    if (typeof module === 'function') module = module();
    module = await module;
    if (!(module instanceof WebAssembly.Module)) module = this.#config.wasm = await WebAssembly.compile(module);
    if (!this.#engine) {
      try {
        this.#engine = new Engine(module, [...this.#settings, ...keys], this.#config);
      } catch (error) {
        throw new Error(`djedge: ${error.message}`);
      }
      this.#wanted = new Set(this.#engine.headers.map((name) => name.toLowerCase()));
      this.#secret = this.#settings = undefined;
    }
    return this.#engine;
  }

  // #do runs one operation. What cannot be decided is a result that says so.
  async #do(op, request, { signal, effects, cookie } = {}) {
    let engine;
    try {
      engine = await this.#start();
    } catch (error) {
      this.#config.log(String(error.message));
      return failure('internal', error.message);
    }
    if (request !== undefined) {
      op.request = summary(request, this.#wanted);
      if (cookie !== undefined) op.request.headers = [...op.request.headers.filter(([name]) => name !== 'cookie'), ['cookie', `${this.#config.cookie}=${cookie}`]];
    }
    for (const [name, value] of Object.entries(op)) {
      if (typeof value === 'string' && !isWellFormed(value)) return failure('bad_request', `the ${name} is not well-formed Unicode`, 400);
    }
    const hinted = HAS_USER.has(op.kind);
    const digest = hinted && request !== undefined ? this.#hints.digest(cookieValue(op.request.headers, this.#config.cookie)) : 0;
    if (digest) op.hint = this.#hints.get(digest);
    const result = await engine.do(op, effects ?? this.#effects, signal ?? request?.signal);
    if (hinted) this.#learn(digest, op.kind, result, engine);
    return result;
  }

  #learn(digest, kind, result, engine) {
    const pk = engine.columns.findIndex(({ name }) => name === this.#config.pk);
    if (result.outcome === 0) return;
    if (result.sessionKey && pk >= 0 && pk < result.row.length) {
      const now = this.#hints.digest(result.sessionKey);
      if (now !== digest) this.#hints.remove(digest);
      this.#hints.put(now, result.row[pk]);
    } else if (kind === Op.check || kind === Op.loadUser || kind === Op.permissions || result.outcome === 1) {
      this.#hints.remove(digest);
    }
  }

  async #decide(op, request, options) {
    const result = await this.#do(op, request, options);
    return { result, decision: new Decision(result, this.#engine?.columns) };
  }

  async #must(op, request, options) {
    const { result, decision } = await this.#decide(op, request, options);
    if (!decision.allowed) throw new AuthError(decision);
    return { result, decision };
  }

  async check(request, requirement = 'authenticated', options = undefined) {
    text(requirement, 'requirement');
    return (await this.#decide({ kind: Op.check, require: requirement }, request, options)).decision;
  }

  async user(request, options = undefined) {
    return (await this.#must({ kind: Op.loadUser }, request, options)).decision.user;
  }

  async permissions(request, options = undefined) {
    const { result, decision } = await this.#must({ kind: Op.permissions }, request, options);
    return { user: decision.user, permissions: result.permissions, groups: result.groups, everything: result.everything };
  }

  async login(request, { username, password, csrfToken = '' } = {}, options = undefined) {
    text(username, 'username');
    text(password, 'password');
    return (await this.#decide({ kind: Op.login, username, password, csrfToken: text(csrfToken, 'csrfToken') }, request, options)).decision;
  }

  async logout(request, { csrfToken = '' } = {}, options = undefined) {
    return (await this.#decide({ kind: Op.logout, csrfToken: text(csrfToken, 'csrfToken') }, request, options)).decision;
  }

  async register(request, { username, password, email = '', csrfToken = '' } = {}, options = undefined) {
    text(username, 'username');
    text(password, 'password');
    text(email, 'email');
    return (await this.#decide({ kind: Op.register, username, password, email, csrfToken: text(csrfToken, 'csrfToken') }, request, options)).decision;
  }

  async changePassword(request, { password, csrfToken = '' } = {}, options = undefined) {
    return (await this.#decide({ kind: Op.changePassword, password: text(password, 'password'), csrfToken: text(csrfToken, 'csrfToken') }, request, options)).decision;
  }

  async authenticate({ username, password } = {}, options = undefined) {
    return (await this.#decide({ kind: Op.authenticate, username: text(username, 'username'), password: text(password, 'password') }, undefined, options)).decision;
  }

  async verifyPassword(password, encoded, options = undefined) {
    const { decision } = await this.#decide({ kind: Op.verifyPassword, password: text(password, 'password'), encoded: text(encoded, 'encoded') }, undefined, options);
    if (decision.outcome === 'error') throw new AuthError(decision);
    return decision.allowed;
  }

  async makePassword(password, hasher = '', options = undefined) {
    return (await this.#must({ kind: Op.makePassword, password: text(password, 'password'), hasher: text(hasher, 'hasher') }, undefined, options)).result.text;
  }

  async setPassword(userID, password) {
    await this.#must({ kind: Op.setPassword, userID: String(userID), password: text(password, 'password') });
  }

  async saveUser(userID, fields) {
    await this.#must({ kind: Op.saveUser, userID: String(userID), fields: Object.entries(fields) });
  }

  async csrfToken(request, options = undefined) {
    const { result, decision } = await this.#must({ kind: Op.csrfToken }, request, options);
    return { token: result.text, decision };
  }

  async clearExpired() { return Number((await this.#must({ kind: Op.clearExpired })).result.text); }

  async session(request, options = undefined) {
    const { result } = await this.#must({ kind: Op.sessionLoad }, request, options);
    return new Session((op, cookie) => this.#decide(op, request, { ...options, cookie }), result);
  }

  async decodeSession(data) {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    if (!(bytes instanceof Uint8Array)) throw new TypeError('djedge: the data of a session is a text, or bytes of a cache');
    const { engine, cookie } = this.#config, key = 'djedge0decodes0this0session00000';
    const value = engine === 'signed_cookies' ? new TextDecoder().decode(bytes) : key;
    const request = { method: 'GET', url: 'http://localhost/', headers: new Headers([['cookie', `${cookie}=${value}`]]) };
    const effects = {
      ...this.#effects,
      query: async (statements) => statements.map(() => ({ affected: 1, rows: [[key, new TextDecoder().decode(bytes)]] })),
      storage: async ({ operation }) => ({ found: operation !== 1 || engine === 'cache', value: engine === 'cache' && operation === 1 ? bytes : new Uint8Array(0), flags: 0, modified: 0 }),
    };
    const { result } = await this.#must({ kind: Op.sessionLoad }, request, { effects });
    if (result.items.length === 0) { // as Django has it, which takes data that is not right for an empty session
      const { decision } = await this.#must({ kind: Op.loadUser }, request, { effects });
      if (decision.reason !== 'anonymous') return null;
    }
    return Object.fromEntries(result.items.map((item) => [item.key, parse(item.raw)]));
  }
}

function text(value, name) {
  if (typeof value !== 'string') throw new TypeError(`djedge: ${name} is not a text`);
  return value;
}
