// The conformance kit's adapter protocol (build/conformance) over the package's
// own instances: one function from the body of a call to its answer.
import { Instance } from '../src/instance.js';

const CALLS = [undefined, 'configure', 'begin', 'resume', 'cancel'];
const DROP = 5;

/** @param {() => WebAssembly.Module} module */
export function adapter(module) {
  const instances = new Map();
  return (body) => {
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    const call = view.getUint8(0), number = view.getUint32(1, true), handle = view.getUint32(5, true);
    if (call === 0) {
      instances.set(number, undefined); // made when it is called: some runtimes do not allow it earlier
      return new Uint8Array(0);
    }
    if (call === DROP) {
      instances.delete(number);
      return new Uint8Array(0);
    }
    if (!instances.has(number) || !CALLS[call]) throw new Error('there is no such instance or call');
    let instance = instances.get(number);
    if (!instance) instances.set(number, instance = new Instance(module()));
    const frame = body.slice(9), name = CALLS[call];
    if (name === 'cancel') {
      instance.cancel(handle);
      return new Uint8Array(0);
    }
    return name === 'resume' ? instance.resume(handle, frame) : instance[name](frame);
  };
}
