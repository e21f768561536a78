import type { Query } from './index.js';

/** A query function for a Pool of pg. */
export function pg(pool: { query(...args: any[]): any; connect(): Promise<any> }): Query;
