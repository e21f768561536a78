// The options of createAuth from the environment, for the examples.

/** @param {Record<string, string | undefined>} env @param {(url: string, timeout: number) => import('djedge').Query} database */
export function options(env, database, cache) {
  const timeout = Number(env.DJEDGE_TIMEOUT_MS ?? 5000);
  return {
    secretKey: env.DJEDGE_SECRET_KEY,
    secretKeyFallbacks: (env.DJEDGE_SECRET_KEY_FALLBACKS ?? '').split(',').filter(Boolean),
    djangoVersion: env.DJEDGE_DJANGO_VERSION,
    engine: env.DJEDGE_ENGINE ?? 'db',
    query: database(env.DJEDGE_DATABASE, timeout),
    queryTimeout: timeout,
    settings: { loopback: true },
    ...(cache ? { cache } : {}),
  };
}
