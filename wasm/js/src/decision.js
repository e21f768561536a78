// What an operation came to.
import { REASONS } from './reasons.js';

const OUTCOMES = ['error', 'allow', 'deny', 'redirect'];
const STATUS_TEXT = { 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 405: 'Method Not Allowed', 415: 'Unsupported Media Type', 429: 'Too Many Requests', 503: 'Service Unavailable' };

/** The one form of all names that become the same variable of CGI or WSGI somewhere. */
const spelling = (name) => name.toLowerCase().replace(/[^a-z0-9]/g, '-');

export class Decision {
  constructor(result, columns = []) {
    this.outcome = OUTCOMES[result.outcome];
    this.reason = REASONS[result.reason] ?? 'internal';
    this.status = result.status;
    if (!this.allowed && (this.status < 400 || this.status > 599 || (this.outcome === 'error' && this.status < 500))) this.status = 503;
    this.detail = result.detail;
    this.identity = result.identity;
    this.user = result.row.length === 0 ? null : Object.fromEntries(columns.map(({ name }, i) => [name, result.row[i] ?? null]).filter(([name]) => name !== 'password'));
    this.setHeaders = result.setHeaders;
    this.removeHeaders = result.removeHeaders;
    this.cookies = result.cookies;
    this.vary = result.vary;
    this.rule = result.rule;
    this.messages = this.reason === 'password_weak' && result.text ? result.text.split('\n') : [];
  }

  /** Whether the request may pass: nothing else lets anybody in. */
  get allowed() { return this.outcome === 'allow'; }

  /** An answer for a request that may not pass, or the head of an empty one for one that may. */
  response() {
    const headers = this.cookie(new Headers());
    if (this.allowed) return new Response(null, { status: 204, headers });
    headers.set('Cache-Control', 'no-store');
    headers.set('Content-Type', 'text/plain; charset=utf-8');
    if (this.status === 503) headers.set('Retry-After', '1');
    return new Response(`${STATUS_TEXT[this.status] ?? 'Refused'}\n`, { status: this.status, headers });
  }

  /** Adds the cookies, and that the answer varies by them, to the headers of an answer. */
  cookie(headers) {
    for (const cookie of this.cookies) headers.append('Set-Cookie', cookie);
    if (this.vary) headers.append('Vary', 'Cookie');
    return headers;
  }

  /** Whether a header may come from the rules alone. */
  owns(name) {
    const spelled = spelling(name);
    return this.setHeaders.some(([own]) => spelling(own) === spelled) || this.removeHeaders.some((own) => spelling(own) === spelled);
  }

  /** A copy of a request's headers with our identity headers and no others, for whatever is behind. Throws unless the request may pass. */
  identify(headers) {
    if (!this.allowed) throw new AuthError(this);
    const out = new Headers();
    for (const [name, value] of headers) {
      if (this.owns(name)) continue;
      if (name.toLowerCase() !== 'connection') out.append(name, value);
      else if (this.connection(value)) out.append(name, this.connection(value));
    }
    for (const [name, value] of this.setHeaders) out.set(name, value);
    return out;
  }

  /** A Connection header that does not have a proxy drop ours as hop-by-hop. */
  connection(value) { return value.split(',').map((token) => token.trim()).filter((token) => token && !this.owns(token)).join(', '); }
}

/** Thrown where there is no decision to give: what was asked could not be found out, or was refused. */
export class AuthError extends Error {
  constructor(decision) {
    super(`djedge: ${decision.reason}`);
    this.name = 'AuthError';
    this.status = decision.status;
    this.reason = decision.reason;
    this.decision = decision;
  }
}
