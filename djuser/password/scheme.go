package password

import "strings"

// scheme is one of Django's hasher classes, with a site's settings.
type scheme interface {
	algorithm() string
	// read plans the verification of a string of this algorithm. Its errors
	// are ErrMalformed and, where a cost fits no parameter, ErrCost.
	read(encoded string) (plan, error)
	// check is ErrCost for parameters above the limits.
	check(Limits, Params) error
	// saltSize is the length of a new salt, in characters or raw bytes.
	saltSize() (n int, text bool)
	// fresh plans a new hash.
	fresh(salt []byte) plan
	// mustUpdate is the class's must_update.
	mustUpdate(encoded string) bool
	// missing is what a stored cost lacks of the default (harden_runtime).
	missing(stored Params) []Params
}

// plan is what one password string asks for.
type plan struct {
	params Params // no function: a digest, which encode computes itself
	salt   []byte
	// accept turns the password into what is hashed; nil keeps its bytes.
	accept func(password []byte) ([]byte, error)
	// encode writes the whole string from the secret and the derived key.
	encode func(secret, key []byte) string
}

func (p plan) secret(password string) ([]byte, error) {
	if p.accept == nil {
		return []byte(password), nil
	}
	return p.accept([]byte(password))
}

// parseCost reads a number as Python's "%d" writes it: any other spelling never
// matches again. A number over 32 bits is above every limit.
func parseCost(s string) (uint32, error) {
	if s == "" || s[0] == '0' {
		return 0, ErrMalformed // zero costs included
	}
	var n uint64
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, ErrMalformed
		}
		n = min(10*n+uint64(c-'0'), 1<<32)
	}
	if n >= 1<<32 {
		return 0, ErrCost
	}
	return uint32(n), nil
}

// fields splits encoded into exactly n fields; what follows the last separator
// is one field, dollar signs and all.
func fields(encoded string, n int) ([]string, error) {
	f := strings.SplitN(encoded, "$", n)
	if len(f) != n {
		return nil, ErrMalformed
	}
	return f, nil
}
