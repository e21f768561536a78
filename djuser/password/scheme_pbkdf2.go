package password

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"
)

// pbkdf2Scheme is PBKDF2PasswordHasher and PBKDF2SHA1PasswordHasher:
// algorithm$iterations$salt$base64.
type pbkdf2Scheme struct {
	name     string
	function Function
	size     uint32
	defaults Defaults
	saltRule bool // must_update looks at the salt, since 3.2
}

func (s *pbkdf2Scheme) algorithm() string     { return s.name }
func (s *pbkdf2Scheme) saltSize() (int, bool) { return s.defaults.SaltLength, true }

func (s *pbkdf2Scheme) plan(iterations uint32, salt string) plan {
	prefix := s.name + "$" + strconv.FormatUint(uint64(iterations), 10) + "$" + salt + "$"
	return plan{
		params: Params{Function: s.function, Iterations: iterations, KeyLen: s.size},
		salt:   []byte(salt),
		encode: func(_, key []byte) string { return prefix + base64.StdEncoding.EncodeToString(key) },
	}
}

func (s *pbkdf2Scheme) fresh(salt []byte) plan {
	return s.plan(s.defaults.PBKDF2Iterations, string(salt))
}

func (s *pbkdf2Scheme) read(encoded string) (plan, error) {
	f, err := fields(encoded, 4)
	if err != nil {
		return plan{}, err
	}
	iterations, err := parseCost(f[1])
	if err != nil {
		return plan{}, err
	}
	if f[2] == "" {
		return plan{}, ErrMalformed
	}
	return s.plan(iterations, f[2]), nil
}

func (s *pbkdf2Scheme) check(l Limits, p Params) error {
	// hashlib takes a C long for the count, and OpenSSL an int.
	if p.Iterations > l.PBKDF2Iterations || p.Iterations > math.MaxInt32 {
		return ErrCost
	}
	return nil
}

func (s *pbkdf2Scheme) mustUpdate(encoded string) bool {
	p, err := s.read(encoded)
	return err != nil || p.params.Iterations != s.defaults.PBKDF2Iterations ||
		s.saltRule && shortSalt(string(p.salt))
}

func (s *pbkdf2Scheme) missing(stored Params) []Params {
	if stored.Iterations >= s.defaults.PBKDF2Iterations {
		return nil
	}
	stored.Iterations = s.defaults.PBKDF2Iterations - stored.Iterations
	return []Params{stored}
}

// shortSalt is must_update_salt: fewer than 22 characters have less than 128
// bits, at log2(62) each.
func shortSalt(salt string) bool { return utf8.RuneCountInString(salt) < 22 }
