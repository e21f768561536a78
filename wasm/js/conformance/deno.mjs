// The conformance kit's adapter for Deno.
import { fetchHandler } from './fetch.mjs';

const module = new WebAssembly.Module(Deno.readFileSync(Deno.env.get('DJEDGE_WASM')));
Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: ({ port }) => console.log('listening', port) }, fetchHandler(() => module));
