import type { Auth, Decision, Requirement } from './index.js';

/** Middleware that lets a request through whose user meets the requirement; c.get('user') and c.get('decision') are set then, and no header of the client is left under the name of an identity header. */
export function required(auth: Auth, requirement?: Requirement): (c: any, next: () => Promise<void>) => Promise<any>;
/** Puts the cookies of a decision onto the response. */
export function send(c: { header(name: string, value: string, options?: { append?: boolean }): void }, decision: Decision): void;
