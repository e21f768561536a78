// Before npm pack: puts the repository's djedge.wasm, compared with its digest, and the license beside the package.
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const repository = new URL('../../../', import.meta.url), own = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const wasm = gunzipSync(readFileSync(new URL('build/modules/djedge.wasm.gz', repository)));
const [digest] = readFileSync(new URL('build/modules/djedge.wasm.sha256', repository), 'utf8').split(' ');
if (createHash('sha256').update(wasm).digest('hex') !== digest) throw new Error('djedge.wasm is not what its digest says');
writeFileSync(own('djedge.wasm.new'), wasm);
renameSync(own('djedge.wasm.new'), own('djedge.wasm'));
copyFileSync(new URL('LICENSE', repository), own('LICENSE'));
