// Places that are taken and given back, with a queue for whoever waits.

/** No place became free in time. */
export class Busy extends Error {}

/** The client went away. */
export class Gone extends Error {
  constructor() { super('the client went away'); }
}

/** How long a place may be kept in milliseconds without a sign of life, by operations that wait at most so long for something. */
export const patience = (...waits) => Math.max(60_000, ...waits.map((wait) => 2 * wait));

export class Queue {
  #places;
  #wait;
  #patience;
  #held = new Set();
  #waiting = new Set();

  /**
   * @param {number} places
   * @param {number} wait in milliseconds
   * @param {number} patience in milliseconds. A Worker's request that has ended is never gone on with, not even to a finally:
   *   what it held would be lost to the others
   */
  constructor(places, wait, patience) {
    this.#places = places;
    this.#wait = wait;
    this.#patience = patience;
  }

  /**
   * Waits for a place; leave with what it gives must follow. Throws Busy or Gone.
   * Of what it gives, since is to be set to now at each sign of life, and lost is called when the place was taken away.
   */
  async enter(what, signal) {
    if (signal?.aborted) throw new Gone();
    if (this.#held.size >= this.#places) this.#takeAway();
    if (this.#held.size < this.#places) return this.#hold();
    return new Promise((resolve, reject) => {
      const done = (settle, value) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', gone);
        this.#waiting.delete(waiter);
        settle(value);
      };
      const gone = () => done(reject, new Gone());
      const timer = setTimeout(() => done(reject, new Busy(`${what}: no place became free within ${this.#wait} ms`)), this.#wait);
      const waiter = { until: Date.now() + this.#wait, admit: () => done(resolve, this.#hold()) };
      signal?.addEventListener('abort', gone);
      this.#waiting.add(waiter);
    });
  }

  leave(held) {
    if (!this.#held.delete(held)) return; // it was taken away
    for (const waiter of this.#waiting) {
      if (waiter.until >= Date.now()) return waiter.admit(); // the place changes hands
      this.#waiting.delete(waiter); // it waits no more, or has ended
    }
  }

  #hold() {
    const held = { since: Date.now(), lost: undefined };
    this.#held.add(held);
    return held;
  }

  #takeAway() {
    for (const held of this.#held) {
      if (Date.now() - held.since <= this.#patience) continue;
      this.#held.delete(held);
      held.lost?.();
    }
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
