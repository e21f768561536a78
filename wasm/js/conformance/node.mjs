// The conformance kit's adapter for Node.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { adapter } from './handler.mjs';

const module = new WebAssembly.Module(readFileSync(process.env.DJEDGE_WASM));
const handle = adapter(() => module);

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    let status = 200, answer;
    try {
      answer = handle(new Uint8Array(Buffer.concat(parts)));
    } catch (error) {
      status = 500;
      answer = Buffer.from(String(error?.stack ?? error));
    }
    response.writeHead(status, { 'Content-Length': answer.length });
    response.end(answer);
  });
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => console.log('listening', server.address().port));
process.on('SIGTERM', () => process.exit(0));
