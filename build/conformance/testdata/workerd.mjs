import module from './djedge.wasm';
import { answer } from './handler.mjs';

export default {
  async fetch(request) {
    try {
      return new Response(answer(module, new Uint8Array(await request.arrayBuffer())));
    } catch (e) {
      return new Response(String(e?.stack ?? e), { status: 500 });
    }
  },
};
