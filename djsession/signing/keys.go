package signing

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/sha2"
)

// Algorithm is the hash behind a key. The zero value is SHA256.
type Algorithm uint8

const (
	SHA256 Algorithm = iota
	SHA1             // Django before 3.1
	SHA512           // only by a site's own choice
)

var algorithms = [...]struct {
	name string
	hash sha2.Hash
}{
	SHA256: {"sha256", sha2.SHA256},
	SHA1:   {"sha1", sha2.SHA1},
	SHA512: {"sha512", sha2.SHA512},
}

// String is Python's name of the algorithm: "sha256", "sha1" or "sha512".
func (a Algorithm) String() string {
	if int(a) >= len(algorithms) {
		return "algorithm " + strconv.Itoa(int(a))
	}
	return algorithms[a].name
}

// ParseAlgorithm is the inverse of [Algorithm.String].
func ParseAlgorithm(name string) (Algorithm, error) {
	for a := range algorithms {
		if algorithms[a].name == name {
			return Algorithm(a), nil
		}
	}
	return 0, errorf.Errorf("algorithm %q is not sha256, sha1 or sha512", name)
}

func (a Algorithm) hash() sha2.Hash { return algorithms[a].hash }

// Key is hash(salt + SECRET_KEY): all that signing needs of the secret. The
// zero Key signs and verifies nothing. A Key may be used by several goroutines
// at once, and prints itself as "[key]".
type Key struct {
	// A pointer, because fmt calls no methods on unexported fields: a Key
	// inside somebody's struct then prints an address, never the bytes.
	secret *secret
}

type secret struct {
	alg  Algorithm
	sum  []byte
	hmac *sha2.HMAC
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

// Derive is the key of Django's salted_hmac: alg(salt + secret). A Signer
// appends "signer" to its salt; that is left to the caller.
func Derive(alg Algorithm, salt, secret string) Key {
	return newKey(alg, alg.hash().AppendSum(nil, []byte(salt+secret)))
}

func newKey(alg Algorithm, sum []byte) Key {
	return Key{&secret{alg: alg, sum: sum, hmac: sha2.NewHMAC(alg.hash(), sum)}}
}

// DeriveKeys derives every key from SECRET_KEY and SECRET_KEY_FALLBACKS.
// saltClass is the class name of the session store, which Django makes part of
// its salt; "" is Django's own, "SessionStore".
func DeriveKeys(saltClass, secret string, fallbacks []string) Keys {
	if saltClass == "" {
		saltClass = "SessionStore"
	}
	ring := func(alg Algorithm, salt string) Ring {
		r := Ring{Current: Derive(alg, salt, secret)}
		for _, f := range fallbacks {
			r.Fallbacks = append(r.Fallbacks, Derive(alg, salt, f))
		}
		return r
	}
	session := "django.contrib.sessions." + saltClass + "signer"
	return Keys{
		Session:       ring(SHA256, session),
		SessionSHA1:   ring(SHA1, session),
		SessionLegacy: ring(SHA1, "django.contrib.sessions"+saltClass), // no dot: Django before 3.1
		Cookie:        ring(SHA256, CookieSalt+"signer"),
		CookieSHA1:    ring(SHA1, CookieSalt+"signer"),
		AuthHash:      ring(SHA256, AuthHashSalt),
		AuthHashSHA1:  ring(SHA1, AuthHashSalt),
	}
}

// DeriveCookie is the key of HttpRequest.get_signed_cookie(name, salt=salt), which
// signs with a timestamp. Salt and name cannot be confused since Django gives
// the salt's length (CVE-2026-6873).
func DeriveCookie(name, salt, secret string) Key {
	return Derive(SHA256, errorf.Sprintf("django.http.cookies.v2:%d:%s%ssigner", utf8.RuneCountInString(salt), salt, name), "django.http.cookies"+secret)
}

// IsZero reports whether k is the zero Key.
func (k Key) IsZero() bool { return k.secret == nil }

// MAC is the HMAC of msg, such as 32 bytes with SHA-256; nil for the zero Key.
func (k Key) MAC(msg []byte) []byte {
	if k.IsZero() {
		return nil
	}
	return k.AppendMAC(make([]byte, 0, k.secret.alg.hash().Size()), msg)
}

// AppendMAC appends the HMAC of msg to dst, and allocates nothing when there is
// room for it. The zero Key appends nothing.
func (k Key) AppendMAC(dst, msg []byte) []byte {
	if k.IsZero() {
		return dst
	}
	return k.secret.hmac.Append(dst, msg)
}

// SaltedHMAC is Django's salted_hmac(keySalt, value, secret).digest().
func SaltedHMAC(alg Algorithm, keySalt, value, secret string) []byte {
	return Derive(alg, keySalt, secret).MAC([]byte(value))
}

// Export is the key as configuration holds it, such as "sha256:<hex>"; "" for
// the zero Key. The text is a secret.
func (k Key) Export() string {
	if k.IsZero() {
		return ""
	}
	return k.secret.alg.String() + ":" + string(appendHex(nil, k.secret.sum))
}

// ParseKey reads what [Key.Export] wrote. The error does not repeat s.
func ParseKey(s string) (Key, error) {
	name, digits, _ := strings.Cut(s, ":")
	alg, err := ParseAlgorithm(name)
	if err != nil {
		return Key{}, errors.New(`a derived key begins with "sha256:", "sha1:" or "sha512:"`)
	}
	sum := make([]byte, alg.hash().Size())
	if len(digits) != 2*len(sum) {
		return Key{}, wrongKey(alg, sum)
	}
	for i := range sum { // encoding/hex would bring fmt into the module
		b, err := strconv.ParseUint(digits[2*i:2*i+2], 16, 8)
		if err != nil {
			return Key{}, wrongKey(alg, sum)
		}
		sum[i] = byte(b)
	}
	return newKey(alg, sum), nil
}

func wrongKey(alg Algorithm, sum []byte) error {
	return errorf.Errorf("a derived %s key has %d hexadecimal digits", alg, 2*len(sum))
}

const redacted = "[key]"

// String is "[key]".
func (k Key) String() string { return redacted }

// GoString is "[key]".
func (k Key) GoString() string { return redacted }

// MarshalText is "[key]", so that no encoder writes a key by accident; see [Key.Export].
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }
