// A minimal adapter, for the test of the kit itself: one runtime that needs nothing but Node.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { wasi } from './wasi.mjs';

const [NEW, CONFIGURE, BEGIN, RESUME, CANCEL, DROP] = [0, 1, 2, 3, 4, 5];
const module = await WebAssembly.compile(await readFile(process.env.DJEDGE_WASM));
const instances = new Map();

function make() {
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

function answer(body) {
  const call = body.readUInt8(0), number = body.readUInt32LE(1), handle = body.readUInt32LE(5);
  if (call === NEW) return instances.set(number, make()), new Uint8Array();
  if (call === DROP) return instances.delete(number), new Uint8Array();
  return instances.get(number)(call, handle, body.subarray(9));
}

const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  let status = 200, body;
  try {
    body = answer(Buffer.concat(parts));
  } catch (e) {
    [status, body] = [500, String(e?.stack ?? e)];
  }
  response.writeHead(status, { 'Content-Length': Buffer.byteLength(body) }).end(body);
});
server.keepAliveTimeout = 0; // the kit closes what it does not need
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
