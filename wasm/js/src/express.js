// Express 4 and 5, and anything else with node:http's requests and (req, res, next).

/**
 * Lets a request through whose user meets the requirement; the others are answered here (401, 403, 503) and not to be cached.
 * req.user is the user then, req.decision the decision, and of the identity headers req has ours alone.
 */
export function required(auth, requirement = 'authenticated') {
  return async (req, res, next) => {
    let decision;
    try {
      decision = await auth.check(req, requirement);
    } catch (error) {
      next(error);
      return;
    }
    send(res, decision);
    if (!decision.allowed) {
      refuse(res, decision);
      return;
    }
    req.user = decision.user;
    req.decision = decision;
    identify(req, decision);
    next();
  };
}

/** Puts the cookies of a decision onto a response, and that it varies by them. */
export function send(res, decision) {
  for (const cookie of decision.cookies) res.appendHeader('Set-Cookie', cookie);
  if (decision.vary) res.appendHeader('Vary', 'Cookie');
  return res;
}

/** Answers with the status of a decision that lets nobody in. */
export function refuse(res, decision) {
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  if (decision.status === 503) res.setHeader('Retry-After', '1');
  res.statusCode = decision.allowed ? 503 : decision.status;
  res.end('Refused\n');
}

// identify gives a request of node:http our identity headers and no others.
function identify(req, decision) {
  const raw = [];
  for (let i = 0; i + 1 < req.rawHeaders.length; i += 2) {
    let [name, value] = [req.rawHeaders[i], req.rawHeaders[i + 1]];
    if (decision.owns(name)) continue;
    if (name.toLowerCase() === 'connection') value = decision.connection(value);
    if (value !== '' || name.toLowerCase() !== 'connection') raw.push(name, value);
  }
  for (const name of Object.keys(req.headers)) {
    if (decision.owns(name)) delete req.headers[name];
  }
  if (req.headers.connection !== undefined) req.headers.connection = decision.connection(req.headers.connection);
  for (const [name, value] of decision.setHeaders) {
    req.headers[name.toLowerCase()] = value;
    raw.push(name, value);
  }
  req.rawHeaders = raw;
  req.headersDistinct = {}; // Node would make it of as many raw ones as there were
  for (let i = 0; i < raw.length; i += 2) (req.headersDistinct[raw[i].toLowerCase()] ??= []).push(raw[i + 1]);
}
