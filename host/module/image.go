package module

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
)

// image is the memory that instances begin with. Most of it is never written:
// where the system can, instances share it, and a page is copied when one of them
// first writes there.
type image struct {
	bytes []byte // nil when file has them
	size  int
	file  sharedFile
}

// newImage copies memory, whose instance has run nothing yet.
func newImage(memory []byte) *image {
	im := &image{size: len(memory)}
	if im.file = shareFile(memory); im.file == noFile {
		im.bytes = bytes.Clone(memory)
	}
	return im
}

// fill makes memory, which is zeros, begin with the image.
func (im *image) fill(memory []byte) bool {
	if im.bytes == nil {
		return im.file.read(memory[:im.size])
	}
	const page = 4096
	for at := 0; at < len(im.bytes); at += page {
		part := im.bytes[at:min(at+page, len(im.bytes))]
		if !zeros(part) { // else the system need not give a page for it
			copy(memory[at:], part)
		}
	}
	return true
}

func zeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func (im *image) close() {
	if im != nil {
		im.file.close()
	}
}

// Sections of a module, and what constant expressions begin and end with.
const (
	sectionMemory    = 5
	sectionDataCount = 12
	sectionData      = 11

	opI32Const = 0x41
	opEnd      = 0x0b
)

var errNoImage = errors.New("the module's data is not of the simple kind")

// splitData takes the data out of a module, as the memory that an instance
// begins with. An error means that the module must stay as it is.
func splitData(wasm []byte) (without []byte, memory []byte, err error) {
	const header = 8
	if len(wasm) < header {
		return nil, nil, errNoImage
	}
	without = append(make([]byte, 0, len(wasm)), wasm[:header]...)
	for rest := wasm[header:]; len(rest) > 0; {
		id := rest[0]
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || size > uint64(len(rest)-1-n) {
			return nil, nil, errNoImage
		}
		end := 1 + n + int(size)
		section := cursor{b: rest[1+n : end]}
		switch id {
		case sectionMemory:
			memory, err = section.memory()
		case sectionData:
			err = section.data(memory)
		case sectionDataCount:
		default:
			without = append(without, rest[:end]...)
		}
		if id == sectionMemory {
			without = append(without, rest[:end]...)
		}
		if err != nil {
			return nil, nil, err
		}
		rest = rest[end:]
	}
	return without, memory, nil
}

// cursor reads a section. After the end there are zeros, and short is set.
type cursor struct {
	b     []byte
	short bool
}

func (c *cursor) number() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.b, c.short = nil, true
		return 0
	}
	c.b = c.b[n:]
	return v
}

// signed is the argument of i32.const, as an address.
func (c *cursor) signed() uint64 {
	var v, shift uint64
	for i, part := range c.b {
		v |= uint64(part&0x7f) << shift
		shift += 7
		if part&0x80 == 0 {
			if part&0x40 != 0 && shift < 64 {
				v |= math.MaxUint64 << shift
			}
			c.b = c.b[i+1:]
			return v & math.MaxUint32
		}
		if shift > 35 {
			break
		}
	}
	c.b, c.short = nil, true
	return 0
}

// memory makes the only memory of the section.
func (c *cursor) memory() ([]byte, error) {
	count, flags, pages := c.number(), c.number(), c.number()
	if c.short || count != 1 || flags > 1 || pages > 1<<12 { // 256 MiB
		return nil, errNoImage
	}
	return make([]byte, pages<<16), nil
}

// data puts the section's segments into memory.
func (c *cursor) data(memory []byte) error {
	for range c.number() {
		kind, op, at, end, size := c.number(), c.number(), c.signed(), c.number(), c.number()
		if c.short || kind != 0 || op != opI32Const || end != opEnd || size > uint64(len(c.b)) || at+size > uint64(len(memory)) {
			return errNoImage
		}
		copy(memory[at:], c.b[:size])
		c.b = c.b[size:]
	}
	if c.short || len(c.b) > 0 {
		return errNoImage
	}
	return nil
}
