// Puts the repository's djedge.wasm beside the package, after comparing it with its digest.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const modules = new URL('../../../build/modules/', import.meta.url);
const wasm = gunzipSync(readFileSync(new URL('djedge.wasm.gz', modules)));
const [digest] = readFileSync(new URL('djedge.wasm.sha256', modules), 'utf8').split(' ');
if (createHash('sha256').update(wasm).digest('hex') !== digest) throw new Error('djedge.wasm is not what its digest says');
writeFileSync(new URL('../djedge.wasm', import.meta.url), wasm);
