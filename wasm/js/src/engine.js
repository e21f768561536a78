// Runs operations in instances of the module and answers what they ask for.
import { Answer, Effect, Op, decodeAnswer, encodeBegin, encodeResume } from './codec.js';
import { Lost } from './instance.js';
import { Lane, Loaded } from './lane.js';
import { Busy, Gone, patience, unlessGone } from './queue.js';
import { failure } from './reasons.js';

const MAX_ROUNDS = 1000, MAX_YIELDS = 10_000_000;
const MAX_SHARED = 64 << 10; // a longer message leaves the shared instance, where it would keep others waiting
const MAX_ERROR_TEXT = 1024;

/** What was asked for cannot be done here, and why; the operation ends with this. */
export class Undecided extends Error {
  constructor(reason, detail) {
    super(detail);
    this.reason = reason;
  }
}

/** The database says that a value is taken. */
export class Duplicate extends Error {}

class Alone extends Error {} // the operation must not share an instance

const READS = new Set([Op.check, Op.loadUser, Op.permissions, Op.sessionLoad]);
const WRITES = new Set([Op.logout, Op.sessionSave, Op.sessionFlush, Op.sessionCycle, Op.clearExpired, Op.csrfToken, Op.saveUser]);
// These end when their client goes away, at least until they have written.
const MAY_STOP = new Set([Op.check, Op.loadUser, Op.permissions, Op.sessionLoad, Op.authenticate, Op.login, Op.register, Op.changePassword, Op.verifyPassword, Op.makePassword]);

export class Engine {
  #loaded;
  #lanes;
  #config;

  /**
   * @param {WebAssembly.Module} module
   * @param {Array<[string, string]>} settings
   * @param {{ inFlight: number, instances: number, hashInstances: number, wait: number, hashWait: number, queryTimeout: number, memory: number, log: (text: string) => void }} config
   */
  constructor(module, settings, config) {
    this.#config = config;
    const value = (name) => settings.find(([n]) => n === name)?.[1];
    this.readsWrite = value('writes_on_reads') === 'true';
    this.readsFill = value('session_engine') === 'cached_db';
    this.savesAll = value('session_save_every_request') === 'true';
    this.#loaded = new Loaded(module, settings);
    const lane = (name, instances, share, wait, steps, memory) => new Lane(this.#loaded, {
      name, instances, share, wait, patience: patience(config.queryTimeout, config.hashWait), steps, memory, log: config.log,
    });
    const first = this.#loaded.start(200_000_000n); // which shows whether the settings are right
    this.#lanes = {
      reads: lane('reads', 1, config.inFlight, config.wait, 200_000_000n, config.memory),
      writes: lane('writes', config.instances, 1, config.wait, 200_000_000n, config.memory),
      passwords: lane('passwords', config.hashInstances, 1, config.hashWait, 20_000_000_000n, config.memory),
    };
    this.#lanes.reads.adopt(first);
  }

  get columns() { return this.#loaded.columns; }
  get headers() { return this.#loaded.headers; }

  /** Runs an operation. It never fails: what cannot be decided is a result that says so. */
  async do(op, effects, signal) {
    const kind = this.#class(op);
    const run = { op, effects, kind, signal: MAY_STOP.has(op.kind) ? signal : undefined, wrote: false, changed: false, filled: undefined };
    try {
      try {
        return await this.#run(run, kind.lane);
      } catch (error) {
        if (error instanceof Alone) return await this.#run(run, this.#lanes.writes);
        if (!(error instanceof Lost) || run.changed) throw error;
        this.#config.log('djedge: an operation is done again after the loss of its instance');
        return await this.#again(run);
      }
    } catch (error) {
      if (error instanceof Busy) return failure('busy', error.message);
      if (error instanceof Undecided) return failure(error.reason, error.message);
      if (error instanceof Lost || error instanceof Gone) return failure('internal', error.message);
      return failure('internal', `the host failed: ${error?.message ?? error}`);
    }
  }

  #class(op) {
    const { reads, writes, passwords } = this.#lanes;
    if (READS.has(op.kind) && !this.readsWrite) return { lane: reads, again: writes, fills: this.readsFill };
    if (op.kind === Op.sessionSave && !op.session.modified && !this.savesAll) return { lane: reads, again: writes };
    if (READS.has(op.kind) || WRITES.has(op.kind)) return { lane: writes, again: writes, writes: true, sql: op.kind === Op.saveUser };
    return { lane: passwords, again: passwords, writes: true, hashes: true };
  }

  async #again(run) {
    await this.#unfill(run);
    try {
      return await this.#run(run, run.kind.again);
    } catch (error) {
      if (error instanceof Lost) await this.#unfill(run);
      throw error;
    }
  }

  // #unfill takes away what a lost read entered into the cache: it may not have seen that the session ended.
  async #unfill(run) {
    if (run.filled === undefined) return;
    await run.effects.storage({ operation: 4, key: run.filled, value: new Uint8Array(0), flags: 0, ttl: 0 }).catch(() => {});
    run.filled = undefined;
  }

  async #run(run, lane) {
    const seat = await lane.acquire(run.signal);
    const { place, held } = seat, { instance } = place;
    let handle = 0; // of the parked operation
    try {
      const call = (send, frame) => {
        if (lane.shared && !run.wrote && frame.length > MAX_SHARED) {
          frame.fill(0);
          throw new Alone();
        }
        let answer;
        held.since = Date.now();
        try {
          answer = decodeAnswer(send(frame), this.#loaded.statements);
          if (handle && answer.handle && answer.handle !== handle) throw new Error('the answer is for another operation');
        } catch (error) {
          throw lane.lose(place, error);
        }
        handle = answer.handle ?? 0;
        return answer;
      };
      let answer = call((frame) => instance.begin(frame), encodeBegin(start(), run.op));
      let rounds = 0, yields = 0;
      while (!answer.done) {
        const answers = [];
        for (const effect of answer.effects) {
          if (effect.kind === Effect.yield) yields++;
          else rounds++;
          const problem = this.#refuses(run.kind, effect) ?? (rounds > MAX_ROUNDS || yields > MAX_YIELDS ? 'the module asks on and on' : undefined);
          if (problem) throw lane.lose(place, problem);
          answers.push(await this.#answer(run, effect, () => lane.retire(place)));
          if (run.wrote) run.signal = undefined; // what was begun must not stay half done because the client went away
        }
        if (run.signal?.aborted) throw new Gone();
        const parked = handle;
        answer = call((frame) => instance.resume(parked, frame), encodeResume(start(), answers));
      }
      return answer.done;
    } finally {
      if (handle) instance.cancel(handle);
      lane.release(seat);
    }
  }

  // #refuses says why operations of a class do not ask for this. It is what keeps
  // a module that went wrong in a read from writing.
  #refuses(kind, effect) {
    switch (effect.kind) {
      case Effect.query:
        if (effect.atomic && !kind.writes) return 'a read asked for a transaction';
        for (const s of effect.statements) {
          if (s.adHoc && !kind.sql) return `an operation without SQL asked for the statement ${s.name}`;
          if (!kind.writes && this.#writes(s)) return `a read asked for the statement ${s.name}`;
        }
        return;
      case Effect.storage: {
        const fills = kind.fills && (effect.operation === 3 || effect.operation === 4);
        return !kind.writes && effect.operation !== 1 && !fills ? 'a read asked to change what is stored' : undefined;
      }
      case Effect.kdf:
      case Effect.yield:
        return kind.hashes ? undefined : 'an operation without a password asked for a key derivation';
    }
  }

  #writes(statement) { return statement.adHoc || !this.#loaded.statements[statement.index].reads; }

  async #answer(run, effect, wear) {
    const { effects, kind } = run;
    try {
      switch (effect.kind) {
        case Effect.query: {
          if (effect.statements.some((s) => this.#writes(s))) {
            if (run.signal?.aborted) throw new Gone();
            run.changed = run.wrote = true;
          }
          const signal = run.wrote ? undefined : run.signal;
          return { kind: Answer.results, results: await unlessGone(effects.query(effect.statements, effect.atomic, signal), signal) };
        }
        case Effect.kdf: {
          const bytes = await unlessGone(effects.kdf(effect, run.signal), run.wrote ? undefined : run.signal);
          if (bytes) return { kind: Answer.key, bytes };
          if (effect.memory > 1024 || effect.N > 0) wear();
          return { kind: Answer.declined };
        }
        case Effect.random:
          return { kind: Answer.random, bytes: effects.random(effect.count) };
        case Effect.yield:
          await unlessGone(effects.pause(), run.wrote ? undefined : run.signal);
          return { kind: Answer.ok };
        case Effect.storage: {
          if (effect.operation !== 1) {
            run.wrote = true;
            if (kind.writes) run.changed = true;
            else run.filled = effect.key;
          }
          const signal = run.wrote ? undefined : run.signal;
          return { kind: Answer.stored, ...await unlessGone(effects.storage(effect, signal), signal) };
        }
      }
    } catch (error) {
      if (error instanceof Gone || error instanceof Busy || error instanceof Undecided) throw error;
      if (error instanceof Duplicate) return { kind: Answer.duplicate };
      return { kind: Answer.error, text: String(error?.message ?? error).slice(0, MAX_ERROR_TEXT) };
    }
  }
}

const start = () => ({ now: Date.now() * 1000 });
