package pickle

// maxDepth is how deep sessions nest at most, as in session_data.
const maxDepth = 200

// Limits bound what decoding may cost. Zero fields are the defaults, which are
// beyond what memcached stores as one value.
type Limits struct {
	Bytes    int // length of the pickle; default 1 MiB
	Depth    int // nesting of containers in a value; default, and at most, 200
	Values   int // values, marks and memo entries that opcodes make, and values written out; default 131072
	Expanded int // length of all JSON text and fragments, shared references written out, and of all keys that dicts are given; default 8 MiB
}

func (l Limits) filled() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 1 << 20
	}
	if l.Depth <= 0 || l.Depth > maxDepth {
		l.Depth = maxDepth
	}
	if l.Values <= 0 {
		l.Values = 1 << 17
	}
	if l.Expanded <= 0 {
		l.Expanded = 8 << 20
	}
	return l
}
