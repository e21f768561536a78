package pickle

// machine obeys opcodes. It has no recursion and calls nothing.
type machine struct {
	data     string
	pos      int // of the next byte
	at       int // of the opcode that is obeyed
	op       byte
	limits   Limits
	spent    int // of limits.Values
	keys     int // length of the keys that were entered, of limits.Expanded
	fragment bool
	stack    []value
	marks    []int // heights of the stack; what is below the last one is out of reach
	memo     []value
}

func (m *machine) fail(r Reason) error { return &Error{Reason: r, Opcode: m.op, Offset: m.at} }

// load obeys a whole pickle and leaves pos behind it.
func (m *machine) load() (value, error) {
	if len(m.data) > m.limits.Bytes {
		return value{}, m.fail(ReasonSize)
	}
	if m.data == "" {
		return value{}, m.fail(ReasonTruncated)
	}
	m.op = m.data[0]
	if m.op != opProto {
		return value{}, m.fail(ReasonProtocol)
	}
	if len(m.data) < 2 {
		return value{}, m.fail(ReasonTruncated)
	}
	if version := m.data[1]; version < 2 || version > 5 {
		return value{}, m.fail(ReasonProtocol)
	}
	m.pos = 2
	m.stack = make([]value, 0, 16)
	for {
		if m.pos == len(m.data) {
			m.op, m.at = 0, m.pos
			return value{}, m.fail(ReasonTruncated)
		}
		m.next()
		if m.op == opStop {
			break
		}
		if reason := m.step(); reason != none {
			return value{}, m.fail(reason)
		}
	}
	v, ok := m.pop()
	if !ok {
		return value{}, m.fail(ReasonStack)
	}
	return v, nil
}

// loadFragment obeys a fragment and answers what it leaves on the stack.
func (m *machine) loadFragment() ([]value, error) {
	m.fragment = true
	for m.pos < len(m.data) {
		m.next()
		if reason := m.step(); reason != none {
			return nil, m.fail(reason)
		}
	}
	if len(m.marks) > 0 {
		return nil, m.fail(ReasonStack)
	}
	return m.stack, nil
}

func (m *machine) next() {
	m.at = m.pos
	m.op = m.data[m.pos]
	m.pos++
}

func (m *machine) step() Reason {
	switch m.op {
	case opNone:
		return m.push(value{})
	case opNewTrue, opNewFalse:
		return m.push(boolean(m.op == opNewTrue))
	case opBinInt, opBinInt1, opBinInt2, opBinFloat, opLong1, opLong4:
		return m.number()
	case opShortBinUnicode, opBinUnicode, opBinUnicode8:
		return m.text()
	case opShortBinBytes, opBinBytes, opBinBytes8:
		return m.sized(kindBytes, lengthOf(m.op))
	case opByteArray8:
		return m.sized(kindByteArray, 8)
	case opEmptyDict:
		return m.push(container(kindDict))
	case opEmptyList:
		return m.push(container(kindList))
	case opEmptySet:
		return m.push(container(kindSet))
	case opEmptyTuple:
		return m.push(container(kindTuple))
	case opTuple1, opTuple2, opTuple3:
		return m.tuple(int(m.op) - opTuple1 + 1)
	case opMark:
		m.marks = append(m.marks, len(m.stack))
		return m.count()
	case opDict, opList, opTuple, opFrozenSet:
		return m.collect()
	case opAppend, opAppends, opSetItem, opSetItems, opAddItems:
		return m.extend()
	case opMemoize, opBinPut, opLongBinPut:
		return m.put()
	case opBinGet, opLongBinGet:
		return m.get()
	case opGlobal:
		return m.global()
	case opStackGlobal:
		return m.stackGlobal()
	case opReduce:
		return m.reduce()
	case opFrame:
		return m.frame()
	}
	return ReasonOpcode
}

// count spends one of the values that are allowed.
func (m *machine) count() Reason {
	if m.spent++; m.spent > m.limits.Values {
		return ReasonValues
	}
	return none
}

func (m *machine) push(v value) Reason {
	m.stack = append(m.stack, v)
	return m.count()
}

// reach is how many values are above the last mark.
func (m *machine) reach() int {
	if len(m.marks) == 0 {
		return len(m.stack)
	}
	return len(m.stack) - m.marks[len(m.marks)-1]
}

func (m *machine) pop() (value, bool) {
	if m.reach() == 0 {
		return value{}, false
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, true
}

// popMark takes what is above the last mark, and the mark. The items are good
// until the next push.
func (m *machine) popMark() (items []value, ok bool) {
	if len(m.marks) == 0 {
		return nil, false
	}
	at := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	items = m.stack[at:]
	m.stack = m.stack[:at]
	return items, true
}

// put enters the top of the stack into the memo. Python's picklers count up, so
// an entry is a new one at the end or an old one.
func (m *machine) put() Reason {
	at := uint64(len(m.memo))
	if m.op != opMemoize {
		var ok bool
		if at, ok = m.unsigned(lengthOf(m.op)); !ok {
			return ReasonTruncated
		}
	}
	switch {
	case m.fragment:
		return ReasonOpcode
	case m.reach() == 0:
		return ReasonStack
	case at > uint64(len(m.memo)):
		return ReasonMemo
	case at == uint64(len(m.memo)):
		m.memo = append(m.memo, value{})
	}
	m.memo[at] = m.stack[len(m.stack)-1]
	return m.count()
}

func (m *machine) get() Reason {
	at, ok := m.unsigned(lengthOf(m.op))
	switch {
	case m.fragment:
		return ReasonOpcode
	case !ok:
		return ReasonTruncated
	case at >= uint64(len(m.memo)):
		return ReasonMemo
	}
	return m.push(m.memo[at])
}

// frame checks the length of a frame. As in Python's C unpickler, its end is
// the end of nothing.
func (m *machine) frame() Reason {
	n, ok := m.unsigned(8)
	switch {
	case m.fragment:
		return ReasonOpcode
	case !ok || n > uint64(len(m.data)-m.pos):
		return ReasonTruncated
	}
	return none
}
