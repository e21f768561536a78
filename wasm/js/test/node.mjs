// The suite in Node, Deno and Bun: DJEDGE_SITE is what site.py printed, DJEDGE_DATABASE its file.
import { readFileSync } from 'node:fs';
import { createAuth } from '../src/index.js';
import { platform } from '../src/platform.js';
import { remote } from './remote.js';
import { sqlite } from '../src/sqlite.js';
import { suite } from './suite.js';

const site = JSON.parse(readFileSync(process.env.DJEDGE_SITE, 'utf8'));
if (process.env.DJEDGE_CHAOS) site.chaos = readFileSync(process.env.DJEDGE_CHAOS);

async function database() {
  if (process.env.DJEDGE_REMOTE) return remote(process.env.DJEDGE_REMOTE);
  if (globalThis.Bun) return sqlite(new (await import('bun:sqlite')).Database(process.env.DJEDGE_DATABASE));
  return sqlite(new (await import('node:sqlite')).DatabaseSync(process.env.DJEDGE_DATABASE));
}

const result = await suite({ createAuth, platform, site, query: await database(), name: process.env.DJEDGE_NAME });
console.log(JSON.stringify(result));
process.exit(0);
