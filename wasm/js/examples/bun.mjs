// Hono in Bun, with PostgreSQL.
import { createAuth } from 'djedge';
import { required } from 'djedge/hono';
import { pg } from 'djedge/pg';
import { Hono } from 'hono';
import postgres from 'pg';
import { api } from './api.mjs';
import { options } from './site.mjs';

const auth = createAuth(options(process.env, (connectionString, timeout) => {
  const pool = new postgres.Pool({ connectionString, connectionTimeoutMillis: timeout });
  pool.on('error', (error) => console.error('an idle connection was lost:', error.code));
  return pg(pool);
}));

const app = new Hono();
app.get('/protected', required(auth), (c) => {
  const headers = {};
  for (const [name, value] of c.get('decision').identify(c.req.raw.headers)) (headers[name] ??= []).push(value);
  return c.json({ headers });
});
app.all('/api/*', (c) => api(auth)(c.req.raw));

const server = Bun.serve({ hostname: '127.0.0.1', port: Number(process.env.DJEDGE_PORT ?? 8080), fetch: app.fetch });
console.log('listening', server.port);
