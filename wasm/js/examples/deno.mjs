// Deno's own server, with PostgreSQL.
import process from 'node:process';
import { createAuth } from 'djedge';
import { pg } from 'djedge/pg';
import postgres from 'pg';
import { api } from './api.mjs';
import { options } from './site.mjs';

const auth = createAuth(options(process.env, (connectionString, timeout) => {
  const pool = new postgres.Pool({ connectionString, connectionTimeoutMillis: timeout });
  pool.on('error', (error) => console.error('an idle connection was lost:', error.code));
  return pg(pool);
}));

Deno.serve({ hostname: '127.0.0.1', port: Number(process.env.DJEDGE_PORT ?? 8080), onListen: ({ port }) => console.log('listening', port) }, api(auth));
