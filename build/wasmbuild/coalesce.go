package wasmbuild

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

const (
	header      = "\x00asm\x01\x00\x00\x00"
	sectionData = 11

	// maxGap is how many zeros may be written between two segments to make
	// them one. Go's linker leaves out runs of zeros and so emits tens of
	// thousands of segments, each of which a host initialises by itself;
	// compression makes the zeros cheap. See RATIONALE.md for the figures.
	maxGap = 4096
)

// segment is an active data segment of memory 0 at a constant offset.
type segment struct {
	offset uint32
	data   []byte
}

// Coalesce joins the data segments of a module that lie close together. The
// memory after instantiation is the same.
func Coalesce(module []byte) ([]byte, error) {
	return mapSections(module, func(id byte, body []byte) ([]byte, error) {
		if id != sectionData {
			return body, nil
		}
		segments, err := readSegments(body)
		if err != nil {
			return nil, err
		}
		if segments, err = join(segments); err != nil {
			return nil, err
		}
		return writeSegments(segments), nil
	})
}

func readSegments(body []byte) ([]segment, error) {
	r := reader{b: body}
	count := r.unsigned()
	var segments []segment
	for i := uint64(0); i < count && r.err == nil; i++ {
		flags, op := r.byte(), r.byte()
		offset := uint32(r.signed())
		end := r.byte()
		data := r.bytes(r.unsigned())
		if r.err == nil && (flags != 0 || op != 0x41 || end != 0x0b) {
			return nil, fmt.Errorf("wasm: data segment %d is not active at a constant", i)
		}
		segments = append(segments, segment{offset, data})
	}
	if r.err == nil && len(r.b) != 0 {
		return nil, errors.New("wasm: bytes after the data section")
	}
	return segments, r.err
}

// join wants order: the linker does not sort segments, and a later one would
// otherwise be overwritten by the zeros of an earlier one.
func join(segments []segment) ([]segment, error) {
	slices.SortStableFunc(segments, func(a, b segment) int { return cmp.Compare(a.offset, b.offset) })
	var joined []segment
	for _, s := range segments {
		if len(s.data) == 0 {
			continue
		}
		if len(joined) == 0 {
			joined = append(joined, segment{s.offset, slices.Clone(s.data)})
			continue
		}
		last := &joined[len(joined)-1]
		end := uint64(last.offset) + uint64(len(last.data))
		if uint64(s.offset) < end {
			return nil, errors.New("wasm: data segments overlap")
		}
		if gap := uint64(s.offset) - end; gap <= maxGap {
			last.data = append(append(last.data, make([]byte, gap)...), s.data...)
		} else {
			joined = append(joined, segment{s.offset, slices.Clone(s.data)})
		}
	}
	return joined, nil
}

func writeSegments(segments []segment) []byte {
	out := appendUnsigned(nil, uint64(len(segments)))
	for _, s := range segments {
		out = append(out, 0, 0x41)
		out = appendSigned(out, int64(int32(s.offset)))
		out = append(out, 0x0b)
		out = appendUnsigned(out, uint64(len(s.data)))
		out = append(out, s.data...)
	}
	return out
}
