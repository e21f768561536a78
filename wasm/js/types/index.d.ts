// Types of the package djedge.

/** What is needed of the runtime's own types, which a project may have from lib.dom, @types/node, or Workers. */
type Global<Name extends string> = typeof globalThis extends { [K in Name]: { prototype: infer T } } ? T : any;

/** A web-standard Request, or one of node:http or Express. */
export type AnyRequest =
  | { readonly method: string; readonly url: string; readonly headers: { get(name: string): string | null; has(name: string): boolean } }
  | { method?: string; url?: string; rawHeaders: string[]; headers: object };

/** A value of the database. Times that are arguments are texts, in UTC, as the database takes them. */
export type Value = null | boolean | number | bigint | string | Uint8Array;
/** A value that a query may answer with; a Date has milliseconds alone. */
export type AnsweredValue = Value | undefined | ArrayBuffer | Date;

/** The answer to one statement. */
export interface QueryResult {
  /** For a SELECT: each row as an array, in the order of the columns. */
  rows?: AnsweredValue[][];
  /** For everything else: how many rows it found, changed or not. */
  affected?: number | bigint;
}

export interface Statement {
  /** Of the statement, the same each time: for logs, or as the name of a prepared statement. */
  name: string;
  sql: string;
  args: Value[];
}

/** Runs statements; see README.md, "Your own query function". */
export interface Query {
  (name: string, sql: string, args: Value[], more: { signal: Global<'AbortSignal'> }): Promise<QueryResult>;
  /** What the database speaks, unless the option dialect says it. */
  dialect?: Dialect;
  /** Several statements, in order; atomic: all of them or none. Needed for everything that writes. */
  batch?(statements: Statement[], more: { atomic: boolean; signal: Global<'AbortSignal'> }): Promise<QueryResult[]>;
}

export type Dialect = 'postgresql' | 'sqlite' | 'mysql';

/** The cache of the engines cache and cached_db. Keys are whole keys, values bytes. */
export interface Cache {
  /** The value, with memcached's flags where there are some; null or undefined when there is none. */
  get(key: string): Promise<Uint8Array | { value: Uint8Array; flags?: number } | null | undefined>;
  set(key: string, value: Uint8Array, seconds: number, flags: number): Promise<unknown>;
  /** Stores the value unless the key is there, and says whether it did. */
  add(key: string, value: Uint8Array, seconds: number, flags: number): Promise<boolean>;
  /** Whether there was one, where the server says so. */
  delete(key: string): Promise<unknown>;
}

export interface KeyDerivation {
  function: 'pbkdf2_sha256' | 'pbkdf2_sha1' | 'argon2d' | 'argon2i' | 'argon2id' | 'bcrypt' | 'scrypt' | 'unknown';
  /** PBKDF2's count, argon2's t or bcrypt's cost. */
  iterations: number;
  /** argon2's m, in KiB. */
  memory: number;
  parallelism: number;
  N: number;
  r: number;
  /** argon2's 16 or 19. */
  version: number;
  /** In bytes. */
  keyLength: number;
}

/** Derives a key, or declines with null: then the module does it. */
export type DeriveKey = (derivation: KeyDerivation, password: Uint8Array, salt: Uint8Array) => Promise<Uint8Array | null>;

/** anyone, authenticated, staff, superuser, permission:app.codename, group:name, or rules for what the rule list says. */
export type Requirement = 'anyone' | 'authenticated' | 'staff' | 'superuser' | 'rules' | `permission:${string}` | `group:${string}`;

export interface Rule {
  /** In capital letters; GET is for HEAD too. All when it is not given. */
  methods?: string[];
  /** A prefix by whole segments. */
  path: string;
  allow: Exclude<Requirement, 'rules'>;
}

export type KeyName = 'key_session' | 'key_session_sha1' | 'key_session_legacy' | 'key_cookie' | 'key_cookie_sha1' | 'key_auth_hash' | 'key_auth_hash_sha1';

export interface Options {
  /** Django's SECRET_KEY. The keys that are needed are derived from it, and it never enters the module. */
  secretKey?: string;
  /** SECRET_KEY_FALLBACKS, newest first. */
  secretKeyFallbacks?: string[];
  /** Derived keys instead, as `djedge keys` prints them. */
  keys?: Partial<Record<KeyName, string | string[]>>;
  /** The site's release, such as "5.2": formats and costs are that release's. */
  djangoVersion?: string;
  /** The last part of SESSION_ENGINE. Default db. */
  engine?: 'db' | 'cached_db' | 'cache' | 'signed_cookies';
  query?: Query;
  /** Needed unless query has a dialect. */
  dialect?: Dialect;
  cache?: Cache;
  /** Who hashes passwords: the runtime where it can (host, the default), the module, or a function. */
  kdf?: 'host' | 'module' | DeriveKey;
  /** For the requirement rules: each a Rule, or a text "METHODS PATH REQUIREMENT". The first that fits decides; a request that none fits needs a login. */
  rules?: Array<Rule | string>;
  /** Origins whose pages may log in and out here, such as https://example.com. */
  publicOrigins?: string[];
  /** Every other setting of djedge by its name in the configuration, such as session_cookie_name. */
  settings?: Record<string, string | number | boolean | string[] | undefined>;
  /** Milliseconds that a statement, or the cache, may take. Default 5000. */
  queryTimeout?: number;
  /** Bytes that the module may use to hash one password. Default 384 MiB, in workerd 64 MiB. */
  hashMemory?: number;
  /** How many passwords are hashed at once. Default 4. */
  hashConcurrency?: number;
  /** Milliseconds that a login waits for its turn to hash. Default 5000. */
  hashTimeout?: number;
  /** How many reads share an instance of the module. Default and most 1000. */
  inFlight?: number;
  /** How many writing operations run at once, each in an instance of its own. Default 4. */
  instances?: number;
  /** Sessions whose user is remembered, to ask for both rows at once. Default 10000. */
  hintEntries?: number;
  /** The module, where it is not loaded from this package. */
  wasm?: object | Uint8Array | ArrayBuffer | Promise<object | Uint8Array | ArrayBuffer> | (() => object | Promise<object>);
  /** Gets a line when the database fails or an instance is lost; no secrets, no values. Default console.error. */
  log?: (line: string) => void;
}

/** A user's row, without the password; times are RFC 3339 in UTC with microseconds. */
export interface User {
  id: number | string;
  username: string;
  email: string;
  is_active: boolean;
  is_staff: boolean;
  is_superuser: boolean;
  first_name: string;
  last_name: string;
  last_login: string | null;
  date_joined: string;
  [column: string]: Value;
}

export type Reason =
  | 'internal' | 'ok' | 'anonymous' | 'no_session' | 'session_unknown' | 'session_corrupt' | 'user_missing' | 'user_inactive' | 'backend_not_allowed'
  | 'auth_hash_mismatch' | 'bad_credentials' | 'not_authenticated' | 'already_authenticated' | 'not_staff' | 'not_superuser' | 'username_taken'
  | 'username_invalid' | 'email_invalid' | 'password_empty' | 'password_invalid' | 'field_invalid' | 'session_deleted' | 'origin_mismatch' | 'cross_site'
  | 'host_not_loopback' | 'content_type' | 'method' | 'bad_request' | 'hash_cost' | 'hash_unsupported' | 'rate_limited' | 'busy' | 'database_unavailable'
  | 'no_randomness' | 'permission_missing' | 'not_in_group' | 'path_ambiguous' | 'password_weak' | 'user_unchecked';

export interface Decision {
  /** error: nothing could be decided, status 503. Only allow lets anybody in. */
  readonly outcome: 'error' | 'allow' | 'deny' | 'redirect';
  readonly allowed: boolean;
  readonly status: number;
  readonly reason: Reason;
  /** For the log alone; never for a client. */
  readonly detail: string;
  readonly identity: { id: string; name: string; email: string; staff: boolean; superuser: boolean } | null;
  /** null when nobody is logged in. */
  readonly user: User | null;
  readonly setHeaders: Array<[name: string, value: string]>;
  readonly removeHeaders: string[];
  /** Values of Set-Cookie. */
  readonly cookies: string[];
  readonly vary: boolean;
  /** Which rule decided, from 1; 0 when none did. */
  readonly rule: number;
  /** With the reason password_weak: what Django would tell the user. */
  readonly messages: string[];
  /** An answer: of a refusal, or 204 with the cookies. */
  response(): Global<'Response'>;
  /** Adds the cookies and Vary to the headers of an answer, and returns them. */
  cookie<H extends { append(name: string, value: string): void }>(headers: H): H;
  /** A copy of a request's headers with our identity headers and no others, for an application behind. Throws unless allowed. */
  identify(headers: Iterable<[string, string]>): Global<'Headers'>;
  /** Whether a header, in any spelling, may come from here alone. */
  owns(name: string): boolean;
}

/** Thrown where there is no decision to give; status 503 means that it could not be found out. */
export class AuthError extends Error {
  readonly status: number;
  readonly reason: Reason;
  readonly decision: Decision;
}

/** The session of one request. */
export interface Session {
  keys(): string[];
  get(key: string): any;
  /** The JSON text that Django stored. */
  raw(key: string): string | undefined;
  set(key: string, value: unknown): void;
  delete(key: string): boolean;
  clear(): void;
  toJSON(): Record<string, any>;
  /** Ends the session at once. */
  flush(): Promise<void>;
  /** Gives it a new key at once. */
  cycleKey(): Promise<void>;
  /** Saves what was changed before a response of this status (default 200) goes out; its cookies belong onto it. */
  save(status?: number): Promise<Decision>;
}

/** Of one request: ends it when its client goes away. Default the request's own signal. */
export interface Client { signal?: Global<'AbortSignal'> }

export interface Auth {
  /** Loads the module and checks the settings, which the first request does else. Not at the global scope of a Worker. */
  ready(): Promise<void>;
  /** Who is asking, and may they. Never fails: what cannot be decided is a decision with outcome error and status 503. */
  check(request: AnyRequest, requirement?: Requirement, client?: Client): Promise<Decision>;
  /** The user of a request, or null for nobody. Throws AuthError when that could not be found out. */
  user(request: AnyRequest, client?: Client): Promise<User | null>;
  permissions(request: AnyRequest, client?: Client): Promise<{ user: User | null; permissions: string[]; groups: string[]; everything: boolean }>;
  login(request: AnyRequest, credentials: { username: string; password: string; csrfToken?: string }, client?: Client): Promise<Decision>;
  logout(request: AnyRequest, form?: { csrfToken?: string }, client?: Client): Promise<Decision>;
  register(request: AnyRequest, credentials: { username: string; password: string; email?: string; csrfToken?: string }, client?: Client): Promise<Decision>;
  /** Of the request's own user, who is then logged out. */
  changePassword(request: AnyRequest, form: { password: string; csrfToken?: string }, client?: Client): Promise<Decision>;
  /** Whether the password is right; nothing is remembered. */
  authenticate(credentials: { username: string; password: string }, client?: Client): Promise<Decision>;
  /** Compares a password with one of Django's hashes. Throws AuthError when that could not be done. */
  verifyPassword(password: string, encoded: string, client?: Client): Promise<boolean>;
  /** A hash as Django's make_password gives it; hasher is an algorithm such as scrypt, default the preferred one. */
  makePassword(password: string, hasher?: string, client?: Client): Promise<string>;
  /** For your own code: nothing checks who asks. */
  setPassword(userID: string | number | bigint, password: string): Promise<void>;
  /** For your own code: nothing checks who asks. */
  saveUser(userID: string | number | bigint, fields: Record<string, Value>): Promise<void>;
  /** A token for the field csrfmiddlewaretoken of a page's forms; the decision may have a cookie. */
  csrfToken(request: AnyRequest, client?: Client): Promise<{ token: string; decision: Decision }>;
  /** Deletes expired sessions, and says how many. */
  clearExpired(): Promise<number>;
  session(request: AnyRequest, client?: Client): Promise<Session>;
  /** What the session_data of a row, or a cache's value, holds; null when its signature is wrong. It says nothing of who the user is: see user. */
  decodeSession(data: string | Uint8Array): Promise<Record<string, any> | null>;
}

/** One Django site. Nothing happens before the first request. Throws a TypeError that names the option that is wrong. */
export function createAuth(options: Options): Auth;
