package signing

import (
	"hash/adler32"
	"math/bits"
)

// inflater is zlib.decompress of one piece of bytes into another (RFC 1950 and
// 1951). It keeps its tables from one call to the next. In the module it needs
// less than half of the time of compress/zlib for a session, because it never
// has to stop in the middle, and with [deflater] it saves 150 kB.
type inflater struct {
	src      []byte
	pos      int
	acc      uint64 // the next bits of src, the first one lowest
	n        uint   // how many bits of acc count
	bad      bool   // src ended, or said what cannot be
	lit, off huffman
	lengths  [maxLit + maxOff]uint8
}

const (
	maxLit   = 286 // literals, end of block, lengths
	maxOff   = 30
	endBlock = 256
	noSymbol = 511
	fastBits = 9
)

// inflate appends what src holds to dst. Data of more than limit bytes is
// [ErrTooLarge]; what follows the stream is ignored, as in Python.
func (d *inflater) inflate(dst, src []byte, limit int) ([]byte, error) {
	if len(src) < 2 || src[0]&15 != 8 || src[0]>>4 > 7 || (uint(src[0])<<8|uint(src[1]))%31 != 0 || src[1]&0x20 != 0 {
		return dst, ErrZlib
	}
	d.src, d.pos, d.acc, d.n, d.bad = src, 2, 0, 0, false
	defer func() { d.src = nil }()
	start := len(dst)
	for final := false; !final; {
		final = d.take(1) == 1
		var err error
		switch d.take(2) {
		case 0:
			dst, err = d.stored(dst, start+limit)
		case 1:
			d.fixed()
			dst, err = d.block(dst, start, start+limit)
		case 2:
			d.dynamic()
			dst, err = d.block(dst, start, start+limit)
		default:
			d.bad = true
		}
		switch {
		case err != nil:
			return dst, err
		case d.bad:
			return dst, ErrZlib
		}
	}
	sum := d.rest()
	if len(sum) < 4 {
		return dst, ErrZlib
	}
	if uint32(sum[0])<<24|uint32(sum[1])<<16|uint32(sum[2])<<8|uint32(sum[3]) != adler32.Checksum(dst[start:]) {
		return dst, ErrZlib
	}
	return dst, nil
}

// fill makes at least 56 bits count, unless src ends before.
func (d *inflater) fill() {
	for d.n <= 56 && d.pos < len(d.src) {
		d.acc |= uint64(d.src[d.pos]) << d.n
		d.pos++
		d.n += 8
	}
}

// take reads at most 16 bits.
func (d *inflater) take(k uint) int {
	if d.n < k {
		if d.fill(); d.n < k {
			d.bad = true
			return 0
		}
	}
	v := d.acc & (1<<k - 1)
	d.acc >>= k
	d.n -= k
	return int(v)
}

// rest is src from the next whole byte on.
func (d *inflater) rest() []byte {
	d.pos -= int(d.n / 8)
	d.acc, d.n = 0, 0
	return d.src[d.pos:]
}

// stored copies a block that was not compressed.
func (d *inflater) stored(dst []byte, limit int) ([]byte, error) {
	src := d.rest()
	if len(src) < 4 || src[0]^src[2] != 0xff || src[1]^src[3] != 0xff {
		return dst, ErrZlib
	}
	n := int(src[0]) | int(src[1])<<8
	switch src = src[4:]; {
	case len(src) < n:
		return dst, ErrZlib
	case n > limit-len(dst):
		return dst, ErrTooLarge
	}
	d.pos += 4 + n
	return append(dst, src[:n]...), nil
}

// block decodes with the trees that were read. dst begins at start and may
// grow to limit. The bits are in variables of its own, because nearly all of
// the time is spent here.
func (d *inflater) block(dst []byte, start, limit int) ([]byte, error) {
	src, pos, acc, n := d.src, d.pos, d.acc, d.n
	lits, offs := &d.lit, &d.off
	for {
		if n < 48 { // which a length and its offset take at most
			for ; n <= 56 && pos < len(src); n += 8 {
				acc |= uint64(src[pos]) << n
				pos++
			}
		}
		e := lits.fast[acc&lits.mask&(1<<fastBits-1)]
		if e == 0 {
			e = lits.slow(acc)
		}
		size := uint(e & 15)
		if size == 0 || size > n {
			return dst, ErrZlib
		}
		acc >>= size
		n -= size
		symbol := int(e >> 4)
		if symbol < endBlock {
			if len(dst) >= limit {
				return dst, ErrTooLarge
			}
			dst = append(dst, byte(symbol))
			continue
		}
		if symbol == endBlock {
			d.pos, d.acc, d.n = pos, acc, n
			return dst, nil
		}
		if symbol >= maxLit {
			return dst, ErrZlib
		}
		c := lengthCodes[symbol-endBlock-1]
		length := int(c.base) + int(acc&(1<<c.extra-1))
		acc >>= c.extra
		used := uint(c.extra)

		if e = offs.fast[acc&offs.mask&(1<<fastBits-1)]; e == 0 {
			e = offs.slow(acc)
		}
		size = uint(e & 15)
		acc >>= size
		if symbol = int(e >> 4); size == 0 || symbol >= maxOff {
			return dst, ErrZlib
		}
		c = offsetCodes[symbol]
		offset := int(c.base) + int(acc&(1<<c.extra-1))
		acc >>= c.extra
		if used += size + uint(c.extra); used > n {
			return dst, ErrZlib
		}
		n -= used
		switch from := len(dst) - offset; {
		case from < start:
			return dst, ErrZlib
		case length > limit-len(dst):
			return dst, ErrTooLarge
		case offset >= length:
			dst = append(dst, dst[from:from+length]...)
		default: // what is copied is part of what is written
			for range length {
				dst = append(dst, dst[from])
				from++
			}
		}
	}
}

// symbol reads one symbol; a code that is none makes d bad.
func (d *inflater) symbol(h *huffman) int {
	if d.n < 15 {
		d.fill()
	}
	e := h.fast[d.acc&h.mask&(1<<fastBits-1)]
	size := uint(e & 15)
	if size == 0 {
		e = h.slow(d.acc)
		size = uint(e & 15)
	}
	if size == 0 || size > d.n {
		d.bad = true
		return noSymbol
	}
	d.acc >>= size
	d.n -= size
	return int(e >> 4)
}

// fixed sets the trees of RFC 1951, 3.2.6.
func (d *inflater) fixed() {
	var lengths [288]uint8
	fixedLengths(lengths[:])
	d.lit.build(lengths[:])
	for i := range 32 {
		lengths[i] = 5
	}
	d.off.build(lengths[:32])
}

// fixedLengths is the sizes of the fixed codes for literals and lengths.
func fixedLengths(lengths []uint8) {
	for i := range lengths {
		switch {
		case i < 144, i >= 280:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		default:
			lengths[i] = 7
		}
	}
}

// sizeOrder is the order in which sizes of sizes are written.
var sizeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamic reads the trees that precede a block.
func (d *inflater) dynamic() {
	lits, offs, sizes := d.take(5)+257, d.take(5)+1, d.take(4)+4
	if d.bad || lits > maxLit || offs > maxOff {
		d.bad = true
		return
	}
	var order [19]uint8
	for _, i := range sizeOrder[:sizes] {
		order[i] = uint8(d.take(3))
	}
	if !d.lit.build(order[:]) { // which is read into again below
		d.bad = true
		return
	}
	lengths := d.lengths[:lits+offs]
	for i := 0; i < len(lengths) && !d.bad; {
		value, times := uint8(0), 1
		switch s := d.symbol(&d.lit); s {
		case 16:
			if times = 3 + d.take(2); i == 0 {
				d.bad = true
				return
			}
			value = lengths[i-1]
		case 17:
			times = 3 + d.take(3)
		case 18:
			times = 11 + d.take(7)
		default:
			value = uint8(s)
		}
		if times > len(lengths)-i {
			d.bad = true
			return
		}
		for ; times > 0; times-- {
			lengths[i] = value
			i++
		}
	}
	d.bad = d.bad || !d.lit.build(lengths[:lits]) || !d.off.build(lengths[lits:])
}

// huffman decodes a canonical code. An entry is symbol<<4 | size; 0 is none.
type huffman struct {
	fast   [1 << fastBits]uint16 // by the next bits, as many as mask has, for sizes up to that
	mask   uint64
	count  [16]uint16  // codes of each size
	symbol [288]uint16 // in the order of their codes
}

// build makes the decoder for the sizes of all symbols' codes. Like zlib it
// wants the code to be complete, but for an empty one and one of a single bit.
func (h *huffman) build(lengths []uint8) bool {
	h.count = [16]uint16{}
	for _, size := range lengths {
		h.count[size]++
	}
	h.count[0] = 0
	var next, place [16]uint16
	code, used, longest := 0, 0, 0
	for size := 1; size < 16; size++ {
		code <<= 1
		next[size], place[size] = uint16(code), uint16(used)
		code += int(h.count[size])
		used += int(h.count[size])
		if h.count[size] > 0 {
			longest = size
		}
	}
	if code != 1<<15 && used != 0 && !(used == 1 && h.count[1] == 1) {
		return false
	}
	fast := h.fast[:1<<min(longest, fastBits)]
	h.mask = uint64(len(fast) - 1)
	clear(fast)
	for symbol, size := range lengths {
		if size == 0 {
			continue
		}
		h.symbol[place[size]] = uint16(symbol)
		place[size]++
		c := next[size]
		next[size]++
		if size <= fastBits {
			entry := uint16(symbol)<<4 | uint16(size)
			for i := int(bits.Reverse16(c) >> (16 - size)); i < len(fast); i += 1 << size {
				fast[i] = entry
			}
		}
	}
	return true
}

// slow finds the entry of a code of any size at the beginning of acc.
func (h *huffman) slow(acc uint64) uint16 {
	code, first, place := 0, 0, 0
	for size := 1; size < 16; size++ {
		code |= int(acc & 1)
		acc >>= 1
		count := int(h.count[size])
		if code-first < count {
			return h.symbol[place+code-first]<<4 | uint16(size)
		}
		place += count
		first = (first + count) << 1
		code <<= 1
	}
	return 0
}

// rangeCode is the least length or offset that a symbol stands for, and how
// many bits follow.
type rangeCode struct {
	base  uint16
	extra uint8
}

var lengthCodes = [maxLit - endBlock - 1]rangeCode{
	{3, 0}, {4, 0}, {5, 0}, {6, 0}, {7, 0}, {8, 0}, {9, 0}, {10, 0}, {11, 1}, {13, 1}, {15, 1}, {17, 1}, {19, 2}, {23, 2}, {27, 2}, {31, 2},
	{35, 3}, {43, 3}, {51, 3}, {59, 3}, {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0},
}

var offsetCodes = [maxOff]rangeCode{
	{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 1}, {7, 1}, {9, 2}, {13, 2}, {17, 3}, {25, 3}, {33, 4}, {49, 4}, {65, 5}, {97, 5}, {129, 6}, {193, 6},
	{257, 7}, {385, 7}, {513, 8}, {769, 8}, {1025, 9}, {1537, 9}, {2049, 10}, {3073, 10}, {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12},
	{16385, 13}, {24577, 13},
}
