import type { Auth, Decision, Requirement } from './index.js';

/** Middleware that lets a request through whose user meets the requirement; req.user and req.decision are set then. */
export function required(auth: Auth, requirement?: Requirement): (req: any, res: any, next: (error?: unknown) => void) => Promise<void>;
/** Puts the cookies of a decision onto a response. */
export function send<R extends object>(res: R, decision: Decision): R;
/** Answers with the status of a decision that lets nobody in. */
export function refuse(res: object, decision: Decision): void;
