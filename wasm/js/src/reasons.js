// The reasons of decisions, by their numbers; docs/abi.md lists them.
export const REASONS = Object.freeze([
  'internal', 'ok',
  'anonymous', 'no_session', 'session_unknown', 'session_corrupt', 'user_missing', 'user_inactive', 'backend_not_allowed', 'auth_hash_mismatch',
  'bad_credentials', 'not_authenticated', 'already_authenticated', 'not_staff', 'not_superuser', 'username_taken', 'username_invalid',
  'email_invalid', 'password_empty', 'password_invalid', 'field_invalid', 'session_deleted',
  'origin_mismatch', 'cross_site', 'host_not_loopback', 'content_type', 'method', 'bad_request',
  'hash_cost', 'hash_unsupported', 'rate_limited', 'busy', 'database_unavailable', 'no_randomness',
  'permission_missing', 'not_in_group', 'path_ambiguous', 'password_weak', 'user_unchecked',
]);

/** A result that lets nobody in: what could not be decided, or was refused here. */
export function failure(reason, detail = '', status = 503) {
  return {
    outcome: status >= 500 ? 0 : 2, status, reason: REASONS.indexOf(reason), detail, identity: null, setHeaders: [], removeHeaders: [], cookies: [],
    vary: false, rule: 0, sessionKey: '', row: [], items: [], text: '', sessionModified: false, permissions: [], groups: [], everything: false,
  };
}
