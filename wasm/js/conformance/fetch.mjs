// The adapter as a function of web-standard requests.
import { adapter } from './handler.mjs';

export function fetchHandler(module) {
  const handle = adapter(module);
  return async (request) => {
    const body = new Uint8Array(await request.arrayBuffer());
    try {
      return new Response(handle(body));
    } catch (error) {
      return new Response(String(error?.stack ?? error), { status: 500 });
    }
  };
}
