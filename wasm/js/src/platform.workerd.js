// What workerd has: modules are compiled ahead, and an isolate has 128 MB.
import wasm from '../djedge.wasm';

export const platform = {
  module: () => wasm,
  // There with the compatibility flag nodejs_compat.
  crypto: () => globalThis.process?.getBuiltinModule?.('node:crypto') ?? null,
  hashMemory: 64 << 20,
};
