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
  query.batch = async (list, { atomic }) => {
    if (!atomic) return Promise.all(list.map((statement) => run(pool, statement)));
    const client = await pool.connect();
    let failed;
    try {
      await client.query('BEGIN');
      const results = [];
      for (const statement of list) results.push(await run(client, statement));
      await client.query('COMMIT');
      return results;
    } catch (error) {
      await client.query('ROLLBACK').catch((e) => { failed = e; });
      throw error;
    } finally {
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
