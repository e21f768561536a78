package password

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/sha2"
)

// bcryptScheme is BCryptSHA256PasswordHasher and BCryptPasswordHasher:
// algorithm$ before bcrypt's own $2b$12$salt+hash. Every prefix is hashed as
// $2b$, as the bcrypt library for Python does.
type bcryptScheme struct {
	name     string
	prehash  bool // of the password's SHA-256 in hex
	library  int  // major version
	defaults Defaults
}

var bcryptBase64 = base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(base64.NoPadding)

func (s *bcryptScheme) algorithm() string     { return s.name }
func (s *bcryptScheme) saltSize() (int, bool) { return bcryptSaltLen, false }

func (s *bcryptScheme) plan(prefix string, cost uint32, salt []byte) plan {
	return plan{
		params: Params{Function: Bcrypt, Iterations: cost, KeyLen: bcryptKeyLen},
		salt:   salt,
		accept: s.accept,
		encode: func(_, key []byte) string {
			return prefix + bcryptBase64.EncodeToString(salt) + bcryptBase64.EncodeToString(key)
		},
	}
}

// accept applies the rules of the site's bcrypt library.
func (s *bcryptScheme) accept(password []byte) ([]byte, error) {
	if s.prehash {
		sum := sha2.Sum256(password)
		return hex.AppendEncode(nil, sum[:]), nil
	}
	if s.library == 3 && bytes.IndexByte(password, 0) >= 0 {
		return nil, errorf.Errorf("%w: it has a NUL byte", ErrPassword)
	}
	if len(password) > 72 {
		if s.library >= 5 {
			return nil, errorf.Errorf("%w: longer than 72 bytes", ErrPassword)
		}
		password = password[:72]
	}
	return password, nil
}

func (s *bcryptScheme) fresh(salt []byte) plan {
	cost := s.defaults.BcryptCost
	return s.plan(s.name+"$$2b$"+twoDigits(cost)+"$", cost, salt)
}

func (s *bcryptScheme) read(encoded string) (plan, error) {
	_, text, _ := strings.Cut(encoded, "$")
	if len(text) != 60 || text[:2] != "$2" || text[3] != '$' || text[6] != '$' {
		return plan{}, ErrMalformed
	}
	minor, tens, ones := text[2], text[4]-'0', text[5]-'0'
	known := minor == 'a' || minor == 'b' || minor == 'y' || minor == 'x' && s.library > 3
	if !known || tens > 9 || ones > 9 {
		return plan{}, ErrMalformed
	}
	cost := 10*uint32(tens) + uint32(ones)
	salt, err := decodeBase64(bcryptBase64, text[7:29])
	if err != nil || cost < 4 || cost > maxBcryptCost {
		return plan{}, ErrMalformed
	}
	return s.plan(strings.TrimSuffix(encoded, text[7:]), cost, salt), nil
}

func (s *bcryptScheme) check(l Limits, p Params) error {
	if p.Iterations > l.BcryptCost {
		return ErrCost
	}
	return nil
}

func (s *bcryptScheme) mustUpdate(encoded string) bool {
	p, err := s.read(encoded)
	return err != nil || p.params.Iterations != s.defaults.BcryptCost
}

// missing is the same work as Django's, which repeats the stored cost c until
// 2^default rounds have run: 2^c + 2^c + 2^(c+1) + … + 2^(default-1).
func (s *bcryptScheme) missing(stored Params) []Params {
	var all []Params
	for ; stored.Iterations < s.defaults.BcryptCost; stored.Iterations++ {
		all = append(all, stored)
	}
	return all
}

// twoDigits writes a cost as bcrypt does: "04", "12".
func twoDigits(n uint32) string {
	text := strconv.Itoa(int(n))
	if len(text) < 2 {
		text = "0" + text
	}
	return text
}
