// What the rules see of a request: web-standard ones, and those of node:http
// and Express.

/** @param {Set<string>} wanted lower-case names of the headers that the rules look at */
export function summary(request, wanted) {
  if (Array.isArray(request?.rawHeaders)) return fromNode(request, wanted);
  if (typeof request?.headers?.get === 'function' && typeof request.url === 'string') return fromWeb(request, wanted);
  throw new TypeError('djedge: this is no request: neither a web-standard Request nor one of node:http');
}

function fromNode(request, wanted) {
  const headers = [];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i].toLowerCase();
    if (wanted.has(name)) headers.push([name, request.rawHeaders[i + 1]]);
  }
  // Express' protocol knows of proxies that it was told to trust.
  const scheme = typeof request.protocol === 'string' ? request.protocol : request.socket?.encrypted ? 'https' : 'http';
  return {
    method: request.method ?? '',
    uri: request.originalUrl ?? request.url ?? '',
    host: request.headers?.host ?? request.headers?.[':authority'] ?? '',
    scheme: scheme.replace(/:$/, ''),
    headers,
  };
}

function fromWeb(request, wanted) {
  const headers = [];
  for (const name of wanted) {
    const value = request.headers.get(name);
    if (value !== null) headers.push([name, value]);
  }
  const { method } = request;
  if (method !== 'GET' && method !== 'HEAD' && !request.headers.has('content-length') && !request.headers.has('transfer-encoding') && request.body) {
    headers.push(['transfer-encoding', 'chunked']);
  }
  const [, scheme = '', authority = '', uri = ''] = /^([a-z]+):\/\/([^/?#]*)([^#]*)/i.exec(request.url) ?? [];
  return { method, uri: uri.startsWith('/') ? uri : `/${uri}`, host: request.headers.get('host') ?? authority, scheme: scheme.toLowerCase(), headers };
}

/** The session key of the cookie header, for hints: it decides nothing, and need not be read quite as the rules do. */
export function cookieValue(headers, name) {
  for (const [header, value] of headers) {
    if (header !== 'cookie') continue;
    for (const pair of value.split(';')) {
      const at = pair.indexOf('=');
      if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
    }
  }
  return '';
}
