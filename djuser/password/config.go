package password

import (
	"errors"
	"strings"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/version"
)

// Config chooses the rules of one Django site. The zero value is a site of
// [version.Default] with Django's default hashers and a current bcrypt library.
type Config struct {
	// Version is the site's Django release. It decides the default hashers and
	// their costs, and which argon2 types are accepted. Zero is [version.Default].
	Version version.Version
	// Hashers is Django's PASSWORD_HASHERS, preferred first: dotted paths into
	// django.contrib.auth.hashers, class names or algorithm names. Empty is the
	// version's default list. Hashers that Django has removed (sha1,
	// unsalted_md5, unsalted_sha1, crypt) or never lists by itself (bcrypt, md5)
	// are read only when they stand here.
	Hashers []string
	// Bcrypt is the major version of the site's bcrypt library: 3 refuses NUL
	// bytes and the prefix $2x$, 3 and 4 ignore what follows 72 bytes, 5 refuses
	// longer passwords. Zero is 5.
	Bcrypt int
	// Limits bounds the work that a stored hash may ask for.
	Limits Limits
	// PBKDF2Iterations is the count of new hashes, for sites whose hasher class
	// overrides it. Zero is the version's.
	PBKDF2Iterations uint32
}

// Limits bounds the cost of one derivation; a hash above one of them is
// [ErrCost] before any work. A zero field is its default.
type Limits struct {
	PBKDF2Iterations  uint32 // default 4,500,000: three times Django 6.1's
	Argon2Memory      uint32 // KiB, default 262,144 (256 MiB)
	Argon2Time        uint32 // passes, default 10
	Argon2Parallelism uint32 // lanes, default 16
	// ScryptMemory bounds 128*N*r in bytes, default 256 MiB. Django itself
	// refuses more than 32 MiB (OpenSSL's default, which it never raises), and
	// so does this package.
	ScryptMemory      int64
	ScryptParallelism uint32 // default 16
	BcryptCost        uint32 // log2 of the rounds, default 15
	// PasswordBytes bounds a password before it is hashed, default 4096. Django
	// has no such limit (but see its advisory of 2013-09-15).
	PasswordBytes int
}

func (l Limits) orDefaults() Limits {
	or(&l.PBKDF2Iterations, 4_500_000)
	or(&l.Argon2Memory, 256<<10)
	or(&l.Argon2Time, 10)
	or(&l.Argon2Parallelism, 16)
	or(&l.ScryptMemory, 256<<20)
	or(&l.ScryptParallelism, 16)
	or(&l.BcryptCost, 15)
	or(&l.PasswordBytes, 4096)
	return l
}

func or[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// New checks the configuration and returns its hashers. An error begins with
// the name of the setting, as the configuration spells it.
func New(c Config) (*Hashers, error) {
	c.Version = c.Version.Or(version.Default)
	c.Limits = c.Limits.orDefaults()
	or(&c.Bcrypt, 5)
	d := DefaultsOf(c.Version)
	or(&c.PBKDF2Iterations, d.PBKDF2Iterations)
	d.PBKDF2Iterations = c.PBKDF2Iterations
	if c.Bcrypt < 3 || c.Bcrypt > 5 {
		return nil, errorf.Errorf("bcrypt_version: %d is not 3, 4 or 5", c.Bcrypt)
	}
	if c.Limits.ScryptMemory < 0 {
		return nil, errors.New("limit_scrypt_memory: is negative")
	}
	if c.Limits.PasswordBytes < 0 {
		return nil, errors.New("limit_password_bytes: is negative")
	}
	if len(c.Hashers) == 0 {
		c.Hashers = d.Hashers
	}
	h := &Hashers{limits: c.Limits}
	for _, name := range c.Hashers {
		s := newScheme(algorithmOf(name), c, d)
		if s == nil {
			return nil, errorf.Errorf("password_hashers: %q is not one of Django's: name the algorithm that it is made of (%s, …)",
				name, strings.Join(d.Algorithms[:3], ", "))
		}
		if h.scheme(s.algorithm()) == nil {
			h.schemes = append(h.schemes, s)
		}
	}
	preferred := h.schemes[0]
	if err := preferred.check(h.limits, preferred.fresh(dummySalt(preferred)).params); err != nil {
		return nil, errorf.Errorf("password_hashers: the limits (limit_…) refuse the cost of new %s hashes", preferred.algorithm())
	}
	return h, nil
}

// classes names the classes of django.contrib.auth.hashers, less their common
// suffix, by algorithm.
var classes = map[string]string{
	"pbkdf2_sha256": "PBKDF2",
	"pbkdf2_sha1":   "PBKDF2SHA1",
	"argon2":        "Argon2",
	"bcrypt_sha256": "BCryptSHA256",
	"bcrypt":        "BCrypt",
	"scrypt":        "Scrypt",
	"md5":           "MD5",
	"sha1":          "SHA1",
	"unsalted_sha1": "UnsaltedSHA1",
	"unsalted_md5":  "UnsaltedMD5",
	"crypt":         "Crypt",
}

// algorithmOf resolves an entry of PASSWORD_HASHERS, or returns it as it is.
func algorithmOf(name string) string {
	class := strings.TrimPrefix(name, "django.contrib.auth.hashers.")
	if class, ok := strings.CutSuffix(class, "PasswordHasher"); ok {
		for algorithm, c := range classes {
			if c == class {
				return algorithm
			}
		}
	}
	return name
}

// newScheme returns nil for an unknown algorithm.
func newScheme(algorithm string, c Config, d Defaults) scheme {
	saltRule := c.Version.AtLeast(3, 2)
	switch algorithm {
	case "pbkdf2_sha256":
		return &pbkdf2Scheme{algorithm, PBKDF2SHA256, 32, d, saltRule}
	case "pbkdf2_sha1":
		return &pbkdf2Scheme{algorithm, PBKDF2SHA1, 20, d, saltRule}
	case "argon2":
		return &argon2Scheme{d, saltRule}
	case "bcrypt_sha256":
		return &bcryptScheme{algorithm, true, c.Bcrypt, d}
	case "bcrypt":
		return &bcryptScheme{algorithm, false, c.Bcrypt, d}
	case "scrypt":
		return &scryptScheme{d}
	case "md5":
		return &digestScheme{name: algorithm, sum: hexMD5, defaults: d, saltRule: saltRule}
	case "sha1":
		return &digestScheme{name: algorithm, sum: hexSHA1, defaults: d, saltRule: saltRule}
	case "unsalted_md5":
		return &unsaltedScheme{name: algorithm, sum: hexMD5, reads: "md5$$"}
	case "unsalted_sha1":
		return &unsaltedScheme{name: algorithm, sum: hexSHA1, reads: "sha1$$", writes: "sha1$$"}
	case "crypt":
		return cryptScheme{}
	}
	return nil
}
