package pickle

func (m *machine) tuple(n int) Reason {
	if m.reach() < n {
		return ReasonStack
	}
	at := len(m.stack) - n
	v := frozen(kindTuple, m.stack[at:])
	m.stack = m.stack[:at]
	return m.push(v)
}

// collect makes one value of what is above the last mark.
func (m *machine) collect() Reason {
	items, ok := m.popMark()
	if !ok {
		return ReasonStack
	}
	var v value
	switch m.op {
	case opTuple:
		v = frozen(kindTuple, items)
	case opFrozenSet:
		if v = frozen(kindFrozenSet, items); v.box.unhashable {
			return ReasonType
		}
	case opList:
		v = container(kindList, append([]value(nil), items...)...)
	case opDict:
		v = container(kindDict)
		if reason := m.setAll(v.box, items); reason != none {
			return reason
		}
	}
	return m.push(v)
}

// extend puts values into the container below them.
func (m *machine) extend() Reason {
	var items []value
	ok := true
	switch m.op {
	case opAppend:
		if ok = m.reach() >= 1; ok {
			items = m.stack[len(m.stack)-1:]
		}
	case opSetItem:
		if ok = m.reach() >= 2; ok {
			items = m.stack[len(m.stack)-2:]
		}
	default:
		items, ok = m.popMark()
	}
	if !ok {
		return ReasonStack
	}
	if m.op == opAppend || m.op == opSetItem {
		m.stack = m.stack[:len(m.stack)-len(items)]
	}
	if m.reach() == 0 {
		return ReasonStack
	}
	target := m.stack[len(m.stack)-1]
	switch m.op {
	case opSetItem, opSetItems:
		if target.kind != kindDict {
			return ReasonType
		}
		return m.setAll(target.box, items)
	case opAddItems:
		if target.kind != kindSet {
			return ReasonType
		}
		for _, item := range items {
			if !item.hashable() {
				return ReasonType
			}
		}
	default:
		if target.kind != kindList {
			return ReasonType
		}
	}
	target.box.items = append(target.box.items, items...)
	return none
}

// setAll enters keys and values. Keys are compared with others, so their length
// is spent as that of what is written out, also of those that no one will see.
func (m *machine) setAll(b *box, items []value) Reason {
	if len(items)%2 != 0 {
		return ReasonStack
	}
	for i := 0; i < len(items); i += 2 {
		if m.keys += len(items[i].text); m.keys > m.limits.Expanded {
			return ReasonExpanded
		}
		if reason := b.set(items[i], items[i+1]); reason != none {
			return reason
		}
	}
	return none
}
