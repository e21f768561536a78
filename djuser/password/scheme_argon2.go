package password

import (
	"encoding/base64"
	"strings"

	"github.com/djedge/djedge/djsession/errorf"
)

// argon2Scheme is Argon2PasswordHasher: "argon2" before the string of the
// reference implementation, $argon2id$v=19$m=…,t=…,p=…$salt$hash, which it
// reads as strictly as its C code does. A missing version is 0x10.
type argon2Scheme struct {
	defaults Defaults
	agile    bool // since 3.2: every type is read, and must_update looks at all
}

func (s *argon2Scheme) algorithm() string     { return "argon2" }
func (s *argon2Scheme) saltSize() (int, bool) { return s.defaults.SaltLength, true }

var argon2Types = [...]struct {
	name     string
	function Function
}{{"argon2d", Argon2d}, {"argon2i", Argon2i}, {"argon2id", Argon2id}}

func argon2Plan(prefix string, p Params, salt []byte) plan {
	return plan{
		params: p,
		salt:   salt,
		encode: func(_, key []byte) string { return prefix + base64.RawStdEncoding.EncodeToString(key) },
	}
}

func (s *argon2Scheme) fresh(salt []byte) plan {
	d := s.defaults
	prefix := errorf.Sprintf("argon2$%s$v=19$m=%d,t=%d,p=%d$%s$", argon2Types[d.Argon2Type-Argon2d].name,
		d.Argon2Memory, d.Argon2Time, d.Argon2Parallelism, base64.RawStdEncoding.EncodeToString(salt))
	return argon2Plan(prefix, Params{
		Function: d.Argon2Type, Version: 0x13, Iterations: d.Argon2Time,
		Memory: d.Argon2Memory, Parallelism: d.Argon2Parallelism,
		KeyLen: 32, // argon2-cffi's default since 21.2; 16 before
	}, salt)
}

func (s *argon2Scheme) read(encoded string) (plan, error) {
	p, err := s.parse(encoded)
	if err == nil && !s.agile && p.params.Function != Argon2i {
		err = ErrMalformed // 2.2 to 3.1 verify as argon2i whatever the string says
	}
	return p, err
}

func (s *argon2Scheme) parse(encoded string) (plan, error) {
	f := strings.Split(encoded, "$")
	p := Params{Version: 0x10}
	switch {
	case len(f) == 5:
	case len(f) == 6 && f[2] == "v=19":
		p.Version = 0x13
	case len(f) == 6 && f[2] == "v=16":
	default:
		return plan{}, ErrMalformed
	}
	for _, t := range argon2Types {
		if f[1] == t.name {
			p.Function = t.function
		}
	}
	costs, saltText, hashText := strings.Split(f[len(f)-3], ","), f[len(f)-2], f[len(f)-1]
	if p.Function == 0 || len(costs) != 3 {
		return plan{}, ErrMalformed
	}
	for i, cost := range []struct {
		name string
		into *uint32
	}{{"m=", &p.Memory}, {"t=", &p.Iterations}, {"p=", &p.Parallelism}} {
		text, ok := strings.CutPrefix(costs[i], cost.name)
		if !ok {
			return plan{}, ErrMalformed
		}
		var err error
		if *cost.into, err = parseCost(text); err != nil {
			return plan{}, err
		}
	}
	salt, err1 := decodeBase64(base64.RawStdEncoding, saltText)
	hash, err2 := decodeBase64(base64.RawStdEncoding, hashText)
	p.KeyLen = uint32(len(hash))
	// The reference implementation's smallest values.
	if err1 != nil || err2 != nil || len(salt) < 8 || len(hash) < 4 || uint64(p.Memory) < 8*uint64(p.Parallelism) {
		return plan{}, ErrMalformed
	}
	return argon2Plan(strings.TrimSuffix(encoded, hashText), p, salt), nil
}

func (s *argon2Scheme) check(l Limits, p Params) error {
	if p.Memory > l.Argon2Memory || p.Iterations > l.Argon2Time || p.Parallelism > l.Argon2Parallelism {
		return ErrCost
	}
	return nil
}

func (s *argon2Scheme) mustUpdate(encoded string) bool {
	p, err := s.parse(encoded)
	if err != nil {
		return true
	}
	want := s.fresh(nil).params
	if !s.agile {
		want.Function, want.KeyLen = p.params.Function, p.params.KeyLen
	}
	return p.params != want || s.agile && len(p.salt) < 22
}

func (s *argon2Scheme) missing(Params) []Params { return nil }

// decodeBase64 takes the one canonical text of some bytes.
func decodeBase64(e *base64.Encoding, text string) ([]byte, error) {
	b, err := e.DecodeString(text)
	if err != nil || e.EncodeToString(b) != text {
		return nil, ErrMalformed
	}
	return b, nil
}
