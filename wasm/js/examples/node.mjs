// Express in Node, with PostgreSQL.
import express from 'express';
import { createAuth } from 'djedge';
import { refuse, required, send } from 'djedge/express';
import { pg } from 'djedge/pg';
import postgres from 'pg';
import { options } from './site.mjs';

const pool = new postgres.Pool({ connectionString: process.env.DJEDGE_DATABASE, connectionTimeoutMillis: Number(process.env.DJEDGE_TIMEOUT_MS ?? 5000) });
pool.on('error', (error) => console.error('an idle connection was lost:', error.code));
const auth = createAuth(options(process.env, () => pg(pool)));

const app = express();
app.disable('x-powered-by');
app.use(express.json({ limit: '64kb' }));

const hidden = new Set(['_auth_user_hash', '_csrftoken']);

app.get('/api/me', async (req, res) => {
  const decision = await auth.check(req, 'anyone');
  if (!decision.allowed) return refuse(res, decision);
  const items = {};
  if (decision.user || decision.reason === 'anonymous') {
    const session = await auth.session(req);
    for (const key of session.keys()) {
      if (!hidden.has(key)) items[key] = session.get(key);
    }
  }
  send(res, decision).json({ user: decision.user ?? {}, session: items });
});

const operation = (run) => async (req, res) => {
  const decision = await run(req, req.body ?? {});
  if (decision.allowed) send(res, decision).json({});
  else res.status(decision.reason === 'not_authenticated' ? 400 : decision.status).json({ message: decision.reason });
};
app.post('/api/login', operation((req, { username, password }) => auth.login(req, { username, password })));
app.post('/api/logout', operation((req) => auth.logout(req)));
app.post('/api/register', operation((req, { username, password }) => auth.register(req, { username, password })));
app.post('/api/change-password', operation((req, { password }) => auth.changePassword(req, { password })));

// What an application behind gets.
app.get('/protected', required(auth), (req, res) => {
  const headers = {};
  for (let i = 0; i < req.rawHeaders.length; i += 2) (headers[req.rawHeaders[i]] ??= []).push(req.rawHeaders[i + 1]);
  res.json({ headers });
});

app.use((error, req, res, next) => {
  if (res.headersSent) return next(error);
  if (error instanceof TypeError || error.type) return res.status(error.status ?? 400).json({ message: 'Bad Request' });
  res.status(503).json({ message: 'Service Unavailable' });
});

const server = app.listen(Number(process.env.DJEDGE_PORT ?? 8080), '127.0.0.1', () => console.log('listening', server.address().port));
process.on('SIGTERM', () => process.exit(0));
