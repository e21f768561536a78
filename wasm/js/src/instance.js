// One running copy of djedge.wasm. Whatever it does wrong, it is thrown away
// with all of its memory and not called again.
import { imports } from './wasi.js';
import { MAX_FRAME } from './codec.js';

/** The version of the ABI that this package speaks. */
export const ABI = 0;

const EXPORTS = ['_initialize', 'djedge_abi', 'djedge_buffer', 'djedge_alloc', 'djedge_free', 'djedge_configure', 'djedge_begin', 'djedge_resume', 'djedge_cancel'];

/** The instance is gone, and with it the operation. */
export class Lost extends Error {}

export class Instance {
  #exports;
  #memory;
  #fuel;
  #buffer;
  #size;
  #steps;
  #printed = '';
  #lost;

  /**
   * Starts an instance, synchronously.
   * @param {WebAssembly.Module} module
   * @param {bigint} steps how many iterations of loops one call may take
   */
  constructor(module, steps = 1n << 62n) {
    this.#steps = steps;
    const { exports } = new WebAssembly.Instance(module, imports(module, () => this.#memory.buffer, (text) => {
      this.#printed = (this.#printed + text).slice(0, 4096);
    }));
    this.#memory = exports.memory;
    this.#fuel = exports.djedge_fuel;
    if (!(this.#memory instanceof WebAssembly.Memory) || EXPORTS.some((name) => typeof exports[name] !== 'function')) {
      throw new Error('djedge: the module lacks exports: it is no djedge.wasm');
    }
    this.#exports = exports;
    exports._initialize();
    const version = exports.djedge_abi();
    if (version !== ABI) throw new Error(`djedge: the module speaks version ${version} of the ABI, this package ${ABI}`);
    [this.#buffer, this.#size] = unpack(exports.djedge_buffer());
  }

  /** The bytes of its memory, which never shrinks. */
  get memoryBytes() { return this.#lost ? 0 : this.#memory.buffer.byteLength; }

  /** Why it must not be called again, or undefined. */
  get lost() { return this.#lost; }

  /** What it printed, such as the text of a panic. */
  get printed() { return this.#printed; }

  /** Each of these gives the module's answer, or throws Lost. The frame is overwritten with zeros. */
  configure(frame) { return this.#send('djedge_configure', [], frame, false); }
  begin(frame) { return this.#send('djedge_begin', [], frame); }
  resume(handle, frame) { return this.#send('djedge_resume', [handle], frame); }

  cancel(handle) {
    if (this.#lost) return;
    try {
      this.#call('djedge_cancel', handle);
    } catch (error) {
      this.lose(error);
    }
  }

  /** Ends the instance. */
  lose(why) {
    this.#lost ??= why instanceof Error ? why : new Error(String(why));
    this.#exports = this.#memory = this.#fuel = undefined;
    return new Lost(this.#lost.message);
  }

  #call(name, ...args) {
    if (this.#fuel) this.#fuel.value = this.#steps;
    return this.#exports[name](...args);
  }

  #send(name, args, frame, wipe = true) {
    if (this.#lost) throw new Lost(this.#lost.message);
    try {
      const n = frame.length;
      const at = n <= this.#size ? this.#buffer : this.#call('djedge_alloc', n) >>> 0;
      if (at === 0 || n > MAX_FRAME) throw new Error('the module gave no buffer for a message');
      new Uint8Array(this.#memory.buffer, at, n).set(frame);
      const [start, length] = unpack(this.#call(name, ...args, at, n));
      if (length > MAX_FRAME || start + length > this.#memory.buffer.byteLength) throw new Error("the module's answer is outside of its memory");
      const answer = new Uint8Array(this.#memory.buffer.slice(start, start + length)); // before any other call
      if (at !== this.#buffer) this.#call('djedge_free', at);
      return answer;
    } catch (error) {
      throw this.lose(error);
    } finally {
      if (wipe) frame.fill(0); // it may have held a password
    }
  }
}

function unpack(packed) {
  const n = BigInt.asUintN(64, packed);
  return [Number(n >> 32n), Number(n & 0xffffffffn)];
}
