package abi

import (
	"unsafe"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
)

// Memory is where decoded messages are kept, so that reading one allocates
// nothing once there is room for it. What was decoded is valid until Forget: a
// string that is to stay longer must be copied. The zero Memory is ready; it is
// not safe for use by several goroutines.
type Memory struct {
	text    slab[byte]
	values  slab[query.Value]
	rows    slab[[]query.Value]
	results slab[query.Result]
	answers slab[Answer]
	headers slab[gate.Header]
}

// Forget clears everything that was decoded, texts included.
func (m *Memory) Forget() {
	m.text.forget()
	m.values.forget()
	m.rows.forget()
	m.results.forget()
	m.answers.forget()
	m.headers.forget()
}

// hold is a copy of frame as a string. Nobody else has its bytes, and nobody
// writes them before Forget.
func (m *Memory) hold(frame []byte) string {
	b := m.text.take(len(frame))
	copy(b, frame)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// slab gives parts of one piece of memory.
type slab[T any] struct {
	all  []T
	full [][]T // the pieces before it, of which parts are in use
}

const (
	slabBytes = 2 << 10 // at first
	keepBytes = 64 << 10
)

func (s *slab[T]) take(n int) []T {
	used := len(s.all)
	if cap(s.all)-used < n {
		var one T
		if used > 0 { // what was taken before stays where it is
			s.full = append(s.full, s.all)
		}
		s.all, used = make([]T, 0, max(n, 2*cap(s.all), slabBytes/int(unsafe.Sizeof(one)))), 0
	}
	s.all = s.all[:used+n]
	return s.all[used : used+n : used+n]
}

func (s *slab[T]) forget() {
	var one T
	for _, piece := range s.full {
		clear(piece)
	}
	s.full = nil
	clear(s.all)
	s.all = s.all[:0]
	if cap(s.all)*int(unsafe.Sizeof(one)) > keepBytes {
		s.all = nil
	}
}
