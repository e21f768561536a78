// What Node, Deno and Bun have.
let compiled;

export const platform = {
  /** The compiled module, compiled once. */
  module() {
    compiled ??= import('node:fs/promises')
      .then(({ readFile }) => readFile(new URL('../djedge.wasm', import.meta.url)))
      .then((bytes) => WebAssembly.compile(bytes))
      .catch((error) => {
        compiled = undefined;
        throw new Error(`djedge.wasm cannot be loaded: ${error.message}`);
      });
    return compiled;
  },
  crypto: () => import('node:crypto').catch(() => null),
  hashMemory: 384 << 20,
};
