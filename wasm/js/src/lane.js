// A pool of instances for one class of operations. Reads share one instance,
// which serves the others while one waits for the database; what writes or
// takes a password has an instance of its own.
import { decodeConfigured, encodeConfigure } from './codec.js';
import { Instance } from './instance.js';
import { Queue } from './queue.js';

const MAX_AGE = 3600_000, MAX_REQUESTS = 1_000_000;

/** What all instances have in common: the module, the settings and what the first one made of them. */
export class Loaded {
  #settings;
  #configured;

  /** @param {WebAssembly.Module} module @param {Array<[string, string]>} settings which hold keys */
  constructor(module, settings) {
    this.module = module;
    this.#settings = encodeConfigure(settings).slice();
  }

  /** A configured instance. The error of the first one names a setting that is wrong. */
  start(steps) {
    const instance = new Instance(this.module, steps);
    const answer = instance.configure(this.#settings);
    if (this.#configured) {
      if (!same(answer, this.#configured)) throw instance.lose('an instance understands the settings otherwise than the first one');
      return instance;
    }
    const { error, statements, columns, headers } = decodeConfigured(answer);
    if (error) throw new Error(error);
    const names = new Set(statements.map((s) => s.name));
    if (names.size !== statements.length) throw new Error('two statements of the module have one name');
    for (const s of statements) {
      if (/;\s*\S/.test(s.sql)) throw new Error(`the module's statement ${s.name} is more than one`);
      s.reads = selects(s.sql);
    }
    Object.assign(this, { statements, columns, headers });
    this.#configured = answer;
    return instance;
  }
}

/** Whether a statement is a SELECT that stores its rows nowhere. */
export function selects(sql) {
  return /^\s*select\b/i.test(sql) && !/\binto\b/i.test(sql);
}

function same(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export class Lane {
  #open = [];
  #queue;

  /**
   * @param {Loaded} loaded
   * @param {{ name: string, instances: number, share: number, wait: number, patience: number, steps: bigint, memory: number, log: (text: string) => void }} config
   *   wait and patience in milliseconds, as of a Queue; an instance whose memory has more bytes is replaced
   */
  constructor(loaded, config) {
    this.loaded = loaded;
    this.config = config;
    this.#queue = new Queue(config.instances * config.share, config.wait, config.patience);
  }

  get shared() { return this.config.share > 1; }

  /** Waits for a place in an instance; release must follow. Throws Busy or Gone. Of what it gives, held is the queue's. */
  async acquire(signal) {
    const held = await this.#queue.enter('the module', signal);
    try {
      let place;
      for (const other of this.#open) {
        if (other.inFlight < this.config.share && (!place || other.inFlight < place.inFlight)) place = other;
      }
      place ??= this.adopt(this.loaded.start(this.config.steps));
      place.inFlight++;
      place.served++;
      held.lost = () => this.retire(place);
      return { place, held };
    } catch (error) {
      this.#queue.leave(held);
      throw error;
    }
  }

  /** Takes a running instance into the pool. */
  adopt(instance) {
    const place = { instance, inFlight: 0, served: 0, born: Date.now() };
    this.#open.push(place);
    return place;
  }

  release({ place, held }) {
    place.inFlight--;
    if (place.instance.lost || place.instance.memoryBytes > this.config.memory || place.served >= MAX_REQUESTS || Date.now() - place.born > MAX_AGE) {
      this.retire(place);
    }
    this.#queue.leave(held);
  }

  /** Gives the instance nothing more to do. */
  retire(place) {
    const at = this.#open.indexOf(place);
    if (at >= 0) this.#open.splice(at, 1);
  }

  /** Throws an instance away that answered what makes no sense, or lost itself. */
  lose(place, why) {
    const lost = place.instance.lose(why);
    if (this.#open.includes(place)) {
      this.retire(place);
      this.config.log(`djedge: an instance of the module was lost (${this.config.name}): ${lost.message} ${place.instance.printed}`.trimEnd());
    }
    return lost;
  }
}
