// node node.mjs MODULE ARGUMENT...: run a test binary for wasip1. It is not
// node:wasi because that one crashes (SIGSEGV) under the garbage collector of Go.
import { readFileSync } from 'node:fs'
import { webcrypto } from 'node:crypto'

const args = process.argv.slice(2)
let memory
const view = () => new DataView(memory.buffer)
const bytes = (at, n) => new Uint8Array(memory.buffer, at, n)

// strings answers args_get and environ_get.
const strings = (list) => ({
  sizes(count, size) {
    view().setUint32(count, list.length, true)
    view().setUint32(size, list.reduce((n, s) => n + Buffer.byteLength(s) + 1, 0), true)
    return 0
  },
  get(pointers, at) {
    for (const [i, s] of list.entries()) {
      view().setUint32(pointers + 4 * i, at, true)
      const b = Buffer.from(s + '\0')
      bytes(at, b.length).set(b)
      at += b.length
    }
    return 0
  },
})
const argv = strings(args)
const environ = strings([])

class Exit extends Error {
  constructor(code) { super(); this.code = code }
}

const wasi = {
  args_sizes_get: argv.sizes, args_get: argv.get,
  environ_sizes_get: environ.sizes, environ_get: environ.get,
  clock_time_get(id, _, at) {
    view().setBigUint64(at, id === 0 ? BigInt(Date.now()) * 1000000n : process.hrtime.bigint(), true)
    return 0
  },
  random_get(at, n) { webcrypto.getRandomValues(bytes(at, n)); return 0 },
  fd_write(fd, vectors, n, written) {
    let total = 0
    for (let i = 0; i < n; i++) {
      const length = view().getUint32(vectors + 8 * i + 4, true)
      process.stdout.write(Buffer.from(bytes(view().getUint32(vectors + 8 * i, true), length)))
      total += length
    }
    view().setUint32(written, total, true)
    return 0
  },
  fd_fdstat_get(fd, at) { bytes(at, 24).fill(0); view().setUint8(at, 2); return 0 },
  fd_prestat_get: () => 8, // no directories
  poll_oneoff(subscriptions, events, n, written) { view().setUint32(written, 0, true); return 0 },
  sched_yield: () => 0,
  proc_exit(code) { throw new Exit(code) },
}

const module = new WebAssembly.Module(readFileSync(args[0]))
const imports = {}
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  (imports[from] ??= {})[name] = wasi[name] ?? (() => 52) // not supported
}
const instance = new WebAssembly.Instance(module, imports)
memory = instance.exports.memory
try {
  instance.exports._start()
} catch (e) {
  if (!(e instanceof Exit)) throw e
  process.exitCode = e.code
}
