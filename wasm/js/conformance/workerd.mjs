// The conformance kit's adapter for workerd, which compiles modules ahead alone.
import module from '../djedge.wasm';
import { fetchHandler } from './fetch.mjs';

export default { fetch: fetchHandler(() => module) };
