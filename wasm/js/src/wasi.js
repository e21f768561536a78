// As much of wasi_snapshot_preview1 as the Go runtime inside of djedge.wasm
// calls. There are no files, no arguments and no environment, nothing sleeps,
// and what is printed is the text of a panic.

const OK = 0, BADF = 8, INVAL = 28, NOSYS = 52;

/**
 * The imports of one instance.
 * @param {WebAssembly.Module} module
 * @param {() => ArrayBuffer} memory the instance's, fetched anew for each call since growing detaches it
 * @param {(text: string) => void} print
 */
export function imports(module, memory, print) {
  const view = () => new DataView(memory());
  const nothing = (count, size) => {
    view().setUint32(count, 0, true);
    view().setUint32(size, 0, true);
    return OK;
  };
  const known = {
    sched_yield: () => OK,
    proc_exit: (code) => { throw new Error(`the module ended with code ${code}`); },
    args_sizes_get: nothing,
    args_get: () => OK,
    environ_sizes_get: nothing,
    environ_get: () => OK,
    clock_time_get(_id, _precision, at) {
      view().setBigUint64(at, BigInt(Date.now()) * 1000000n, true);
      return OK;
    },
    random_get(at, length) {
      for (let done = 0; done < length; done += 65536) {
        crypto.getRandomValues(new Uint8Array(memory(), at + done, Math.min(65536, length - done)));
      }
      return OK;
    },
    // The garbage collector asks at times whether something has happened, and takes no error.
    poll_oneoff(_subscriptions, _events, _count, at) {
      view().setUint32(at, 0, true);
      return OK;
    },
    fd_write(fd, vectors, count, at) {
      if (fd !== 1 && fd !== 2) return BADF;
      const v = view();
      let written = 0, text = '';
      for (let i = 0; i < count; i++) {
        const start = v.getUint32(vectors + 8 * i, true), length = v.getUint32(vectors + 8 * i + 4, true);
        text += new TextDecoder().decode(new Uint8Array(memory(), start, length));
        written += length;
      }
      print(text);
      v.setUint32(at, written, true);
      return OK;
    },
    fd_fdstat_get(fd, at) {
      if (fd > 2) return BADF;
      new Uint8Array(memory(), at, 24).fill(0);
      return OK;
    },
    fd_fdstat_set_flags: (fd) => (fd > 2 ? BADF : OK),
    fd_prestat_get: () => BADF,
    fd_prestat_dir_name: () => INVAL,
    fd_close: () => BADF,
    fd_read: () => BADF,
  };
  const wasi = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (from !== 'wasi_snapshot_preview1' || kind !== 'function') {
      throw new Error(`djedge: the module imports ${from}.${name}; djedge.wasm imports functions of wasi_snapshot_preview1 alone`);
    }
    wasi[name] = known[name] ?? (() => NOSYS);
  }
  return { wasi_snapshot_preview1: wasi };
}
