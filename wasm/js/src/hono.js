// Hono.

/**
 * Lets a request through whose user meets the requirement; the others are answered here.
 * c.get('user') is the user then, c.get('decision') the decision.
 */
export function required(auth, requirement = 'authenticated') {
  return async (c, next) => {
    const decision = await auth.check(c.req.raw, requirement);
    if (!decision.allowed) return decision.response();
    c.set('user', decision.user);
    c.set('decision', decision);
    await next();
    send(c, decision);
  };
}

/** Puts the cookies of a decision onto the response, and that it varies by them. */
export function send(c, decision) {
  for (const cookie of decision.cookies) c.header('Set-Cookie', cookie, { append: true });
  if (decision.vary) c.header('Vary', 'Cookie', { append: true });
}
