package wasmbuild

import (
	"bytes"
	"errors"
	"fmt"
)

// FuelExport is the mutable i64 global that [Meter] adds.
const FuelExport = "djedge_fuel"

const (
	sectionImport = 2
	sectionGlobal = 6
	sectionExport = 7
	sectionCode   = 10

	kindGlobal = 3
	noLimit    = 1<<63 - 1
)

// Meter makes every loop of a module count: each iteration takes one from the
// exported global djedge_fuel, and at zero the module traps. Recursion ends at
// the stack's limit by itself, so a call into the module always ends after a
// known amount of work. A host sets the global before a call; one that does
// not starts with 2^63-1 and never notices.
//
// It is done to the code because no host can do it from outside: wazero's
// compiled code is not preempted, so that a loop without end would even stop
// the garbage collector of the whole program, and a JavaScript host has one
// thread.
func Meter(module []byte) ([]byte, error) {
	global, err := countGlobals(module)
	if err != nil {
		return nil, err
	}
	return mapSections(module, func(id byte, body []byte) ([]byte, error) {
		switch id {
		case sectionGlobal:
			entry := appendSigned([]byte{0x7e, 1, 0x42}, noLimit) // i64, mutable, i64.const
			return appendEntry(body, append(entry, 0x0b))
		case sectionExport:
			entry := appendUnsigned(nil, uint64(len(FuelExport)))
			entry = append(append(entry, FuelExport...), kindGlobal)
			return appendEntry(body, appendUnsigned(entry, global))
		case sectionCode:
			return meterCode(body, global)
		}
		return body, nil
	})
}

// mapSections gives every section to f and puts the answers together again.
func mapSections(module []byte, f func(id byte, body []byte) ([]byte, error)) ([]byte, error) {
	if !bytes.HasPrefix(module, []byte(header)) {
		return nil, errors.New("wasm: not a module")
	}
	out := append(make([]byte, 0, len(module)+len(module)/4), header...)
	r := reader{b: module[len(header):]}
	for len(r.b) > 0 {
		id := r.byte()
		body := r.bytes(r.unsigned())
		if r.err != nil {
			return nil, r.err
		}
		body, err := f(id, body)
		if err != nil {
			return nil, err
		}
		out = append(out, id)
		out = appendUnsigned(out, uint64(len(body)))
		out = append(out, body...)
	}
	return out, nil
}

// appendEntry adds one entry at the end of a section that is a vector.
func appendEntry(body, entry []byte) ([]byte, error) {
	r := reader{b: body}
	count := r.unsigned()
	out := appendUnsigned(nil, count+1)
	return append(append(out, r.b...), entry...), r.err
}

// countGlobals is the index that the next global gets. A module without a
// section of globals cannot be metered; Go's always have one.
func countGlobals(module []byte) (uint64, error) {
	var count uint64
	found := false
	_, err := mapSections(module, func(id byte, body []byte) ([]byte, error) {
		switch r := (reader{b: body}); id {
		case sectionImport:
			for n := r.unsigned(); n > 0 && r.err == nil; n-- {
				r.bytes(r.unsigned())
				r.bytes(r.unsigned())
				r.importType()
			}
			return body, r.err
		case sectionGlobal:
			found = true
			count = r.unsigned()
			return body, r.err
		}
		return body, nil
	})
	if err == nil && !found {
		err = errors.New("wasm: no globals")
	}
	return count, err
}

func meterCode(body []byte, global uint64) ([]byte, error) {
	toll := appendUnsigned([]byte{0x23}, global) // global.get
	toll = append(toll, 0x50, 0x04, 0x40, 0x00, 0x0b)
	// i64.eqz, if, unreachable, end
	toll = appendUnsigned(append(toll, 0x23), global)
	toll = append(toll, 0x42, 0x7f, 0x7c, 0x24) // i64.const -1, i64.add, global.set
	toll = appendUnsigned(toll, global)

	r := reader{b: body}
	count := r.unsigned()
	out := appendUnsigned(make([]byte, 0, 2*len(body)), count)
	var function []byte
	for i := uint64(0); i < count && r.err == nil; i++ {
		code := reader{b: r.bytes(r.unsigned())}
		function = function[:0]
		for len(code.b) > 0 && code.err == nil {
			rest := code.b
			op := byte(0)
			if len(function) == 0 {
				code.locals()
			} else if op = code.byte(); code.err == nil {
				code.immediates(op)
			}
			function = append(function, rest[:len(rest)-len(code.b)]...)
			if op == opLoop {
				function = append(function, toll...)
			}
		}
		if code.err != nil {
			return nil, fmt.Errorf("function %d: %w", i, code.err)
		}
		out = appendUnsigned(out, uint64(len(function)))
		out = append(out, function...)
	}
	return out, r.err
}
