// A Worker with PostgreSQL, as behind Hyperdrive.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createAuth } from 'djedge';
import { pg } from 'djedge/pg';
import { Pool } from 'pg';
import { api } from './api.mjs';
import { options } from './site.mjs';

// In a Worker a connection belongs to the request that opened it. The rules do not: they are kept, and ask the request's own pool.
const current = new AsyncLocalStorage();
const query = (...args) => pg(current.getStore())(...args);
query.batch = (...args) => pg(current.getStore()).batch(...args);
query.dialect = 'postgresql';

let handle;

export default {
  async fetch(request, env, context) {
    handle ??= api(createAuth(options(env, () => query)));
    const pool = new Pool({ connectionString: env.DJEDGE_DATABASE, max: 2, connectionTimeoutMillis: Number(env.DJEDGE_TIMEOUT_MS ?? 5000) });
    pool.on('error', () => {});
    try {
      return await current.run(pool, () => handle(request));
    } finally {
      context.waitUntil(pool.end().catch(() => {}));
    }
  },
};
