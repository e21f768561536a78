package wasmbuild

import (
	"errors"
	"slices"
)

const (
	sectionType     = 1
	sectionFunction = 3
	sectionStart    = 8

	// An entry of the linker's table of functions (runtime.findfunctab): an
	// index, of which two bytes are enough, and 16 bytes that a function in
	// WebAssembly never needs, because it has a page of program counters of its own.
	entrySize = 20
	entryKept = 2
	minSpread = 1000 // entries, below which it is not worth a function
)

// Spread shrinks the one large table that is nearly all zeros: every function
// of a Go program has 16 entries of 20 bytes there, whose first two are used,
// together a sixth of the module. It keeps those two, and adds a start
// function that puts them where they belong. The memory after instantiation is
// the same. A module without such a table, or with a start function, is
// returned as it is. The data must be coalesced.
func Spread(module []byte) ([]byte, error) {
	var at uint32
	var entries int
	var mark int // an entry that shows whether the table has been spread
	var functions, types uint64
	started := false
	_, err := mapSections(module, func(id byte, body []byte) ([]byte, error) {
		r := reader{b: body}
		switch id {
		case sectionType:
			types = r.unsigned()
		case sectionImport, sectionFunction:
			functions += r.unsigned() // only functions are imported: see importType
		case sectionStart:
			started = true
		case sectionData:
			segments, err := readSegments(body)
			for _, s := range segments {
				if uint64(s.offset)+uint64(len(s.data)) > 1<<32 {
					return nil, errors.New("wasm: data outside of the memory")
				}
				if offset, n := findTable(s.data); n > entries {
					at, entries, mark = s.offset+uint32(offset), n, findMark(s.data[offset:], n)
				}
			}
			return body, err
		}
		return body, r.err
	})
	if err != nil || entries < minSpread || started || types == 0 {
		return module, err
	}
	module, err = mapSections(module, func(id byte, body []byte) ([]byte, error) {
		switch id {
		case sectionType:
			return appendEntry(body, []byte{0x60, 0, 0})
		case sectionFunction:
			return appendEntry(body, appendUnsigned(nil, types))
		case sectionCode:
			code := spreader(at, entries, mark)
			return appendEntry(body, append(appendUnsigned(nil, uint64(len(code))), code...))
		case sectionData:
			segments, err := readSegments(body)
			return writeSegments(squeeze(segments, at, entries)), err
		}
		return body, nil
	})
	if err != nil {
		return nil, err
	}
	return insertStart(module, functions)
}

// findTable is the longest run of entries in data, and how many they are.
func findTable(data []byte) (offset, entries int) {
	for first := range min(entrySize, len(data)) {
		run := 0
		for end := first + entrySize; end <= len(data); end += entrySize {
			if slices.ContainsFunc(data[end-entrySize+entryKept:end], func(b byte) bool { return b != 0 }) {
				run = 0
			} else if run++; run > entries {
				offset, entries = end-run*entrySize, run
			}
		}
	}
	return offset, entries
}

// findMark is the last entry that is not zero, and lies where zeros are before the
// table is spread; 0 when there is none.
func findMark(table []byte, entries int) int {
	for i := entries - 1; i*entrySize >= entries*entryKept; i-- {
		if table[i*entrySize] != 0 || table[i*entrySize+1] != 0 {
			return i
		}
	}
	return 0
}

// squeeze puts the kept bytes of the table side by side.
func squeeze(segments []segment, at uint32, entries int) []segment {
	var out []segment
	for _, s := range segments {
		if at < s.offset || uint64(at) >= uint64(s.offset)+uint64(len(s.data)) {
			out = append(out, s)
			continue
		}
		start := int(at - s.offset)
		end := start + entries*entrySize
		dense := slices.Clone(s.data[:start])
		for entry := start; entry < end; entry += entrySize {
			dense = append(dense, s.data[entry:entry+entryKept]...)
		}
		out = append(out, segment{s.offset, dense})
		if end < len(s.data) {
			out = append(out, segment{s.offset + uint32(end), s.data[end:]})
		}
	}
	return out
}

// spreader is the body of the start function. It begins with the last entry, so
// that none is overwritten before it has been read. When the mark is there it does
// nothing: a host may give an instance the memory that another one began with.
func spreader(at uint32, entries, mark int) []byte {
	memory := func(op, align byte) []byte { return appendUnsigned([]byte{op, align}, uint64(at)) }
	code := []byte{1, 1, 0x7f} // one i32
	if mark > 0 {
		code = append(appendSigned(append(code, 0x41), int64(mark*entrySize)), memory(0x2f, 0)...) // i32.load16_u
		code = append(code, 0x04, 0x40, 0x0f, opEnd)                                               // if: return
	}
	code = append(code, 0x41) // i32.const
	code = append(appendSigned(code, int64(entries)), 0x21, 0, opLoop, 0x40)
	code = append(code, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0) // i--
	code = append(code, 0x41, entrySize, 0x6c)           // where to
	code = append(code, 0x20, 0, 0x41, 1, 0x74)          // from where
	code = append(code, memory(0x2f, 0)...)              // i32.load16_u
	code = append(code, 0x20, 0, 0x41, 1, 0x74, 0x41, 0) // clear that
	code = append(code, memory(0x3b, 0)...)              // i32.store16
	code = append(code, memory(0x3b, 0)...)              // i32.store16
	return append(code, 0x20, 0, 0x0d, 0, opEnd, opEnd)  // until i is 0
}

// insertStart adds the section that names the start function, in its place
// before elements, counts, code and data.
func insertStart(module []byte, function uint64) ([]byte, error) {
	r := reader{b: module[len(header):]}
	for len(r.b) > 0 {
		here := len(module) - len(r.b)
		id := r.byte()
		if id > sectionStart {
			body := appendUnsigned(nil, function)
			start := append(appendUnsigned([]byte{sectionStart}, uint64(len(body))), body...)
			return slices.Insert(slices.Clone(module), here, start...), nil
		}
		r.bytes(r.unsigned())
	}
	return nil, errors.New("wasm: no code")
}
