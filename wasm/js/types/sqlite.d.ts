import type { Query } from './index.js';

/** A query function for a database of node:sqlite, bun:sqlite or better-sqlite3. */
export function sqlite(database: { prepare(sql: string): any; exec(sql: string): any }): Query;
