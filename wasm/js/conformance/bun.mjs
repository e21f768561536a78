// The conformance kit's adapter for Bun.
import { readFileSync } from 'node:fs';
import { fetchHandler } from './fetch.mjs';

const module = new WebAssembly.Module(readFileSync(process.env.DJEDGE_WASM));
const server = Bun.serve({ hostname: '127.0.0.1', port: 0, maxRequestBodySize: 32 << 20, idleTimeout: 0, fetch: fetchHandler(() => module) });
console.log('listening', server.port);
