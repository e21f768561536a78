package djuser

import (
	"crypto/subtle"
	"encoding/hex"

	"github.com/djedge/djedge/djsession/signing"
)

// SessionAuthHash is Django's get_session_auth_hash for a password column, in
// lower-case hex: the value that ends a user's sessions when the password
// changes. Without a key it is "", which is never a session's hash.
func SessionAuthHash(key signing.Key, password string) string {
	if key.IsZero() {
		return ""
	}
	return hex.EncodeToString(key.MAC([]byte(password)))
}

// authKey is the key of new hashes: SHA-1 before Django 3.1, and with its
// DEFAULT_HASHING_ALGORITHM = "sha1".
func (u *Users) authKey() signing.Key {
	if u.settings.Version.AtLeast(3, 1) && u.store.Settings().DefaultHashingAlgorithm != signing.SHA1 {
		return u.settings.Keys.AuthHash.Current
	}
	return u.settings.Keys.AuthHashSHA1.Current
}

// SessionAuthHash is the session auth hash of a password column with the
// current key, as the configured version writes it. It is remembered by the
// whole column: another password, or the same one hashed anew, is another.
func (u *Users) SessionAuthHash(password string) string {
	hash, ok := u.hashes.Get(password)
	if !ok {
		hash = SessionAuthHash(u.authKey(), password)
		u.hashes.Put(password, len(hash), func() string { return hash })
	}
	return hash
}

// SessionAuthFallbackHashes is the same with each of SECRET_KEY_FALLBACKS
// (Django 4.1).
func (u *Users) SessionAuthFallbackHashes(password string) []string {
	if !u.settings.Version.AtLeast(4, 1) {
		return nil
	}
	var hashes []string
	for _, key := range u.settings.Keys.AuthHash.Fallbacks {
		hashes = append(hashes, SessionAuthHash(key, password))
	}
	return hashes
}

// verifyAuthHash compares a session's hash. Fallback says that it was made
// with an old key. Django 3.1 and 3.2 also take SHA-1, without rewriting it.
func (u *Users) verifyAuthHash(hash, password string) (ok, fallback bool) {
	if equal(hash, u.SessionAuthHash(password)) {
		return true, false
	}
	v := u.settings.Version
	if v.AtLeast(3, 1) && !v.AtLeast(4, 0) && equal(hash, SessionAuthHash(u.settings.Keys.AuthHashSHA1.Current, password)) {
		return true, false
	}
	for _, other := range u.SessionAuthFallbackHashes(password) {
		if equal(hash, other) {
			return true, true
		}
	}
	return false, false
}

// equal compares in constant time; "" equals nothing.
func equal(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
