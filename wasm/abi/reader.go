package abi

import "github.com/djedge/djedge/djsession/query"

// reader takes a message apart. Its first error stops it: every later read
// gives zero. Strings are parts of one copy of the message.
//
// A record may end early, at the edge of a field: an older writer did not know
// the fields after it, and they are zero. It may also go on: a newer writer
// knows more, and the rest is skipped. Inside a list neither may happen.
type reader struct {
	s        string
	pos, end int
	elements int  // how many list elements may still come
	strict   bool // no field may be missing here
	err      error
	memory   *Memory // nil: everything is allocated
	table    *Table  // nil, or where lists are remembered
	few      *few    // nil, or room for what is mostly little
}

func newReader(frame []byte, kind FrameKind, memory *Memory) reader {
	r := reader{elements: maxElements, strict: true, memory: memory}
	if len(frame) > MaxFrame {
		r.fail("too long")
		return r
	}
	r.end = len(frame)
	if memory == nil {
		r.s = string(frame)
	} else {
		r.s = memory.hold(frame)
	}
	if k := FrameKind(r.u8()); r.err == nil && k != kind {
		r.fail("unexpected kind")
	}
	if n := r.u32(); r.err == nil && int64(n) != int64(r.end-r.pos) {
		r.fail("length does not match")
	}
	r.strict = false
	return r
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = &FrameError{What: what, Offset: r.pos}
	}
	r.pos = r.end
}

// have reports whether a field of n bytes is there.
func (r *reader) have(n int) bool {
	if r.err != nil {
		return false
	}
	if left := r.end - r.pos; left < n {
		if r.strict || left > 0 {
			r.fail("truncated")
		}
		return false
	}
	return true
}

// After an error nothing is left to read, so the ways below that find what they
// want at once need not ask for one.

func (r *reader) u8() byte {
	if r.pos < r.end {
		r.pos++
		return r.s[r.pos-1]
	}
	r.have(1)
	return 0
}

func (r *reader) bool() bool {
	v := r.u8()
	if v > 1 {
		r.fail("bool is neither 0 nor 1")
	}
	return v == 1
}

func (r *reader) u32() uint32 {
	if r.end-r.pos < 4 {
		r.have(4)
		return 0
	}
	n := load32(r.s, r.pos)
	r.pos += 4
	return n
}

func (r *reader) i64() int64 {
	if r.end-r.pos < 8 {
		r.have(8)
		return 0
	}
	n := load64(r.s, r.pos)
	r.pos += 8
	return int64(n)
}

// num32 is an i64 that must fit 32 bits without sign.
func (r *reader) num32() uint32 {
	v := r.i64()
	if v < 0 || v > 1<<32-1 {
		r.fail("number out of range")
		return 0
	}
	return uint32(v)
}

func (r *reader) text() string {
	if from := r.pos + 4; from <= r.end {
		if to := uint64(from) + uint64(load32(r.s, r.pos)); to <= uint64(r.end) {
			r.pos = int(to)
			return r.s[from:r.pos]
		}
	}
	n := r.u32()
	if r.err != nil {
		return ""
	}
	if int64(n) > int64(r.end-r.pos) {
		r.fail("text longer than its record")
		return ""
	}
	r.pos += int(n)
	return r.s[r.pos-int(n) : r.pos]
}

func (r *reader) bytes() []byte {
	s := r.text()
	if s == "" {
		return nil
	}
	return []byte(s)
}

// kind is a value's, or with the most that it may be a column's.
func (r *reader) kind(most query.Kind) query.Kind {
	k := query.Kind(r.u8())
	if k > most {
		r.fail("unknown kind of value")
		return query.KindNull
	}
	return k
}

func (r *reader) value() query.Value {
	if r.pos < r.end {
		switch k := query.Kind(r.s[r.pos]); {
		case k == query.KindNull:
			r.pos++
			return query.Value{}
		case k == query.KindText && r.end-r.pos > 4:
			from := r.pos + 5
			if to := uint64(from) + uint64(load32(r.s, r.pos+1)); to <= uint64(r.end) {
				r.pos = int(to)
				return query.Text(r.s[from:r.pos])
			}
		case (k == query.KindInt || k == query.KindTime) && r.end-r.pos > 8:
			r.pos += 9
			return query.FromBits(k, int64(load64(r.s, r.pos-8)))
		}
	}
	return r.anyValue()
}

// anyValue reads what is rare or not whole.
func (r *reader) anyValue() query.Value {
	k := r.kind(query.KindTime)
	strict := r.strict
	r.strict = true // once there is a tag, its value must follow
	var v query.Value
	switch k {
	case query.KindNull:
	case query.KindBool:
		v = query.Bool(r.bool())
	case query.KindText:
		v = query.Text(r.text())
	case query.KindBytes:
		v = query.Bytes(r.text())
	default:
		v = query.FromBits(k, r.i64())
	}
	r.strict = strict
	if r.err != nil {
		return query.Null()
	}
	return v
}

func (r *reader) values() []query.Value {
	n, outer := r.openList(1)
	if n == 0 {
		return nil
	}
	var vs []query.Value
	if r.memory != nil {
		vs = r.memory.values.take(n)
	} else if vs = r.few.take(n); vs == nil {
		vs = make([]query.Value, n)
	}
	r.readValues(vs)
	r.closeList(outer)
	return vs
}

// readValues is value for each of vs, which are null. What a row mostly holds is
// read without a call, which a guest pays dearly.
func (r *reader) readValues(vs []query.Value) {
	s, pos, end := r.s[:r.end], r.pos, r.end
	for i := range vs {
		if pos < end {
			switch k := query.Kind(s[pos]); k {
			case query.KindNull:
				pos++
				continue
			case query.KindText:
				if from := pos + 5; from <= end {
					if to := uint64(from) + uint64(load32(s, pos+1)); to <= uint64(end) {
						pos = int(to)
						vs[i] = query.Text(s[from:pos])
						continue
					}
				}
			case query.KindInt, query.KindTime:
				if pos+9 <= end {
					vs[i] = query.FromBits(k, int64(load64(s, pos+1)))
					pos += 9
					continue
				}
			case query.KindBool:
				if pos+2 <= end && s[pos+1] <= 1 {
					vs[i] = query.Bool(s[pos+1] == 1)
					pos += 2
					continue
				}
			}
		}
		r.pos = pos
		vs[i] = r.anyValue()
		pos = r.pos
	}
	r.pos = pos
}

// openList reads a count of elements that take at least size bytes each.
// Nothing may be missing until closeList.
func (r *reader) openList(size int) (n int, outer bool) {
	outer = r.strict
	count := r.u32()
	if r.err == nil && int64(count)*int64(size) > int64(r.end-r.pos) {
		r.fail("more elements than bytes")
	}
	if r.err == nil && int64(count) > int64(r.elements) {
		r.fail("too many elements")
	}
	if r.err != nil || count == 0 {
		return 0, outer
	}
	r.elements -= int(count)
	r.strict = true
	return int(count), outer
}

func (r *reader) closeList(outer bool) { r.strict = outer }

// scope is what surrounds a record.
type scope struct {
	end    int
	strict bool
}

func (r *reader) openRecord() scope {
	outer := scope{r.end, r.strict}
	n := r.u32()
	if r.err == nil && int64(n) > int64(r.end-r.pos) {
		r.fail("record longer than what surrounds it")
	}
	if r.err == nil {
		r.end = r.pos + int(n)
	}
	r.strict = false
	return outer
}

func (r *reader) closeRecord(outer scope) {
	r.pos = r.end
	r.end, r.strict = outer.end, outer.strict
	if r.err != nil {
		r.pos = r.end
	}
}
