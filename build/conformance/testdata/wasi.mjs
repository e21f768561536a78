// The little of WASI preview 1 that djedge.wasm calls: a clock, randomness, and neither files nor arguments.
export function wasi() {
  const shim = { memory: undefined };
  const view = () => new DataView(shim.memory.buffer);
  const none = (...pointers) => {
    for (const p of pointers) view().setUint32(p, 0, true);
    return 0;
  };
  const bad = () => 8; // EBADF
  shim.imports = {
    args_get: () => 0,
    args_sizes_get: none,
    environ_get: () => 0,
    environ_sizes_get: none,
    clock_time_get(id, _precision, at) {
      const ms = id === 0 ? Date.now() : performance.now();
      view().setBigUint64(at, BigInt(Math.round(ms * 1e6)), true);
      return 0;
    },
    random_get(at, length) {
      for (let i = 0; i < length; i += 65536) crypto.getRandomValues(new Uint8Array(shim.memory.buffer, at + i, Math.min(65536, length - i)));
      return 0;
    },
    fd_write(_fd, iovs, count, written) {
      let n = 0;
      for (let i = 0; i < count; i++) n += view().getUint32(iovs + 8 * i + 4, true);
      view().setUint32(written, n, true);
      return 0;
    },
    poll_oneoff(_in, _out, count, events) {
      view().setUint32(events, count, true);
      return 0;
    },
    proc_exit(code) {
      throw new Error(`the module ended with ${code}`);
    },
    sched_yield: () => 0,
    fd_close: bad, fd_read: bad, fd_fdstat_get: bad, fd_fdstat_set_flags: bad, fd_prestat_get: bad, fd_prestat_dir_name: bad,
  };
  return shim;
}
