package password

import (
	"bytes"
	"encoding/hex"
	"strings"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/sha2"
)

// The hashers that protect nothing: Django ships MD5 for its users' tests and
// has removed the others. They cost no work and so have no limits; sites list
// them to let old users in once and hash them anew.

func hexMD5(b []byte) string {
	sum := md5Sum(b)
	return hex.EncodeToString(sum[:])
}

func hexSHA1(b []byte) string {
	return hex.EncodeToString(sha2.SHA1.AppendSum(nil, b))
}

type free struct{}

func (free) check(Limits, Params) error { return nil }
func (free) missing(Params) []Params    { return nil }

// digestScheme is MD5PasswordHasher and SHA1PasswordHasher:
// algorithm$salt$hex of salt and password.
type digestScheme struct {
	free
	name     string
	sum      func([]byte) string
	defaults Defaults
	saltRule bool
}

func (s *digestScheme) algorithm() string     { return s.name }
func (s *digestScheme) saltSize() (int, bool) { return s.defaults.SaltLength, true }

func (s *digestScheme) fresh(salt []byte) plan {
	return plan{
		salt: salt,
		encode: func(secret, _ []byte) string {
			return s.name + "$" + string(salt) + "$" + s.sum(append(salt[:len(salt):len(salt)], secret...))
		},
	}
}

func (s *digestScheme) read(encoded string) (plan, error) {
	f, err := fields(encoded, 3)
	if err != nil || f[1] == "" {
		return plan{}, ErrMalformed
	}
	return s.fresh([]byte(f[1])), nil
}

func (s *digestScheme) mustUpdate(encoded string) bool {
	if !s.saltRule {
		return false
	}
	p, err := s.read(encoded)
	return err != nil || shortSalt(string(p.salt))
}

// unsaltedScheme is UnsaltedMD5PasswordHasher and UnsaltedSHA1PasswordHasher:
// the hex alone, or after a prefix.
type unsaltedScheme struct {
	free
	name   string
	sum    func([]byte) string
	reads  string // the prefix that a stored hash may have
	writes string // the prefix of a new one
}

func (s *unsaltedScheme) algorithm() string      { return s.name }
func (s *unsaltedScheme) saltSize() (int, bool)  { return 0, true }
func (s *unsaltedScheme) mustUpdate(string) bool { return false }

func (s *unsaltedScheme) plan(prefix string) plan {
	return plan{encode: func(secret, _ []byte) string { return prefix + s.sum(secret) }}
}

func (s *unsaltedScheme) fresh([]byte) plan { return s.plan(s.writes) }

func (s *unsaltedScheme) read(encoded string) (plan, error) {
	if strings.HasPrefix(encoded, s.reads) {
		return s.plan(s.reads), nil
	}
	return s.plan(s.writes), nil
}

// cryptScheme is CryptPasswordHasher: crypt$$ and the 13 characters of the
// traditional crypt(3). What stands between the dollar signs is not looked at.
type cryptScheme struct{ free }

// maxCrypt is the most bytes of a password that libxcrypt takes, and with it
// Python's crypt, though only the first eight matter.
const maxCrypt = 511

func (cryptScheme) algorithm() string      { return "crypt" }
func (cryptScheme) saltSize() (int, bool)  { return 2, true }
func (cryptScheme) mustUpdate(string) bool { return false }

func (cryptScheme) plan(prefix, salt string) plan {
	return plan{
		accept: func(password []byte) ([]byte, error) {
			if len(password) > maxCrypt {
				return nil, errorf.Errorf("%w: it has more than %d bytes", ErrPassword, maxCrypt)
			}
			if bytes.IndexByte(password, 0) >= 0 {
				return nil, errorf.Errorf("%w: it has a NUL byte", ErrPassword)
			}
			return password, nil
		},
		encode: func(secret, _ []byte) string {
			hash, _ := cryptDES(secret, salt) // the salt was checked
			return prefix + hash
		},
	}
}

func (s cryptScheme) fresh(salt []byte) plan { return s.plan("crypt$$", string(salt)) }

func (s cryptScheme) read(encoded string) (plan, error) {
	f, err := fields(encoded, 3)
	if err != nil || len(f[2]) != 13 {
		return plan{}, ErrMalformed
	}
	if cryptValue(f[2][0]) < 0 || cryptValue(f[2][1]) < 0 {
		return plan{}, ErrMalformed
	}
	return s.plan("crypt$"+f[1]+"$", f[2][:2]), nil
}
