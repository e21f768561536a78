// Places that are taken and given back, with a queue for whoever waits.

/** No place became free in time. */
export class Busy extends Error {}

/** The client went away. */
export class Gone extends Error {
  constructor() { super('the client went away'); }
}

export class Queue {
  #free;
  #wait;
  #waiting = new Set();

  /** @param {number} places @param {number} wait in milliseconds */
  constructor(places, wait) {
    this.#free = places;
    this.#wait = wait;
  }

  /** Waits for a place; leave must follow. Throws Busy or Gone. */
  async enter(what, signal) {
    if (signal?.aborted) throw new Gone();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise((resolve, reject) => {
      const done = (settle, value) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', gone);
        this.#waiting.delete(admit);
        settle(value);
      };
      const admit = () => done(resolve);
      const gone = () => done(reject, new Gone());
      const timer = setTimeout(() => done(reject, new Busy(`${what}: no place became free within ${this.#wait} ms`)), this.#wait);
      signal?.addEventListener('abort', gone);
      this.#waiting.add(admit);
    });
  }

  leave() {
    for (const admit of this.#waiting) return admit(); // the place changes hands
    this.#free++;
  }
}

/** What a promise comes to, or Gone as soon as the signal says so. */
export function unlessGone(promise, signal) {
  if (!signal) return promise;
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(new Gone());
  }
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Gone());
    signal.addEventListener('abort', gone);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', gone));
  });
}
