import type { Query } from './index.js';

/** A query function for a D1 binding. */
export function d1(database: { prepare(sql: string): any; batch(statements: any[]): Promise<any> }): Query;
