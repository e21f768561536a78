package password

import (
	"encoding/binary"

	"golang.org/x/crypto/blake2b"
)

// Argon2 of RFC 9106 and, as version 0x10, of the specification before it,
// which overwrites blocks in later passes where 0x13 combines them. It is our
// own because golang.org/x/crypto/argon2 has neither argon2d nor 0x10, and
// cannot be sliced. Lanes run one after the other: a guest has one thread, and
// a login server has other requests for its other processors.

const (
	argon2Slices = 4   // RFC 9106's SL, sync points in a pass
	argon2Pause  = 512 // blocks between two yields: about 1 ms
)

type argon2Block [128]uint64

type argon2Input struct{ password, salt, secret, data []byte }

// argon2Blocks is m', the memory rounded down to whole segments.
func (p Params) argon2Blocks() int {
	segments := argon2Slices * p.Parallelism
	return int(p.Memory / segments * segments)
}

type argon2Run struct {
	Params
	memory  []argon2Block
	lane    int // blocks in a lane
	segment int // blocks in a segment
	pause   func() error
	filled  int // blocks since the run began
}

// argon2 derives a key. The content of memory does not matter.
func argon2(pause func() error, memory []argon2Block, p Params, in argon2Input) ([]byte, error) {
	lanes := int(p.Parallelism)
	run := &argon2Run{
		Params: p, memory: memory, pause: pause,
		lane: len(memory) / lanes, segment: len(memory) / lanes / argon2Slices,
	}
	seed := append(argon2Seed(p, in), make([]byte, 8)...)
	var text [1024]byte
	for lane := range lanes {
		binary.LittleEndian.PutUint32(seed[68:], uint32(lane))
		for i := range 2 {
			binary.LittleEndian.PutUint32(seed[64:], uint32(i))
			blake2bLong(text[:], seed)
			for j := range memory[0] {
				memory[lane*run.lane+i][j] = binary.LittleEndian.Uint64(text[8*j:])
			}
		}
	}
	for pass := range int(p.Iterations) {
		for slice := range argon2Slices {
			for lane := range lanes {
				if err := run.fill(pass, slice, lane); err != nil {
					return nil, err
				}
			}
		}
	}
	last := memory[run.lane-1]
	for lane := 1; lane < lanes; lane++ {
		for i, word := range memory[(lane+1)*run.lane-1] {
			last[i] ^= word
		}
	}
	for i, word := range last {
		binary.LittleEndian.PutUint64(text[8*i:], word)
	}
	key := make([]byte, p.KeyLen)
	blake2bLong(key, text[:])
	return key, nil
}

// kind is the type's number (RFC 9106, 3.1).
func (p Params) kind() uint32 { return uint32(p.Function - Argon2d) }

// argon2Seed is H_0.
func argon2Seed(p Params, in argon2Input) []byte {
	h, _ := blake2b.New512(nil) // only a key that is too long is an error
	var b []byte
	for _, n := range []uint32{p.Parallelism, p.KeyLen, p.Memory, p.Iterations, p.Version, p.kind()} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	for _, field := range [][]byte{in.password, in.salt, in.secret, in.data} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(field)))
		b = append(b, field...)
	}
	h.Write(b)
	return h.Sum(nil)
}

// blake2bLong is H', BLAKE2b of any length (RFC 9106, 3.3).
func blake2bLong(out, in []byte) {
	size := min(len(out), blake2b.Size)
	h, _ := blake2b.New(size, nil) // size is 1 to 64
	h.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(out))))
	h.Write(in)
	v := h.Sum(nil)
	for len(out) > blake2b.Size {
		copy(out, v[:32])
		out = out[32:]
		h, _ = blake2b.New(min(len(out), blake2b.Size), nil)
		h.Write(v)
		v = h.Sum(v[:0])
	}
	copy(out, v)
}

// fill computes one segment.
func (r *argon2Run) fill(pass, slice, lane int) error {
	independent := r.Function == Argon2i || r.Function == Argon2id && pass == 0 && slice < argon2Slices/2
	var addresses, input, zero argon2Block
	if independent {
		input = argon2Block{uint64(pass), uint64(lane), uint64(slice), uint64(len(r.memory)), uint64(r.Iterations), uint64(r.kind())}
	}
	first := 0
	if pass == 0 && slice == 0 {
		first = 2 // made from the seed
	}
	start := lane * r.lane
	for i := first; i < r.segment; i++ {
		if r.filled++; r.filled%argon2Pause == 0 {
			if err := r.pause(); err != nil {
				return err
			}
		}
		at := slice*r.segment + i
		previous := &r.memory[start+(at+r.lane-1)%r.lane]
		random := previous[0]
		if independent {
			if i%len(addresses) == 0 || i == first {
				input[6]++
				argon2Compress(&addresses, &input, &zero, false)
				argon2Compress(&addresses, &addresses, &zero, false)
			}
			random = addresses[i%len(addresses)]
		}
		reference := &r.memory[r.reference(pass, slice, lane, i, random)]
		argon2Compress(&r.memory[start+at], previous, reference, pass > 0 && r.Version != 0x10)
	}
	return nil
}

// reference is the index of the block that random chooses (RFC 9106, 3.4.2).
func (r *argon2Run) reference(pass, slice, lane, i int, random uint64) int {
	from := int(uint32(random>>32) % r.Parallelism)
	if pass == 0 && slice == 0 {
		from = lane
	}
	area, start := slice*r.segment, 0
	if pass > 0 {
		area = r.lane - r.segment
		start = (slice + 1) % argon2Slices * r.segment
	}
	switch {
	case from == lane:
		area += i - 1
	case i == 0:
		area--
	}
	x := random & 0xffffffff
	x = x * x >> 32
	x = uint64(area) * x >> 32
	return from*r.lane + (start+area-1-int(x))%r.lane
}
