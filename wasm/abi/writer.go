package abi

import "github.com/djedge/djedge/djsession/query"

// Everything is appended to the caller's buffer, so that a buffer which is
// used again and again makes encoding free of allocations.

func putBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func putU32(b []byte, v uint32) []byte {
	b = append(b, 0, 0, 0, 0)
	store32(b, len(b)-4, v)
	return b
}

func putCount(b []byte, n int) []byte { return putU32(b, uint32(n)) }

func putI64(b []byte, v int64) []byte {
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	store64(b, len(b)-8, uint64(v))
	return b
}

func putText[T ~string | []byte](b []byte, s T) []byte {
	return append(putCount(b, len(s)), s...)
}

func putValue(b []byte, v query.Value) []byte {
	b = append(b, byte(v.Kind()))
	switch v.Kind() {
	case query.KindNull:
	case query.KindBool:
		b = putBool(b, v.Bool())
	case query.KindText, query.KindBytes:
		b = putText(b, v.Text())
	default:
		b = putI64(b, v.Bits())
	}
	return b
}

func putValues(b []byte, vs []query.Value) []byte {
	b = putCount(b, len(vs))
	for i := range vs {
		v := &vs[i]
		switch k := v.Kind(); k {
		case query.KindNull:
			b = append(b, byte(k))
		case query.KindText:
			s := v.Text()
			b = append(b, byte(k), 0, 0, 0, 0)
			store32(b, len(b)-4, uint32(len(s)))
			b = append(b, s...)
		case query.KindInt, query.KindTime:
			b = append(b, byte(k), 0, 0, 0, 0, 0, 0, 0, 0)
			store64(b, len(b)-8, uint64(v.Bits()))
		default:
			b = putValue(b, *v)
		}
	}
	return b
}

// openFrame and openRecord leave room for a length that closeRecord fills in.
func openFrame(b []byte, kind FrameKind) ([]byte, int) {
	return openRecord(append(b, byte(kind)))
}

func openRecord(b []byte) ([]byte, int) {
	return append(b, 0, 0, 0, 0), len(b) + 4
}

func closeRecord(b []byte, at int) []byte {
	store32(b, at-4, uint32(len(b)-at))
	return b
}
