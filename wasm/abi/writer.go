package abi

import (
	"encoding/binary"

	"github.com/djedge/djedge/djsession/query"
)

// Everything is appended to the caller's buffer, so that a buffer which is
// used again and again makes encoding free of allocations.

func putBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func putU32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
func putCount(b []byte, n int) []byte  { return putU32(b, uint32(n)) }
func putI64(b []byte, v int64) []byte  { return binary.LittleEndian.AppendUint64(b, uint64(v)) }

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
	for _, v := range vs {
		b = putValue(b, v)
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
	binary.LittleEndian.PutUint32(b[at-4:at], uint32(len(b)-at))
	return b
}
