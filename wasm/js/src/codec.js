// The messages between a host and djedge.wasm, as docs/abi.md of the
// repository lays them out. The module is not trusted: what cannot be read
// is an error, and nothing is believed of it.

/** The most bytes that a message may have. */
export const MAX_FRAME = 16 << 20;
const MAX_ELEMENTS = 262144;
const AD_HOC = 0xffffffff;

const CONFIGURE = 1, CONFIGURED = 2, BEGIN = 3, EFFECTS = 4, RESUME = 5, DONE = 6;

/** What an operation may ask for. */
export const Effect = Object.freeze({ query: 1, kdf: 2, random: 3, yield: 4, storage: 5 });
/** What it is answered with. */
export const Answer = Object.freeze({ ok: 1, results: 2, duplicate: 3, error: 4, key: 5, declined: 6, random: 7, stored: 8 });
/** The operations that this package has. */
export const Op = Object.freeze({
  check: 1, loadUser: 2, sessionLoad: 3, authenticate: 4, login: 5, logout: 6, register: 7, changePassword: 8, setPassword: 9, saveUser: 10,
  verifyPassword: 11, makePassword: 12, sessionSave: 14, sessionFlush: 15, sessionCycle: 16, clearExpired: 17, csrfToken: 18, permissions: 19,
});

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

class Writer {
  constructor() {
    this.bytes = new Uint8Array(1024);
    this.view = new DataView(this.bytes.buffer);
    this.length = 0;
  }

  room(n) {
    const need = this.length + n;
    if (need <= this.bytes.length) return;
    if (need > MAX_FRAME) throw new RangeError('djedge: a message for the module is longer than 16 MiB');
    const old = this.bytes;
    this.bytes = new Uint8Array(Math.min(MAX_FRAME, Math.max(need, 2 * old.length)));
    this.view = new DataView(this.bytes.buffer);
    this.bytes.set(old.subarray(0, this.length));
    old.fill(0); // it may have held a password
  }

  u8(n) {
    this.room(1);
    this.bytes[this.length++] = n;
  }

  bool(b) { this.u8(b ? 1 : 0); }

  u32(n) {
    this.room(4);
    this.view.setUint32(this.length, n, true);
    this.length += 4;
  }

  // i64 takes a safe integer or a bigint.
  i64(n) {
    this.room(8);
    if (typeof n === 'bigint') {
      this.view.setBigInt64(this.length, n, true);
    } else {
      this.view.setUint32(this.length, n >>> 0, true);
      this.view.setInt32(this.length + 4, Math.floor(n / 4294967296), true);
    }
    this.length += 8;
  }

  f64(n) {
    this.room(8);
    this.view.setFloat64(this.length, n, true);
    this.length += 8;
  }

  blob(bytes) {
    this.u32(bytes.length);
    this.room(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  text(s) {
    this.room(4 + 3 * s.length);
    const from = this.length + 4, bytes = this.bytes;
    let n = 0;
    if (s.length < 256) {
      for (; n < s.length; n++) {
        const c = s.charCodeAt(n);
        if (c > 127) break;
        bytes[from + n] = c;
      }
    }
    if (n < s.length) n = encoder.encodeInto(s, bytes.subarray(from)).written;
    this.view.setUint32(this.length, n, true);
    this.length = from + n;
  }

  // wire is text as it came over HTTP: each character is a byte, where all of them can be.
  wire(s) {
    for (let i = 0; i < s.length; i++) {
      if (s.charCodeAt(i) > 255) return this.text(s);
    }
    this.u32(s.length);
    this.room(s.length);
    for (let i = 0; i < s.length; i++) this.bytes[this.length++] = s.charCodeAt(i);
  }

  open() {
    this.u32(0);
    return this.length;
  }

  close(at) { this.view.setUint32(at - 4, this.length - at, true); }

  list(elements, write) {
    this.u32(elements.length);
    for (const element of elements) write.call(this, element);
  }

  value(v) {
    switch (typeof v) {
      case 'undefined':
        return this.u8(0);
      case 'boolean':
        this.u8(1);
        return this.bool(v);
      case 'bigint':
        if (BigInt.asIntN(64, v) !== v) throw new RangeError('djedge: a number does not fit 64 bits');
        this.u8(2);
        return this.i64(v);
      case 'number':
        if (Number.isSafeInteger(v)) {
          this.u8(2);
          return this.i64(v);
        }
        if (Number.isInteger(v) && Math.abs(v) < 2 ** 63) {
          throw new RangeError('djedge: an integer beyond 2^53 has lost digits; have the database give a bigint or text');
        }
        this.u8(3);
        return this.f64(v);
      case 'string':
        this.u8(4);
        return this.text(v);
    }
    if (v === null) return this.u8(0);
    if (v instanceof Date) {
      if (Number.isNaN(v.getTime())) throw new RangeError('djedge: a date is none');
      this.u8(6);
      return this.i64(BigInt(v.getTime()) * 1000n);
    }
    const bytes = asBytes(v);
    if (!bytes) throw new TypeError('djedge: a value is neither null, a boolean, a number, a bigint, a string, bytes nor a Date');
    this.u8(5);
    this.blob(bytes);
  }

  start({ now, random }) {
    const at = this.open();
    this.i64(now);
    this.blob(random ?? new Uint8Array(0));
    this.close(at);
  }

  frame() { return this.bytes.subarray(0, this.length); }
}

/** Bytes of any kind as a Uint8Array, or undefined. */
export function asBytes(v) {
  if (v instanceof Uint8Array) return v;
  if (ArrayBuffer.isView(v)) return new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
  if (v instanceof ArrayBuffer) return new Uint8Array(v);
}

function framed(kind, body) {
  const w = new Writer();
  w.u8(kind);
  const at = w.open();
  body(w);
  w.close(at);
  return w.frame();
}

/** @param {Array<[string, string]>} settings */
export function encodeConfigure(settings) {
  return framed(CONFIGURE, (w) => w.list(settings, ([name, value]) => { w.text(name); w.text(value); }));
}

const NO_SESSION = Object.freeze({ key: '', resolved: false, loaded: false, accessed: false, modified: false, items: [] });
const TEXTS = ['userID', 'username', 'password', 'email', 'encoded', 'hasher'];

function putItem(item) {
  this.text(item.key);
  this.text(item.raw);
  this.blob(item.pickled);
}

/** The start of an operation; fields that are not there are empty. */
export function encodeBegin(start, op) {
  return framed(BEGIN, (w) => {
    w.start(start);
    const at = w.open();
    w.u8(op.kind);
    const q = op.request, request = w.open();
    w.text(q?.method ?? '');
    w.wire(q?.uri ?? '');
    w.wire(q?.host ?? '');
    w.text(q?.scheme ?? '');
    w.list(q?.headers ?? [], ([name, value]) => { w.text(name); w.wire(value); });
    w.close(request);
    w.text(op.require ?? '');
    w.value(op.hint);
    if (op.kind !== Op.check && op.kind !== Op.loadUser && op.kind !== Op.permissions) {
      for (const name of TEXTS) w.text(op[name] ?? '');
      w.list(op.fields ?? [], ([column, value]) => { w.text(column); w.value(value); });
      w.text('');
      w.text('');
      const s = op.session ?? NO_SESSION, session = w.open();
      w.text(s.key);
      w.bool(s.resolved);
      w.bool(s.loaded);
      w.bool(s.accessed);
      w.bool(s.modified);
      w.list(s.items, putItem);
      w.i64(op.responseStatus ?? 0);
      w.close(session);
      w.text(op.csrfToken ?? '');
    }
    w.close(at);
  });
}

/** The answers to effects, each { kind, … }. */
export function encodeResume(start, answers) {
  return framed(RESUME, (w) => {
    w.start(start);
    w.list(answers, (a) => {
      w.u8(a.kind);
      const at = w.open();
      switch (a.kind) {
        case Answer.results:
          w.list(a.results, (r) => {
            const result = w.open();
            w.i64(r.affected);
            w.u32(0); // columns are named for SELECT * alone, which no operation sends
            w.list(r.rows, (row) => w.list(row, w.value));
            w.close(result);
          });
          break;
        case Answer.error:
          w.text(a.text);
          break;
        case Answer.key:
        case Answer.random:
          w.blob(a.bytes);
          break;
        case Answer.stored:
          w.bool(a.found);
          w.blob(a.value);
          w.i64(a.flags);
          w.i64(a.modified);
      }
      w.close(at);
    });
  });
}

// Reader takes a message apart. A record may end early, at the edge of a field:
// what is missing is zero. Inside of a list nothing may be missing.
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
    this.end = bytes.length;
    this.elements = MAX_ELEMENTS;
    this.strict = true;
  }

  fail(what) { throw new Error(`the module's message cannot be read: ${what} at byte ${this.at}`); }

  have(n) {
    if (this.end - this.at >= n) return true;
    if (this.strict || this.end > this.at) this.fail('it is cut off');
    return false;
  }

  u8() { return this.have(1) ? this.bytes[this.at++] : 0; }

  bool() {
    const b = this.u8();
    if (b > 1) this.fail('a bool is neither 0 nor 1');
    return b === 1;
  }

  u32() {
    if (!this.have(4)) return 0;
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  // i64 is a number where it is safe, else a bigint.
  i64() {
    if (!this.have(8)) return 0;
    const low = this.view.getUint32(this.at, true), high = this.view.getInt32(this.at + 4, true);
    this.at += 8;
    const n = high * 4294967296 + low;
    return Number.isSafeInteger(n) ? n : this.view.getBigInt64(this.at - 8, true);
  }

  num32() {
    const n = this.i64();
    if (typeof n === 'bigint' || n < 0 || n > 0xffffffff) this.fail('a number is out of range');
    return n;
  }

  // span is text or bytes, in place.
  span() {
    const n = this.u32();
    if (n > this.end - this.at) this.fail('a text is longer than its record');
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  text() {
    const span = this.span();
    if (span.length < 64) {
      let s = '';
      for (let i = 0; i < span.length; i++) {
        if (span[i] > 127) return decoder.decode(span);
        s += String.fromCharCode(span[i]);
      }
      return s;
    }
    return decoder.decode(span);
  }

  // wire is text for HTTP: each byte is a character.
  wire() {
    let s = '';
    for (const b of this.span()) s += String.fromCharCode(b);
    return s;
  }

  blob() { return this.span().slice(); }

  value() {
    const kind = this.u8(), strict = this.strict;
    this.strict = true;
    let v = null;
    switch (kind) {
      case 0: break;
      case 1: v = this.bool(); break;
      case 2: v = this.i64(); break;
      case 3:
        this.have(8);
        this.at += 8;
        v = this.view.getFloat64(this.at - 8, true);
        break;
      case 4: v = this.text(); break;
      case 5: v = this.blob(); break;
      case 6: v = timeText(this.i64()); break;
      default: this.fail('a value is of an unknown kind');
    }
    this.strict = strict;
    return v;
  }

  // list reads elements that take at least size bytes each.
  list(size, read) {
    const n = this.u32(), strict = this.strict, all = [];
    if (n * size > this.end - this.at) this.fail('a list has more elements than bytes');
    if (n > this.elements) this.fail('there are too many elements');
    this.elements -= n;
    this.strict = true;
    for (let i = 0; i < n; i++) all.push(read(this));
    this.strict = strict;
    return all;
  }

  record(read) {
    const n = this.u32(), { end, strict } = this;
    if (n > end - this.at) this.fail('a record is longer than what surrounds it');
    this.end = this.at + n;
    this.strict = false;
    const result = read(this);
    this.at = this.end;
    this.end = end;
    this.strict = strict;
    return result;
  }
}

const value = (r) => r.value();
const text = (r) => r.text();
const wire = (r) => r.wire();

function frame(bytes, read) {
  if (bytes.length > MAX_FRAME) throw new Error("the module's message is longer than 16 MiB");
  const r = new Reader(bytes);
  const kind = r.u8(), length = r.u32();
  if (length !== r.end - r.at) r.fail('its length does not match');
  r.strict = false;
  return read(r, kind);
}

/** Microseconds since 1970 in RFC 3339, in UTC, with all six digits. */
export function timeText(micro) {
  const big = BigInt(micro), rest = ((big % 1000n) + 1000n) % 1000n;
  const date = new Date(Number((big - rest) / 1000n));
  if (Number.isNaN(date.getTime())) throw new Error("the module's message holds a time that is none");
  return date.toISOString().slice(0, -1) + String(rest).padStart(3, '0') + 'Z';
}

/** @returns {{ error: string, statements: Array<{name: string, sql: string}>, columns: Array<{name: string, kind: number}>, headers: string[] }} */
export function decodeConfigured(bytes) {
  return frame(bytes, (r, kind) => {
    if (kind !== CONFIGURED) r.fail('it is of another kind');
    return {
      error: r.text(),
      statements: r.list(8, () => ({ name: r.text(), sql: r.text() })),
      columns: r.list(5, () => {
        const column = { name: r.text(), kind: r.u8() };
        if (column.kind > 7) r.fail('a column is of an unknown kind');
        return column;
      }),
      headers: r.list(4, text),
    };
  });
}

/** An effects frame as { handle, effects }, a done frame as { done }. */
export function decodeAnswer(bytes, statements) {
  return frame(bytes, (r, kind) => {
    switch (kind) {
      case DONE:
        return { done: readDone(r) };
      case EFFECTS: {
        const handle = r.num32();
        const effects = r.list(5, () => readEffect(r, statements));
        if (effects.length === 0 || handle === 0) r.fail('it has no effects');
        return { handle, effects };
      }
    }
    return r.fail('it is neither a result nor effects');
  });
}

function readEffect(r, statements) {
  const kind = r.u8();
  return r.record(() => {
    switch (kind) {
      case Effect.query:
        return { kind, atomic: r.bool(), statements: r.list(4, () => r.record(() => readStatement(r, statements))) };
      case Effect.kdf:
        return {
          kind, function: r.u8(), iterations: r.num32(), memory: r.num32(), parallelism: r.num32(), N: r.num32(), r: r.num32(),
          version: r.num32(), keyLength: r.num32(), password: r.blob(), salt: r.blob(),
        };
      case Effect.random: {
        const count = r.num32();
        if (count > 65536) r.fail('it asks for too much randomness');
        return { kind, count };
      }
      case Effect.yield:
        return { kind };
      case Effect.storage:
        return { kind, operation: r.u8(), key: r.text(), value: r.blob(), flags: r.num32(), ttl: Number(r.i64()) };
    }
    return r.fail('an effect is of an unknown kind');
  });
}

function readStatement(r, statements) {
  const index = r.u32();
  let { name, sql } = statements[index] ?? {};
  if (index === AD_HOC) {
    name = r.text();
    sql = r.text();
  } else if (name === undefined) {
    r.fail('a statement is not in the table');
  }
  return { index, adHoc: index === AD_HOC, name, sql, args: r.list(1, value) };
}

function readDone(r) {
  const d = r.record(() => {
    const outcome = r.u8();
    if (outcome > 3) r.fail('the outcome is unknown');
    const decision = { outcome, status: r.num32(), reason: r.u8(), detail: r.text() };
    const known = r.bool();
    decision.identity = r.record(() => known
      ? { id: r.text(), name: r.text(), email: r.text(), staff: r.bool(), superuser: r.bool() }
      : null);
    decision.setHeaders = r.list(8, () => [r.wire(), r.wire()]);
    decision.removeHeaders = r.list(4, wire);
    decision.cookies = r.list(4, wire);
    decision.vary = r.bool();
    decision.rule = r.num32();
    return decision;
  });
  d.sessionKey = r.text();
  d.row = r.list(1, value);
  d.items = r.list(12, () => ({ key: r.text(), raw: r.text(), pickled: r.blob() }));
  d.text = r.text();
  d.sessionModified = r.bool();
  d.permissions = r.list(4, text);
  d.groups = r.list(4, text);
  d.everything = r.bool();
  return d;
}
