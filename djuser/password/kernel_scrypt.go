package password

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// Scrypt of RFC 7914. It is our own because golang.org/x/crypto/scrypt cannot
// be cut into slices, and makes its memory anew for each key.

// scryptSlice is how many Salsa20/8 blocks run between two pauses: under 1 ms
// natively, 2 ms in a guest.
const scryptSlice = 1 << 14

// scryptBlocks is the memory that scryptKey works in, in KiB: n rows, two more
// and one of zeros, each of 2*r blocks of 64 bytes.
func (p Params) scryptBlocks() int {
	return int((uint64(p.R)*(uint64(p.N)+3) + 7) / 8)
}

// scryptKey derives a key. The content of memory does not matter.
func scryptKey(pause func() error, memory []argon2Block, p Params, password, salt []byte) ([]byte, error) {
	once := Params{Function: PBKDF2SHA256, Iterations: 1, KeyLen: 128 * p.R * p.Parallelism}
	text, err := newPBKDF2(once, password, salt).all(pause)
	if err != nil {
		return nil, err
	}
	run := scryptRun{pause: pause, r: int(p.R)}
	// The memory of argon2, which other derivations use again. A word is
	// always read as it was written, so its order of bytes does not matter.
	words := unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(memory))), len(memory)*256)
	row := 32 * run.r
	rows := words[3*row:][:int(p.N)*row]
	x, y, zeros := words[:row], words[row:2*row], words[2*row:3*row]
	clear(zeros)
	for lane := text; len(lane) > 0; lane = lane[4*row:] {
		for i := range x {
			x[i] = binary.LittleEndian.Uint32(lane[4*i:])
		}
		if err := run.mix(rows, x, y, zeros); err != nil {
			return nil, err
		}
		for i, word := range x {
			binary.LittleEndian.PutUint32(lane[4*i:], word)
		}
	}
	once.KeyLen = p.KeyLen
	return newPBKDF2(once, password, text).all(pause)
}

// all runs a derivation of one iteration, whose key may be long.
func (d *PBKDF2) all(pause func() error) ([]byte, error) {
	const blocks = 256 // of the key, between two pauses
	for n := 1; !d.Step(); n++ {
		if n%blocks == 0 {
			if err := pause(); err != nil {
				return nil, err
			}
		}
	}
	return d.key, nil
}

type scryptRun struct {
	pause func() error
	r     int
	done  int // Salsa20/8 blocks since the last pause
}

// mix is scryptROMix (RFC 7914, section 5) of x, in place. rows has n times as
// many words; y is room.
func (s *scryptRun) mix(rows, x, y, zeros []uint32) error {
	row := len(x)
	copy(rows, x)
	for at := row; at < len(rows); at += row {
		if err := s.blockMix(rows[at:at+row], rows[at-row:at], zeros); err != nil {
			return err
		}
	}
	if err := s.blockMix(x, rows[len(rows)-row:], zeros); err != nil {
		return err
	}
	n := len(rows) / row // a power of two, so that 32 bits of Integerify are enough
	for range n / 2 {
		for range 2 {
			j := int(x[row-16]) & (n - 1)
			if err := s.blockMix(y, x, rows[j*row:(j+1)*row]); err != nil {
				return err
			}
			x, y = y, x
		}
	}
	return nil
}

// blockMix is scryptBlockMix (RFC 7914, section 4) of in xor with.
func (s *scryptRun) blockMix(out, in, with []uint32) error {
	var first [16]uint32
	for i := range first {
		first[i] = in[len(in)-16+i] ^ with[len(with)-16+i]
	}
	last := &first[0]
	for i := 0; i < s.r; {
		if s.done >= scryptSlice {
			s.done = 0
			if err := s.pause(); err != nil {
				return err
			}
		}
		pairs := min(s.r-i, scryptSlice/2)
		scryptMix(&out[16*i], &out[16*(s.r+i)], last, &in[32*i], &with[32*i], pairs)
		i += pairs
		last = &out[16*(s.r+i-1)]
		s.done += 2 * pairs
	}
	return nil
}

// scryptBytes is OpenSSL's measure of scrypt's memory: 128*r*(N+2) + 128*r*p,
// or the greatest number when that overflows.
func scryptBytes(n, r, p uint64) int64 {
	if n > math.MaxUint32 || r > math.MaxUint32/256 || p > math.MaxUint32/256 {
		return math.MaxInt64
	}
	if total := n + 2 + p; r == 0 || total <= math.MaxInt64/(128*r) {
		return int64(128 * r * total)
	}
	return math.MaxInt64
}
