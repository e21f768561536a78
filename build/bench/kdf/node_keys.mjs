// node_keys.mjs GUEST: run a WASI command in V8. The few system calls that a Go program of lines needs are here, because
// those of node:wasi crash under Go's memory-hard hashes.
import { readFileSync, readSync, writeSync } from 'node:fs';
import { randomFillSync } from 'node:crypto';

const OK = 0, EBADF = 8, ENOSYS = 52;
let memory;
const view = () => new DataView(memory.buffer);

function vectors(pointer, count) {
  const v = view();
  return Array.from({ length: count }, (_, i) =>
    new Uint8Array(memory.buffer, v.getUint32(pointer + 8 * i, true), v.getUint32(pointer + 8 * i + 4, true)));
}

function read(buffer) {
  for (;;) {
    try {
      return readSync(0, buffer);
    } catch (e) {
      if (e.code === 'EOF') return 0;
      if (e.code !== 'EAGAIN') throw e;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

const calls = {
  args_sizes_get(count, size) { view().setUint32(count, 0, true); view().setUint32(size, 0, true); return OK; },
  args_get: () => OK,
  environ_sizes_get(count, size) { view().setUint32(count, 0, true); view().setUint32(size, 0, true); return OK; },
  environ_get: () => OK,
  clock_time_get(id, precision, result) {
    view().setBigUint64(result, id === 0 ? BigInt(Date.now()) * 1000000n : process.hrtime.bigint(), true);
    return OK;
  },
  random_get(pointer, length) { randomFillSync(new Uint8Array(memory.buffer, pointer, length)); return OK; },
  fd_read(fd, pointer, count, result) {
    if (fd !== 0) return EBADF;
    view().setUint32(result, read(vectors(pointer, count)[0]), true);
    return OK;
  },
  fd_write(fd, pointer, count, result) {
    if (fd !== 1 && fd !== 2) return EBADF;
    let n = 0;
    for (const bytes of vectors(pointer, count)) n += writeSync(fd, bytes);
    view().setUint32(result, n, true);
    return OK;
  },
  fd_fdstat_get(fd, result) {
    if (fd > 2) return EBADF;
    new Uint8Array(memory.buffer, result, 24).fill(0);
    view().setUint8(result, 2); // a character device
    view().setBigUint64(result + 8, 0xffffffffn, true);
    return OK;
  },
  fd_fdstat_set_flags: () => OK,
  fd_close: () => OK,
  fd_prestat_get: () => EBADF,
  sched_yield: () => OK,
  // Go's garbage collector asks, and ends the program on anything else.
  poll_oneoff(subscriptions, events, count, result) { view().setUint32(result, 0, true); return OK; },
  proc_exit(code) { process.exit(code); },
};

const module = new WebAssembly.Module(readFileSync(process.argv[2]));
const wasi = {};
for (const { name } of WebAssembly.Module.imports(module)) wasi[name] = calls[name] ?? (() => ENOSYS);
const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi });
memory = instance.exports.memory;
instance.exports._start();
