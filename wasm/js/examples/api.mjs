// A small JSON API over the package, as a function from a web-standard request to its response.
const hidden = new Set(['_auth_user_hash', '_csrftoken']);

const messages = {
  bad_credentials: 'Bad username or password',
  user_inactive: "User isn't active",
  already_authenticated: 'Log out first',
  not_authenticated: 'Log in first',
  username_taken: 'The username is already in use',
};

/** @param {import('djedge').Auth} auth */
export function api(auth) {
  const routes = {
    'GET /api/me': async (request) => {
      const decision = await auth.check(request, 'anyone');
      if (!decision.allowed) return refusal(decision);
      const items = {};
      if (decision.user || decision.reason === 'anonymous') {
        const session = await auth.session(request);
        for (const key of session.keys()) {
          if (!hidden.has(key)) items[key] = session.get(key);
        }
      }
      return answer(decision, { user: decision.user ?? {}, session: items });
    },
    'POST /api/login': async (request) => done(await auth.login(request, await body(request))),
    'POST /api/logout': async (request) => done(await auth.logout(request)),
    'POST /api/register': async (request) => done(await auth.register(request, await body(request))),
    'POST /api/change-password': async (request) => done(await auth.changePassword(request, await body(request))),
    // The headers that an application behind gets.
    'GET /protected': async (request) => {
      const decision = await auth.check(request);
      if (!decision.allowed) return decision.response();
      const headers = {};
      for (const [name, value] of decision.identify(request.headers)) (headers[name] ??= []).push(value);
      return answer(decision, { headers });
    },
  };
  return async (request) => {
    const route = routes[`${request.method} ${new URL(request.url).pathname}`];
    if (!route) return Response.json({ message: 'Not Found' }, { status: 404 });
    try {
      return await route(request);
    } catch (error) {
      if (error instanceof BadBody) return Response.json({ message: 'The body must be a JSON object with the fields' }, { status: 400 });
      if (error.decision) return refusal(error.decision);
      console.error(error);
      return Response.json({ message: 'Service Unavailable' }, { status: 503 });
    }
  };
}

class BadBody extends Error {}

async function body(request) {
  let fields;
  try {
    fields = await request.json();
  } catch {
    throw new BadBody();
  }
  if (fields === null || typeof fields !== 'object' || Object.values(fields).some((value) => typeof value !== 'string') || fields.password === undefined) throw new BadBody();
  return { username: '', ...fields };
}

const done = (decision) => (decision.allowed ? answer(decision, {}) : refusal(decision));

const answer = (decision, value) => Response.json(value, { headers: decision.cookie(new Headers({ 'Cache-Control': 'no-store' })) });

function refusal(decision) {
  const status = decision.reason === 'not_authenticated' ? 400 : decision.status;
  return Response.json({ message: messages[decision.reason] ?? `Refused: ${decision.reason}` }, { status, headers: { 'Cache-Control': 'no-store' } });
}
