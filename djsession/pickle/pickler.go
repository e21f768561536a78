package pickle

import "encoding/binary"

// fragmentProtocol is whose opcodes fragments are made of.
const fragmentProtocol = 4

// pickler writes opcodes, none of the memo among them. For protocols 2 and 3 a
// few may be of a later one (for sets, and bytes in protocol 2): Python 3 obeys
// every opcode that it knows, whatever protocol is announced, and what was read
// from a pickle came from a Python that knows them.
type pickler struct {
	out      []byte
	protocol int
}

func (p *pickler) op(b byte) { p.out = append(p.out, b) }

func (p *pickler) value(v value, depth int) Reason {
	switch v.kind {
	case kindNone:
		p.op(opNone)
	case kindBool:
		p.boolean(v.bits != 0)
	case kindInt:
		p.integer(int64(v.bits))
	case kindLong:
		p.long(v.text)
	case kindFloat:
		p.float(v.bits)
	case kindText:
		p.text(v.text)
	case kindBytes:
		p.sized(opShortBinBytes, opBinBytes, opBinBytes8, v.text)
	case kindByteArray:
		p.op(opByteArray8)
		p.out = binary.LittleEndian.AppendUint64(p.out, uint64(len(v.text)))
		p.out = append(p.out, v.text...)
	case kindDateTime, kindTimeZone, kindTimeDelta, kindPytzUTC:
		p.op(opGlobal)
		p.out = append(p.out, v.kind.callable().global()...)
		if reason := p.tuple(v.box.items, depth); reason != none {
			return reason
		}
		p.op(opReduce)
	case kindGlobal:
		return ReasonGlobal
	default:
		if depth <= 0 {
			return ReasonDepth
		}
		return p.container(v, depth-1)
	}
	return none
}

func (p *pickler) container(v value, depth int) Reason {
	items := v.box.items
	switch v.kind {
	case kindTuple:
		return p.tuple(items, depth)
	case kindFrozenSet:
		p.op(opMark)
		reason := p.values(items, depth)
		p.op(opFrozenSet)
		return reason
	case kindList:
		return p.filled(opEmptyList, opAppends, items, depth)
	case kindSet:
		return p.filled(opEmptySet, opAddItems, items, depth)
	}
	return p.filled(opEmptyDict, opSetItems, items, depth)
}

func (p *pickler) filled(empty, fill byte, items []value, depth int) Reason {
	p.op(empty)
	if len(items) == 0 {
		return none
	}
	p.op(opMark)
	reason := p.values(items, depth)
	p.op(fill)
	return reason
}

func (p *pickler) values(items []value, depth int) Reason {
	for _, item := range items {
		if reason := p.value(item, depth); reason != none {
			return reason
		}
	}
	return none
}

func (p *pickler) tuple(items []value, depth int) Reason {
	switch n := len(items); n {
	case 0:
		p.op(opEmptyTuple)
		return none
	case 1, 2, 3:
		reason := p.values(items, depth)
		p.op(opTuple1 + byte(n-1))
		return reason
	}
	p.op(opMark)
	reason := p.values(items, depth)
	p.op(opTuple)
	return reason
}

// entry is the fragment of a key that is no text, and its value.
func (p *pickler) entry(key, v value) Reason {
	if reason := p.value(key, 0); reason != none {
		return reason
	}
	return p.value(v, maxDepth)
}

func (p *pickler) boolean(b bool) {
	if b {
		p.op(opNewTrue)
		return
	}
	p.op(opNewFalse)
}

func (p *pickler) integer(n int64) {
	switch {
	case n >= 0 && n <= 0xff:
		p.out = append(p.out, opBinInt1, byte(n))
	case n >= 0 && n <= 0xffff:
		p.out = append(p.out, opBinInt2, byte(n), byte(n>>8))
	case n == int64(int32(n)):
		p.op(opBinInt)
		p.out = binary.LittleEndian.AppendUint32(p.out, uint32(n))
	default:
		p.out = append(p.out, opLong1, 0)
		at := len(p.out)
		p.out = appendLong(p.out, n)
		p.out[at-1] = byte(len(p.out) - at)
	}
}

func (p *pickler) long(s string) {
	if len(s) <= 0xff {
		p.out = append(p.out, opLong1, byte(len(s)))
	} else {
		p.op(opLong4)
		p.out = binary.LittleEndian.AppendUint32(p.out, uint32(len(s)))
	}
	p.out = append(p.out, s...)
}

func (p *pickler) float(bits uint64) {
	p.op(opBinFloat)
	p.out = binary.BigEndian.AppendUint64(p.out, bits)
}

func (p *pickler) text(s string) {
	if p.protocol < 4 && uint64(len(s)) <= 0xffffffff {
		p.op(opBinUnicode)
		p.out = binary.LittleEndian.AppendUint32(p.out, uint32(len(s)))
		p.out = append(p.out, s...)
		return
	}
	p.sized(opShortBinUnicode, opBinUnicode, opBinUnicode8, s)
}

// sized writes s with the shortest length that can tell it.
func (p *pickler) sized(short, middle, long byte, s string) {
	switch n := uint64(len(s)); {
	case n <= 0xff:
		p.out = append(p.out, short, byte(n))
	case n <= 0xffffffff:
		p.op(middle)
		p.out = binary.LittleEndian.AppendUint32(p.out, uint32(n))
	default:
		p.op(long)
		p.out = binary.LittleEndian.AppendUint64(p.out, n)
	}
	p.out = append(p.out, s...)
}
