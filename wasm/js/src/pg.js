// PostgreSQL by node-postgres (pg), also over Hyperdrive.

/** A query function for a Pool of pg. */
export function pg(pool) {
  if (typeof pool?.query !== 'function' || typeof pool.connect !== 'function') throw new TypeError('djedge/pg: this is no Pool of pg');
  const run = async (client, { sql, args }) => {
    const { rows, rowCount } = await client.query({ text: sql, values: args.map(argument), rowMode: 'array', types: { getTypeParser } });
    return { rows, affected: rowCount ?? 0 };
  };
  const query = (name, sql, args) => run(pool, { sql, args });
  query.dialect = 'postgresql';
  query.batch = async (list, { atomic, signal }) => {
    // Reads go side by side where there are connections for that; none is opened for them.
    if (!atomic && pool.idleCount >= list.length) return Promise.all(list.map((statement) => run(pool, statement)));
    const client = await pool.connect();
    let failed;
    const lost = (error) => { failed = error; }; // between two statements, where no promise would tell
    client.on('error', lost);
    try {
      if (!atomic) return await Promise.all(list.map((statement) => run(client, statement))); // the client sends them in order
      await client.query('BEGIN');
      const results = [];
      for (const statement of list) results.push(await run(client, statement));
      signal?.throwIfAborted(); // nobody waits for it any more
      await client.query('COMMIT');
      return results;
    } catch (error) {
      if (atomic) await client.query('ROLLBACK').catch((e) => { failed = e; });
      else failed = error; // what was still to be sent is sent no more
      throw error;
    } finally {
      client.off('error', lost);
      client.release(failed); // with an error the connection is not used again
    }
  };
  return query;
}

function argument(v) {
  if (typeof v === 'bigint') return String(v);
  if (v instanceof Uint8Array) return globalThis.Buffer ? globalThis.Buffer.from(v.buffer, v.byteOffset, v.byteLength) : v;
  return v;
}

// The values of Django's tables from PostgreSQL's text, with all the digits of integers and times.
const integer = (text) => {
  const n = Number(text);
  return Number.isSafeInteger(n) ? n : BigInt(text);
};
const PARSERS = {
  16: (text) => text === 't',
  17: (text) => Uint8Array.from((text.slice(2).match(/../g) ?? []), (hex) => parseInt(hex, 16)),
  20: integer,
  21: integer,
  23: integer,
  26: integer,
  700: Number,
  701: Number,
  1114: (text) => time(text, '+00'),
  1184: (text) => time(text),
};

function getTypeParser(oid) { return PARSERS[oid] ?? ((text) => text); }

function time(text, zone = '') {
  const found = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d)?(?::?(\d\d))?$/.exec(text + zone);
  return found ? `${found[1]}T${found[2]}${found[3]}:${found[4] ?? '00'}` : text;
}
