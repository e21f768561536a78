package password

import (
	"encoding/binary"
	"errors"

	"github.com/djedge/djedge/djsession/sha2"
)

// PBKDF2 is one derivation of RFC 8018's PBKDF2 with HMAC in progress, for a
// caller that runs it slice by slice. It is not safe for concurrent use. Two of
// them may run in turns, or together by [StepBoth].
type PBKDF2 struct {
	p      Params
	prf    *sha2.HMAC // under the password; nil once done
	salt   []byte
	left   uint32 // iterations to do for the block of the key in progress
	key    []byte // the blocks that are done, big endian
	sha256 sha256State
	sha1   sha1State
}

var errNotPBKDF2 = errors.New("not a PBKDF2 function")

// NewPBKDF2 begins a derivation with the costs of p, whose Function is
// [PBKDF2SHA256] or [PBKDF2SHA1]. It copies what it needs of password and salt.
// An error says that no implementation could run p; like [Derive] it does not
// ask whether p is affordable.
func NewPBKDF2(p Params, password, salt []byte) (*PBKDF2, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if p.Function != PBKDF2SHA256 && p.Function != PBKDF2SHA1 {
		return nil, errNotPBKDF2
	}
	return newPBKDF2(p, password, salt), nil
}

// newPBKDF2 is [NewPBKDF2] for parameters that are known to be possible.
func newPBKDF2(p Params, password, salt []byte) *PBKDF2 {
	d := &PBKDF2{p: p, salt: append(make([]byte, 0, len(salt)+4), salt...)} // 4 for the block's number
	if p.Function == PBKDF2SHA1 {
		d.prf = sha2.NewHMAC(sha2.SHA1, password)
		key := hmacKey(sha2.SHA1, password)
		sha1Head(&d.sha1.inner, pad(key, 0x36))
		sha1Head(&d.sha1.outer, pad(key, 0x5c))
	} else {
		d.prf = sha2.NewHMAC(sha2.SHA256, password)
		key := hmacKey(sha2.SHA256, password)
		sha256Head(&d.sha256.inner, pad(key, 0x36))
		sha256Head(&d.sha256.outer, pad(key, 0x5c))
	}
	d.begin()
	return d
}

// begin computes the first iteration of the next block of the key.
func (d *PBKDF2) begin() {
	u, sum := d.sha256.u[:], d.sha256.sum[:]
	if d.p.Function == PBKDF2SHA1 {
		u, sum = d.sha1.u[:], d.sha1.sum[:]
	}
	block := uint32(len(d.key)/(4*len(u))) + 1
	text := binary.BigEndian.AppendUint32(d.salt[:len(d.salt):len(d.salt)+4], block)
	first := d.prf.Append(nil, text)
	for i := range u {
		u[i] = binary.BigEndian.Uint32(first[4*i:])
	}
	copy(sum, u)
	d.left = d.p.Iterations - 1
}

// Step runs one slice: about 1 ms at most natively and 5 ms in a guest, less
// with the processor's SHA instructions. It reports whether the key is done,
// which begins with the slice that completes it.
func (d *PBKDF2) Step() (done bool) {
	n := d.slice()
	if d.p.Function == PBKDF2SHA1 {
		iterateSHA1(&d.sha1, n)
	} else {
		iterateSHA256(&d.sha256, n)
	}
	return d.advance(n)
}

// StepBoth runs a slice of each derivation. Where the processor has SHA
// instructions and both are [PBKDF2SHA256], that takes little longer than a
// slice of one, and both slices are as long as the one that has less to do.
// One that is done already leaves the slice to the other. a and b differ.
func StepBoth(a, b *PBKDF2) (doneA, doneB bool) {
	if a.prf == nil || b.prf == nil || a.p.Function != PBKDF2SHA256 || b.p.Function != PBKDF2SHA256 {
		return a.Step(), b.Step()
	}
	n := min(a.slice(), b.slice())
	iterateSHA256Two(&a.sha256, &b.sha256, n)
	return a.advance(n), b.advance(n)
}

// Key returns the key once a step has reported it done, and nil before.
func (d *PBKDF2) Key() []byte {
	if d.prf != nil {
		return nil
	}
	return d.key
}

// slice is how many iterations the next step may run.
func (d *PBKDF2) slice() int { return int(min(d.left, pbkdf2Slice)) }

// advance accounts for n iterations.
func (d *PBKDF2) advance(n int) (done bool) {
	if d.prf == nil {
		return true
	}
	if d.left -= uint32(n); d.left > 0 {
		return false
	}
	sum := d.sha256.sum[:]
	if d.p.Function == PBKDF2SHA1 {
		sum = d.sha1.sum[:]
	}
	for _, w := range sum {
		d.key = binary.BigEndian.AppendUint32(d.key, w)
	}
	if len(d.key) < int(d.p.KeyLen) {
		d.begin()
		return false
	}
	d.key = d.key[:d.p.KeyLen]
	d.clear()
	return true
}

// clear forgets what the password could be guessed from faster than from its
// hash: the states and HMAC's. It is best effort: copies that the garbage
// collector, the stack or crypto/hmac have made stay until they are overwritten.
func (d *PBKDF2) clear() {
	d.prf, d.left, d.sha256, d.sha1 = nil, 0, sha256State{}, sha1State{}
}

// pbkdf2 derives a key, with a pause between slices.
func pbkdf2(pause func() error, p Params, password, salt []byte) ([]byte, error) {
	d, err := NewPBKDF2(p, password, salt)
	if err != nil {
		return nil, err
	}
	for !d.Step() {
		if err := pause(); err != nil {
			d.clear()
			return nil, err
		}
	}
	return d.key, nil
}

// hmacKey is the key of RFC 2104: hashed when it is longer than a block.
func hmacKey(h sha2.Hash, password []byte) []byte {
	if len(password) <= h.BlockSize() {
		return password
	}
	return h.AppendSum(nil, password)
}

// pad is the first block of the inner (0x36) or outer (0x5c) hash of HMAC.
func pad(key []byte, with byte) *[16]uint32 {
	var block [64]byte
	copy(block[:], key)
	var w [16]uint32
	for i := range block {
		block[i] ^= with
	}
	for i := range w {
		w[i] = binary.BigEndian.Uint32(block[4*i:])
	}
	return &w
}
