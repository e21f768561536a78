import { readFile } from 'node:fs/promises';
import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import process from 'node:process';
import { answer } from './handler.mjs';

const module = await WebAssembly.compile(await readFile(process.env.DJEDGE_WASM));
const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  let status = 200, body;
  try {
    body = answer(module, Buffer.concat(parts));
  } catch (e) {
    [status, body] = [500, String(e?.stack ?? e)];
  }
  response.writeHead(status, { 'Content-Length': Buffer.byteLength(body) }).end(body);
});
server.keepAliveTimeout = 0; // the kit closes what it does not need
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
