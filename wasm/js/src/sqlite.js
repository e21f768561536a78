// SQLite in the process: node:sqlite (Node 22.5 and later, Deno), bun:sqlite and better-sqlite3.

/**
 * A query function for a DatabaseSync of node:sqlite, a Database of bun:sqlite or of better-sqlite3.
 * Statements are synchronous: others wait meanwhile.
 */
export function sqlite(database) {
  if (typeof database?.prepare !== 'function' || typeof database.exec !== 'function') {
    throw new TypeError('djedge/sqlite: this is no database of node:sqlite, bun:sqlite or better-sqlite3');
  }
  const statements = new Map();
  const prepare = (sql) => {
    let run = statements.get(sql);
    if (!run) {
      run = runner(database, sql);
      if (statements.size < 100) statements.set(sql, run);
    }
    return run;
  };
  const one = ({ sql, args }) => prepare(sql)(args.map((v) => (typeof v === 'boolean' ? Number(v) : Number.isSafeInteger(v) ? BigInt(v) : v)));
  const query = async (name, sql, args) => one({ sql, args });
  query.dialect = 'sqlite';
  query.batch = async (list, { atomic }) => {
    if (!atomic) return list.map(one);
    database.exec('BEGIN IMMEDIATE');
    try {
      const results = list.map(one);
      database.exec('COMMIT');
      return results;
    } catch (error) {
      try {
        database.exec('ROLLBACK');
      } catch { /* it did that itself */ }
      throw error;
    }
  };
  return query;
}

function runner(database, sql) {
  const reads = /^\s*select\b/i.test(sql) || /\breturning\b/i.test(sql);
  const statement = database.prepare(sql);
  if (typeof statement.values === 'function') { // bun:sqlite, which has another raw
    if (reads) return (args) => ({ rows: statement.values(...args), affected: 0 });
  } else if (typeof statement.raw === 'function') { // better-sqlite3
    if (reads) {
      statement.raw(true).safeIntegers(true);
      return (args) => ({ rows: statement.all(...args), affected: 0 });
    }
  } else { // node:sqlite
    statement.setReadBigInts(true);
    statement.setReturnArrays?.(true); // since Node 24
    if (reads) return (args) => ({ rows: statement.all(...args).map((row) => (Array.isArray(row) ? row : Object.values(row))), affected: 0 });
  }
  return (args) => ({ rows: [], affected: Number(statement.run(...args).changes) });
}
