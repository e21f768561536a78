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
// exported global djedge_fuel, or more where it is long (see [tolls]), and at
// zero the module traps. Recursion ends at
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
	r := reader{b: body}
	count := r.unsigned()
	out := appendUnsigned(make([]byte, 0, 2*len(body)), count)
	var function []byte
	for i := uint64(0); i < count && r.err == nil; i++ {
		code := reader{b: r.bytes(r.unsigned())}
		prices := tolls(code)
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
			if op == opLoop && code.err == nil {
				function = appendToll(function, global, prices[0])
				prices = prices[1:]
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

// perNanosecond is how many instructions of a long loop count as one iteration
// of a short one, which is taken for a nanosecond: engines run 13 to 41 of the
// hashing kernels' in that time.
const perNanosecond = 32

// tolls is what an iteration of each loop of a function costs, in the order in
// which the loops begin. It is 1, and for loops of straight code, which only
// assembly has, one more for every 32 instructions. A function that Go compiled
// is one loop around a table of jumps to its parts: there the length of the
// whole says nothing about an iteration.
func tolls(code reader) []int64 {
	type loop struct {
		instructions int64
		table        bool
	}
	var loops []loop
	open := []int{-1} // for each open block, the innermost loop
	code.locals()
	for len(code.b) > 0 && code.err == nil {
		op := code.byte()
		code.immediates(op)
		inner := open[len(open)-1]
		if inner >= 0 {
			loops[inner].instructions++
			loops[inner].table = loops[inner].table || op == opTable
		}
		switch op {
		case opBlock, opIf:
			open = append(open, inner)
		case opLoop:
			loops = append(loops, loop{})
			open = append(open, len(loops)-1)
		case opEnd:
			open = open[:max(1, len(open)-1)] // the last one ends the function
		}
	}
	prices := make([]int64, len(loops))
	for i, l := range loops {
		if prices[i] = 1; !l.table {
			prices[i] += l.instructions / perNanosecond
		}
	}
	return prices
}

// appendToll appends what a loop pays. The counter never gets below zero.
func appendToll(code []byte, global uint64, price int64) []byte {
	get := appendUnsigned([]byte{0x23}, global) // global.get
	set := appendUnsigned([]byte{0x24}, global) // global.set
	code = append(code, get...)
	if price == 1 {
		code = append(code, 0x50, opIf, 0x40, 0x00, opEnd) // i64.eqz, if, unreachable, end
	} else {
		code = appendSigned(append(code, 0x42), price) // i64.const
		code = append(code, 0x53, opIf, 0x40, 0x42, 0) // i64.lt_s, if, i64.const 0
		code = append(append(code, set...), 0x00, opEnd)
	}
	code = appendSigned(append(append(code, get...), 0x42), -price)
	return append(append(code, 0x7c), set...) // i64.add
}
