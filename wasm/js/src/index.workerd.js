import { Auth } from './auth.js';
import { platform } from './platform.workerd.js';

export const createAuth = (options) => new Auth(options, platform);
export { AuthError } from './decision.js';
