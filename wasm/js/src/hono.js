// Hono.

/**
 * Lets a request through whose user meets the requirement; the others are answered here.
 * c.get('user') is the user then, c.get('decision') the decision; what the client sent under the name of an identity header, in any spelling, is gone.
 */
export function required(auth, requirement = 'authenticated') {
  return async (c, next) => {
    const decision = await auth.check(c.req.raw, requirement);
    if (!decision.allowed) return decision.response();
    c.set('user', decision.user);
    c.set('decision', decision);
    unforge(c, decision);
    await next();
    send(c, decision);
  };
}

/** Puts the cookies of a decision onto the response, and that it varies by them. */
export function send(c, decision) {
  for (const cookie of decision.cookies) c.header('Set-Cookie', cookie, { append: true });
  if (decision.vary) c.header('Vary', 'Cookie', { append: true });
}

function unforge(c, decision) {
  const { raw } = c.req, headers = new Headers(raw.headers);
  const forged = [...headers.keys()].filter((name) => decision.owns(name));
  if (forged.length === 0) return; // the runtime may know this very request, such as to upgrade it
  for (const name of forged) headers.delete(name);
  c.req.raw = raw.bodyUsed ? new Request(raw.url, { method: raw.method, headers, signal: raw.signal }) : new Request(raw, { headers });
}
