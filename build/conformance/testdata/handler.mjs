// A minimal adapter for the test of the kit itself, without the server.
import { wasi } from './wasi.mjs';

const [NEW, CONFIGURE, BEGIN, RESUME, CANCEL, DROP] = [0, 1, 2, 3, 4, 5];

function make(module) {
  const shim = wasi();
  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: shim.imports });
  shim.memory = exports.memory;
  exports._initialize();
  const [buffer, size] = unpack(exports.djedge_buffer());
  const calls = { [CONFIGURE]: exports.djedge_configure, [BEGIN]: exports.djedge_begin, [RESUME]: exports.djedge_resume };
  return (call, handle, frame) => {
    if (call === CANCEL) return exports.djedge_cancel(handle), new Uint8Array();
    const at = frame.length <= size ? buffer : exports.djedge_alloc(frame.length) >>> 0;
    if (at === 0) throw new Error('the module gave no buffer');
    new Uint8Array(exports.memory.buffer).set(frame, at);
    const packed = call === RESUME ? calls[call](handle, at, frame.length) : calls[call](at, frame.length);
    const [start, length] = unpack(packed);
    const answer = new Uint8Array(exports.memory.buffer).slice(start, start + length);
    if (at !== buffer) exports.djedge_free(at);
    return answer;
  };
}

function unpack(packed) {
  const n = BigInt.asUintN(64, packed);
  return [Number(n >> 32n), Number(n & 0xffffffffn)];
}

const instances = new Map();

export function answer(module, body) {
  const view = new DataView(body.buffer, body.byteOffset);
  const call = body[0], number = view.getUint32(1, true), handle = view.getUint32(5, true);
  if (call === NEW) return instances.set(number, make(module)), new Uint8Array();
  if (call === DROP) return instances.delete(number), new Uint8Array();
  return instances.get(number)(call, handle, body.subarray(9));
}
