// Cloudflare D1.

/** A query function for a D1 binding. A group of statements is one batch, which D1 runs in a transaction. */
export function d1(database) {
  if (typeof database?.prepare !== 'function' || typeof database.batch !== 'function') throw new TypeError('djedge/d1: this is no D1 binding');
  const bind = ({ sql, args }) => database.prepare(sql).bind(...args.map(argument));
  const query = async (name, sql, args) => {
    if (/^\s*select\b/i.test(sql)) return { rows: await bind({ sql, args }).raw(), affected: 0 };
    return { rows: [], affected: (await bind({ sql, args }).run()).meta.changes };
  };
  query.dialect = 'sqlite';
  query.batch = async (list) => {
    const results = await database.batch(list.map(bind));
    // In a batch rows are objects; the rules name every column once.
    return results.map(({ results: rows, meta }) => ({ rows: (rows ?? []).map(Object.values), affected: meta.changes }));
  };
  return query;
}

// D1 takes no bigint.
function argument(v) {
  if (typeof v === 'bigint') throw new RangeError('djedge/d1: D1 has no integers beyond 2^53');
  return typeof v === 'boolean' ? Number(v) : v;
}
