package pickle

import (
	"errors"
	"math"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/pyjson"
)

// Errors of what was to be written, not of what was read.
var (
	// ErrProtocol: the protocol is none of 2 to 5.
	ErrProtocol = errors.New("pickle protocol is not 2 to 5")
	// ErrKey: a key is not text, or not that of its fragment.
	ErrKey = errors.New("not the key of a session")
)

// Encode is a dict of members as Django's caches read it: RedisCache and
// PyMemcacheCache write protocol 5, django-redis 4; Python reads each of 2 to 5.
// A member is written from Pickled, or else from Raw. Pickled obeys the rules
// of [Decode], so nothing is ever written that Python would run, save for the
// three types of datetime. There is no memo: what was shared is written each
// time, so a session may grow beyond the limits by which it was read. An error
// names the key.
func Encode(members []Member, protocol int) (string, error) {
	if protocol < 2 || protocol > 5 {
		return "", errorf.Errorf("encode session: %w", ErrProtocol)
	}
	size := 8
	for i := range members {
		size += 16 + len(members[i].Key) + max(len(members[i].Raw), len(members[i].Pickled))
	}
	p := pickler{protocol: protocol, out: make([]byte, 0, size)}
	p.out = append(p.out, opProto, byte(protocol), opEmptyDict)
	if len(members) == 0 {
		return string(append(p.out, opStop)), nil
	}
	p.op(opMark)
	for i := range members {
		if err := p.member(&members[i]); err != nil {
			return "", errorf.Errorf("encode session: value of %q: %w", members[i].Key, err)
		}
	}
	p.out = append(p.out, opSetItems, opStop)
	return string(p.out), nil
}

// EncodeValue is the pickle of one value, without a key, from Pickled or Raw.
func EncodeValue(m Member, protocol int) (string, error) {
	if protocol < 2 || protocol > 5 {
		return "", errorf.Errorf("encode value: %w", ErrProtocol)
	}
	p := pickler{protocol: protocol, out: []byte{opProto, byte(protocol)}}
	if err := p.either(&m, 1); err != nil {
		return "", errorf.Errorf("encode value: %w", err)
	}
	p.op(opStop)
	return string(p.out), nil
}

func (p *pickler) member(m *Member) error {
	if !validText(m.Key) {
		return ErrKey
	}
	return p.either(m, 2)
}

// either writes a value (want is 1) or a key and a value (2).
func (p *pickler) either(m *Member, want int) error {
	if m.Pickled == "" {
		if err := pyjson.Valid(m.Raw, maxDepth); err != nil {
			return err
		}
		if want == 2 {
			p.text(m.Key)
		}
		t := transcoder{pickler: p, s: m.Raw}
		t.value()
		return nil
	}
	vm := machine{data: m.Pickled, limits: Limits{Depth: maxDepth, Values: math.MaxInt, Expanded: math.MaxInt}}
	values, err := vm.loadFragment()
	if err != nil {
		return err
	}
	switch {
	case want == 2 && len(values) == 1:
		p.text(m.Key)
	case len(values) != want:
		return vm.fail(ReasonStack)
	case want == 2 && !values[0].shownAs(m.Key):
		return ErrKey
	}
	for _, v := range values {
		if reason := p.value(v, maxDepth); reason != none {
			return vm.fail(reason)
		}
	}
	return nil
}

// shownAs reports whether v is a key, and no text, that a member shows as key.
func (v value) shownAs(key string) bool {
	if _, ok := v.keyID(); !ok || v.kind == kindText {
		return false
	}
	w := writer{limits: Limits{}.filled()}
	return w.key(v) == none && string(w.json) == `"`+key+`"`
}
