package pickle

// Member is one entry of a session.
type Member struct {
	// Key as text; lone surrogates as WTF-8.
	Key string
	// Raw is the value as JSON text, in the form in which json.dumps writes it
	// (without spaces): a view, where Pickled is set.
	Raw string
	// Pickled is "" when Key and Raw say everything. Otherwise it is opcodes
	// that write the value, or, when the key is no text, the key and then the
	// value; without memo, PROTO and STOP. Whoever changes Raw clears it.
	Pickled string
}

// Decode reads a session: a pickled dict, whose entries come in order. Bytes
// behind the pickle are ignored, as Python does. An error is an [*Error].
func Decode(data string, limits Limits) ([]Member, error) {
	m := machine{data: data, limits: limits.filled()}
	top, err := m.load()
	if err != nil {
		return nil, err
	}
	members, reason := members(top, m.limits)
	if reason != none {
		return nil, m.fail(reason)
	}
	return members, nil
}

// DecodeValue reads one value of any type, for caches that store more than
// sessions. The member has no key; rest is what follows the pickle.
func DecodeValue(data string, limits Limits) (m Member, rest string, err error) {
	vm := machine{data: data, limits: limits.filled()}
	v, err := vm.load()
	if err != nil {
		return Member{}, "", err
	}
	w := writer{limits: vm.limits}
	if reason := w.member(&m, v); reason != none {
		return Member{}, "", vm.fail(reason)
	}
	return m, data[vm.pos:], nil
}

func members(top value, limits Limits) ([]Member, Reason) {
	if top.kind != kindDict {
		return nil, ReasonTop
	}
	top.box.busy = true
	w := writer{limits: limits}
	out := make([]Member, 0, len(top.box.items)/2)
	unlike := false // a key that is no text
	for i := 0; i < len(top.box.items); i += 2 {
		key := top.box.items[i]
		m := Member{Key: key.text}
		if reason := w.member(&m, top.box.items[i+1]); reason != none {
			return nil, reason
		}
		if key.kind != kindText {
			unlike = true
			w.json = w.json[:0]
			if reason := w.key(key); reason != none {
				return nil, reason
			}
			m.Key = string(w.json[1 : len(w.json)-1])
			p := pickler{protocol: fragmentProtocol}
			if reason := p.entry(key, top.box.items[i+1]); reason != none {
				return nil, reason
			}
			m.Pickled = string(p.out)
			if reason := w.spend(len(m.Key) + len(m.Pickled)); reason != none {
				return nil, reason
			}
		}
		out = append(out, m)
	}
	if unlike {
		seen := make(map[string]bool, len(out))
		for _, m := range out {
			if seen[m.Key] {
				return nil, ReasonKey
			}
			seen[m.Key] = true
		}
	}
	return out, none
}
