// The keys that the module needs are derived from SECRET_KEY; the secret itself
// never enters it.

const AUTH_HASH = 'django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash';
const COOKIE = 'django.contrib.sessions.backends.signed_cookiessigner';

/** The names of the settings that hold keys. */
export const KEY_NAMES = Object.freeze(['key_session', 'key_session_sha1', 'key_session_legacy', 'key_cookie', 'key_cookie_sha1', 'key_auth_hash', 'key_auth_hash_sha1']);

/**
 * Settings with every derived key, as `djedge keys` prints them: for each name the current one first, then the fallbacks.
 * @param {string} secret
 * @param {string[]} fallbacks
 * @param {string} saltClass the class name of the site's session store
 * @returns {Promise<Array<[string, string]>>}
 */
export async function deriveKeys(secret, fallbacks, saltClass = 'SessionStore') {
  const session = `django.contrib.sessions.${saltClass}signer`;
  const rings = {
    key_session: ['SHA-256', session],
    key_session_sha1: ['SHA-1', session],
    key_session_legacy: ['SHA-1', `django.contrib.sessions${saltClass}`], // no dot: Django before 3.1
    key_cookie: ['SHA-256', COOKIE],
    key_cookie_sha1: ['SHA-1', COOKIE],
    key_auth_hash: ['SHA-256', AUTH_HASH],
    key_auth_hash_sha1: ['SHA-1', AUTH_HASH],
  };
  const encoder = new TextEncoder(), settings = [];
  for (const name of KEY_NAMES) {
    const [hash, salt] = rings[name];
    for (const key of [secret, ...fallbacks]) {
      const digest = new Uint8Array(await crypto.subtle.digest(hash, encoder.encode(salt + key)));
      settings.push([name, `${hash.toLowerCase().replace('-', '')}:${[...digest].map((b) => b.toString(16).padStart(2, '0')).join('')}`]);
    }
  }
  return settings;
}
