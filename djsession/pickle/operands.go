package pickle

// unsigned reads a little endian number of so many bytes.
func (m *machine) unsigned(width int) (n uint64, ok bool) {
	if len(m.data)-m.pos < width {
		return 0, false
	}
	for i := width - 1; i >= 0; i-- {
		n = n<<8 | uint64(m.data[m.pos+i])
	}
	m.pos += width
	return n, true
}

// bytes reads a length of so many bytes, and as many bytes as it says. They are
// a part of data.
func (m *machine) bytes(width int) (s string, ok bool) {
	n, ok := m.unsigned(width)
	if !ok || n > uint64(len(m.data)-m.pos) {
		return "", false
	}
	s = m.data[m.pos : m.pos+int(n)]
	m.pos += int(n)
	return s, true
}

func (m *machine) sized(k kind, width int) Reason {
	s, ok := m.bytes(width)
	if !ok {
		return ReasonTruncated
	}
	return m.push(value{kind: k, text: s})
}

func (m *machine) text() Reason {
	s, ok := m.bytes(lengthOf(m.op))
	if !ok {
		return ReasonTruncated
	}
	if !validText(s) {
		return ReasonText
	}
	return m.push(value{kind: kindText, text: s})
}

func (m *machine) number() Reason {
	if m.op == opLong1 || m.op == opLong4 {
		s, ok := m.bytes(lengthOf(m.op)) // LONG4's length is signed; a negative one is too long
		if !ok {
			return ReasonTruncated
		}
		v := long(s)
		if len(v.text) > maxLong {
			return ReasonInteger
		}
		return m.push(v)
	}
	n, ok := m.unsigned(lengthOf(m.op))
	if !ok {
		return ReasonTruncated
	}
	switch m.op {
	case opBinInt:
		return m.push(integer(int64(int32(n))))
	case opBinFloat: // the one number in big endian
		var bits uint64
		for range 8 {
			bits = bits<<8 | n&0xff
			n >>= 8
		}
		return m.push(value{kind: kindFloat, bits: bits})
	}
	return m.push(integer(int64(n)))
}
