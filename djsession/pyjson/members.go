package pyjson

// Member is one entry of an object: its key, decoded, and the text of its
// value, which is a part of the text that was read.
type Member struct{ Key, Raw string }

// Object reads one object, whose values may nest maxDepth deep. As in Python,
// the last of several equal keys wins and stands where the first one stood.
func Object(text string, maxDepth int) ([]Member, error) {
	p := parser{s: text}
	p.space()
	if !p.accept('{') {
		return nil, ErrSyntax
	}
	var members []Member
	var seen index
	ok, err := p.begin('}')
	for ; ok; ok, err = p.more('}') {
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		start := p.i
		if err := p.value(maxDepth); err != nil {
			return nil, err
		}
		m := Member{unquote(key), text[start:p.i]}
		if members == nil {
			members = make([]Member, 0, 8)
		}
		if at := seen.find(members, m.Key); at >= 0 {
			members[at].Raw = m.Raw
			continue
		}
		members = append(members, m)
	}
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, err
	}
	return members, nil
}

// Array reads one array, whose elements may nest maxDepth deep. The results
// are parts of text.
func Array(text string, maxDepth int) ([]string, error) {
	p := parser{s: text}
	p.space()
	if !p.accept('[') {
		return nil, ErrSyntax
	}
	var elements []string
	ok, err := p.begin(']')
	for ; ok; ok, err = p.more(']') {
		start := p.i
		if err := p.value(maxDepth); err != nil {
			return nil, err
		}
		elements = append(elements, text[start:p.i])
	}
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, err
	}
	return elements, nil
}

// index finds keys: by looking at each while they are few, as in sessions,
// else by a map, so that no object costs quadratic time.
type index map[string]int

func (x *index) find(members []Member, key string) int {
	if len(members) < 16 {
		for i := range members {
			if members[i].Key == key {
				return i
			}
		}
		return -1
	}
	if *x == nil {
		*x = make(index, 2*len(members))
		for i, m := range members {
			(*x)[m.Key] = i
		}
	}
	if i, ok := (*x)[key]; ok {
		return i
	}
	(*x)[key] = len(members)
	return -1
}
