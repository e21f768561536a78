package signing

import (
	"hash/adler32"
	"math/bits"
	"slices"
)

// deflater is zlib.compress: matches by hash chains and, for each block, the
// better of the fixed code and one of its own. The bytes are not those of
// Python's zlib, which no reader asks for; the size is about the same.
type deflater struct {
	src      []byte
	head     [1 << hashBits]int32 // position + 1 of the last place with a hash
	prev     [window]int32        // the place before it
	inserted int
	tokens   []uint32 // a literal, or token with length<<16 and offset-1
	lit      [maxLit]uint32
	off      [maxOff]uint32 // how often each symbol is used in the block

	out []byte
	acc uint64
	n   uint
}

const (
	window    = 1 << 15
	hashBits  = 13
	minMatch  = 4
	maxMatch  = 258
	chain     = 128     // how many places are tried,
	enough    = 128     // until a match has this length
	blockSize = 1 << 14 // tokens
	token     = 1 << 31
)

// deflate appends the compressed src to dst.
func (d *deflater) deflate(dst, src []byte) []byte {
	d.src, d.out, d.inserted, d.acc, d.n = src, append(dst, 0x78, 0x9c), 0, 0, 0
	clear(d.head[:])
	for i := 0; i < len(src); {
		length, offset := d.match(i)
		if length > 0 && length < 32 { // one place on there may be a longer one
			if l, o := d.match(i + 1); l > length {
				d.add(uint32(src[i]))
				i, length, offset = i+1, l, o
			}
		}
		if length == 0 {
			d.add(uint32(src[i]))
			i++
			continue
		}
		d.add(token | uint32(length)<<16 | uint32(offset-1))
		i += length
	}
	d.block(true)
	d.out = append(d.out, byte(d.acc)) // at most 7 bits are left
	if d.n == 0 {
		d.out = d.out[:len(d.out)-1]
	}
	sum := adler32.Checksum(src)
	out := append(d.out, byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum))
	d.src, d.out = nil, nil
	return out
}

func hash4(b []byte) uint32 {
	return (uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24) * 0x9e3779b1 >> (32 - hashBits)
}

// match is the longest earlier text that goes on at i, or 0.
func (d *deflater) match(i int) (length, offset int) {
	if len(d.src)-i < minMatch {
		return 0, 0
	}
	for ; d.inserted < i; d.inserted++ {
		h := &d.head[hash4(d.src[d.inserted:])]
		d.prev[d.inserted%window] = *h
		*h = int32(d.inserted + 1)
	}
	here := d.src[i:min(i+maxMatch, len(d.src))]
	at := int(d.head[hash4(here)]) - 1
	for tries := chain; tries > 0 && at >= 0 && i-at <= window; tries-- {
		if d.src[at+length] == here[length] { // else it is no longer match
			if n := common(d.src[at:], here); n > length {
				length, offset = n, i-at
			}
		}
		if length >= min(enough, len(here)) {
			break
		}
		before := int(d.prev[at%window]) - 1
		if before >= at {
			break // its place was used again
		}
		at = before
	}
	if length < minMatch { // then literals are shorter
		return 0, 0
	}
	return length, offset
}

// common is how long a and b, which is not longer, are the same.
func common(a, b []byte) (n int) {
	for n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func (d *deflater) add(t uint32) {
	if len(d.tokens) == blockSize {
		d.block(false)
	}
	d.tokens = append(d.tokens, t)
	if t < token {
		d.lit[t]++
		return
	}
	length, offset := split(t)
	d.lit[endBlock+1+codeOf(lengthCodes[:], length)]++
	d.off[codeOf(offsetCodes[:], offset)]++
}

func split(t uint32) (length, offset int) { return int(t >> 16 & 0x7fff), int(t&0xffff) + 1 }

// codeOf is the last code that begins at or before v.
func codeOf(codes []rangeCode, v int) int {
	low, high := 0, len(codes)
	for high-low > 1 {
		if middle := (low + high) / 2; int(codes[middle].base) <= v {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// block writes the tokens, and forgets them.
func (d *deflater) block(final bool) {
	d.lit[endBlock] = 1
	var own, fixed trees
	own.lit.fit(d.lit[:], 15)
	own.off.fit(d.off[:], 15)
	header := own.header()
	fixedLengths(fixed.lit.size[:])
	fixed.lit.number(288)
	for i := range fixed.off.size[:32] {
		fixed.off.size[i] = 5
	}
	fixed.off.number(32)

	last := uint64(0)
	if final {
		last = 1
	}
	t := &fixed
	if own.bits(d)+header.bits() < fixed.bits(d) {
		t = &own
		d.put(last|2<<1, 3)
		header.write(d)
	} else {
		d.put(last|1<<1, 3)
	}
	for _, token32 := range d.tokens {
		if token32 < token {
			d.symbol(&t.lit, int(token32))
			continue
		}
		length, offset := split(token32)
		code := codeOf(lengthCodes[:], length)
		d.symbol(&t.lit, endBlock+1+code)
		d.put(uint64(length-int(lengthCodes[code].base)), uint(lengthCodes[code].extra))
		code = codeOf(offsetCodes[:], offset)
		d.symbol(&t.off, code)
		d.put(uint64(offset-int(offsetCodes[code].base)), uint(offsetCodes[code].extra))
	}
	d.symbol(&t.lit, endBlock)
	d.tokens = d.tokens[:0]
	clear(d.lit[:])
	clear(d.off[:])
}

func (d *deflater) symbol(c *code, symbol int) { d.put(uint64(c.code[symbol]), uint(c.size[symbol])) }

func (d *deflater) put(v uint64, k uint) {
	d.acc |= v << d.n
	for d.n += k; d.n >= 8; d.n -= 8 {
		d.out = append(d.out, byte(d.acc))
		d.acc >>= 8
	}
}

// trees are the two codes of a block.
type trees struct{ lit, off code }

// bits is how many of them the symbols take; the bits after them are the same
// for all trees.
func (t *trees) bits(d *deflater) (n int) {
	for i, times := range d.lit {
		n += int(times) * int(t.lit.size[i])
	}
	for i, times := range d.off {
		n += int(times) * int(t.off.size[i])
	}
	return n
}

// header says what the trees are: runs of sizes, in a code of their own.
type header struct {
	lits, offs, sizes int
	runs              []run
	code              code
}

type run struct{ symbol, extra, bits uint8 }

func (t *trees) header() *header {
	h := &header{lits: t.lit.used(257), offs: t.off.used(1)}
	all := append(slices.Clone(t.lit.size[:h.lits]), t.off.size[:h.offs]...)
	var freq [19]uint32
	add := func(symbol uint8, extra int, bits uint8) {
		h.runs = append(h.runs, run{symbol, uint8(extra), bits})
		freq[symbol]++
	}
	for i := 0; i < len(all); {
		size, n := all[i], 1
		for i+n < len(all) && all[i+n] == size && n < 138 {
			n++
		}
		switch {
		case size == 0 && n >= 11:
			add(18, n-11, 7)
		case size == 0 && n >= 3:
			add(17, n-3, 3)
		case size != 0 && n >= 4:
			n = min(n, 7)
			add(size, 0, 0)
			add(16, n-4, 2)
		default:
			n = 1
			add(size, 0, 0)
		}
		i += n
	}
	h.code.fit(freq[:], 7)
	h.sizes = 19
	for h.sizes > 4 && h.code.size[sizeOrder[h.sizes-1]] == 0 {
		h.sizes--
	}
	return h
}

func (h *header) bits() int {
	n := 5 + 5 + 4 + 3*h.sizes
	for _, r := range h.runs {
		n += int(h.code.size[r.symbol]) + int(r.bits)
	}
	return n
}

func (h *header) write(d *deflater) {
	d.put(uint64(h.lits-257), 5)
	d.put(uint64(h.offs-1), 5)
	d.put(uint64(h.sizes-4), 4)
	for _, i := range sizeOrder[:h.sizes] {
		d.put(uint64(h.code.size[i]), 3)
	}
	for _, r := range h.runs {
		d.symbol(&h.code, int(r.symbol))
		d.put(uint64(r.extra), uint(r.bits))
	}
}

// code is a canonical Huffman code to write: by symbol its size and its bits,
// the first one lowest.
type code struct {
	size [288]uint8
	code [288]uint16
}

// used is one more than the last symbol with a code, but at least least.
func (c *code) used(least int) int {
	n := len(c.size)
	for n > least && c.size[n-1] == 0 {
		n--
	}
	return n
}

// fit finds the code for symbols that are used so often, with at most limit
// bits. A code has at least two symbols, because some readers want that.
func (c *code) fit(freq []uint32, limit uint8) {
	leaves := make([]uint32, 0, len(freq)) // frequency<<9 | symbol, in order
	for symbol, times := range freq {
		if times > 0 {
			leaves = append(leaves, times<<9|uint32(symbol))
		}
	}
	for symbol := uint32(0); len(leaves) < 2; symbol++ {
		if freq[symbol] == 0 {
			leaves = append(leaves, 1<<9|symbol)
		}
	}
	slices.Sort(leaves)
	n := len(leaves)
	weight, parent := make([]uint32, 2*n-1), make([]int, 2*n-1)
	depth := make([]uint8, 2*n-1)
	for shift := 0; ; shift++ { // until the tree is flat enough
		for i, leaf := range leaves {
			weight[i] = max(1, leaf>>9>>shift)
		}
		leaf, inner := 0, n
		for node := n; node < 2*n-1; node++ {
			weight[node] = 0
			for range 2 { // of the two queues' least
				i := inner
				if leaf < n && (inner == node || weight[leaf] <= weight[inner]) {
					i = leaf
					leaf++
				} else {
					inner++
				}
				weight[node] += weight[i]
				parent[i] = node
			}
		}
		deepest := uint8(0)
		for i := 2*n - 3; i >= 0; i-- {
			depth[i] = depth[parent[i]] + 1
			deepest = max(deepest, depth[i])
		}
		if deepest <= limit {
			break
		}
	}
	for i, leaf := range leaves {
		c.size[leaf&511] = depth[i]
	}
	c.number(len(freq))
}

// number gives the first n symbols their bits, by their sizes.
func (c *code) number(n int) {
	var next [17]uint16
	for _, size := range c.size[:n] {
		next[size+1]++
	}
	next[1] = 0
	for size := 1; size < 16; size++ { // next[size] has the codes of size-1
		next[size] = (next[size] + next[size-1]) << 1
	}
	for symbol, size := range c.size[:n] {
		if size > 0 {
			c.code[symbol] = bits.Reverse16(next[size]) >> (16 - size)
			next[size]++
		}
	}
}
