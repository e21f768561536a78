package signing

// Algorithm is the hash behind a key. The zero value is SHA256.
type Algorithm uint8

const (
	SHA256 Algorithm = iota
	SHA1             // Django before 3.1
)

// Key is hash(salt + SECRET_KEY): all that signing needs of the secret. The
// zero Key signs and verifies nothing.
type Key struct {
	alg Algorithm
	sum []byte
}

// Ring is a key and its fallbacks, oldest last (SECRET_KEY_FALLBACKS).
type Ring struct {
	Current   Key
	Fallbacks []Key
}

// Keys is every derived key that djedge uses. SECRET_KEY itself is not kept.
// A ring that a Django version does not need may be left zero.
type Keys struct {
	Session       Ring // session_data since Django 3.1
	SessionSHA1   Ring // the same salt with SHA-1, read by 3.1 and 3.2
	SessionLegacy Ring // session_data before 3.1 (hex signature)
	Cookie        Ring // signed_cookies sessions
	CookieSHA1    Ring
	AuthHash      Ring // the session auth hash
	AuthHashSHA1  Ring
}

// Salts of Django's constants.
const (
	AuthHashSalt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
	CookieSalt   = "django.contrib.sessions.backends.signed_cookies"
)
