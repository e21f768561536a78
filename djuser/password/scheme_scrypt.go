package password

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/djedge/djedge/djsession/version"
)

// scryptScheme is ScryptPasswordHasher: scrypt$n$salt$r$p$base64.
type scryptScheme struct{ defaults Defaults }

func (s *scryptScheme) algorithm() string     { return "scrypt" }
func (s *scryptScheme) saltSize() (int, bool) { return s.defaults.SaltLength, true }

func (s *scryptScheme) plan(n, r, p uint32, salt string) plan {
	number := func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
	prefix := strings.Join([]string{"scrypt", number(n), salt, number(r), number(p), ""}, "$")
	return plan{
		params: Params{Function: Scrypt, N: n, R: r, Parallelism: p, KeyLen: 64},
		salt:   []byte(salt),
		encode: func(_, key []byte) string { return prefix + base64.StdEncoding.EncodeToString(key) },
	}
}

func (s *scryptScheme) fresh(salt []byte) plan {
	d := s.defaults
	if d.ScryptN == 0 {
		d = DefaultsOf(version.Version{Major: 4}) // listed for a release that lacks it
	}
	return s.plan(d.ScryptN, d.ScryptR, d.ScryptP, string(salt))
}

func (s *scryptScheme) read(encoded string) (plan, error) {
	f, err := fields(encoded, 6)
	if err != nil || f[2] == "" {
		return plan{}, ErrMalformed
	}
	var cost [3]uint32
	for i, text := range []string{f[1], f[3], f[4]} {
		if cost[i], err = parseCost(text); err != nil {
			return plan{}, err
		}
	}
	// RFC 7914: N is a power of two, and below 2^(128*r/8).
	if n, r := cost[0], cost[1]; n < 2 || n&(n-1) != 0 || r == 1 && n >= 1<<16 {
		return plan{}, ErrMalformed
	}
	return s.plan(cost[0], cost[1], cost[2], f[2]), nil
}

func (s *scryptScheme) check(l Limits, p Params) error {
	// OpenSSL's default limit, under which Django leaves it (maxmem=0).
	const openSSL = 32 << 20
	memory := p.MemoryBytes()
	if memory > openSSL || memory-128*int64(p.R)*(2+int64(p.Parallelism)) > l.ScryptMemory || p.Parallelism > l.ScryptParallelism {
		return ErrCost
	}
	return nil
}

func (s *scryptScheme) mustUpdate(encoded string) bool {
	p, err := s.read(encoded)
	return err != nil || p.params != s.fresh(nil).params
}

func (s *scryptScheme) missing(Params) []Params { return nil }
