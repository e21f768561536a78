package wasmbuild

import "fmt"

// The opcodes that open or close something, and the one that jumps by a table.
const (
	opBlock = 0x02
	opLoop  = 0x03
	opIf    = 0x04
	opEnd   = 0x0b
	opTable = 0x0e
)

// locals skips the declarations at the head of a function.
func (r *reader) locals() {
	for n := r.unsigned(); n > 0 && r.err == nil; n-- {
		r.unsigned()
		r.byte()
	}
}

// immediates skips what follows an opcode: those of WebAssembly 2.0 without
// vectors. An unknown one is an error, never a guess.
func (r *reader) immediates(op byte) {
	switch {
	case op == 0x00 || op == 0x01 || op == 0x05 || op == 0x0b || op == 0x0f: // unreachable nop else end return
	case op == 0x02 || op == opLoop || op == 0x04: // block loop if: a type
		r.signed()
	case op == 0x0c || op == 0x0d || op == 0x10: // br br_if call
		r.unsigned()
	case op == 0x0e: // br_table
		for n := r.unsigned() + 1; n > 0 && r.err == nil; n-- {
			r.unsigned()
		}
	case op == 0x11: // call_indirect
		r.unsigned()
		r.unsigned()
	case op == 0x1a || op == 0x1b: // drop select
	case op >= 0x20 && op <= 0x26: // locals, globals, tables
		r.unsigned()
	case op >= 0x28 && op <= 0x3e: // loads and stores: alignment and offset
		r.unsigned()
		r.unsigned()
	case op == 0x3f || op == 0x40: // memory.size memory.grow
		r.byte()
	case op == 0x41 || op == 0x42: // i32.const i64.const
		r.signed()
	case op == 0x43: // f32.const
		r.bytes(4)
	case op == 0x44: // f64.const
		r.bytes(8)
	case op >= 0x45 && op <= 0xc4: // arithmetic
	case op == 0xd0: // ref.null
		r.signed()
	case op == 0xd1: // ref.is_null
	case op == 0xd2: // ref.func
		r.unsigned()
	case op == 0xfc:
		r.bulk(r.unsigned())
	default:
		r.fail(fmt.Errorf("wasm: unknown opcode %#x", op))
	}
}

// bulk skips what follows the prefix 0xfc and a number.
func (r *reader) bulk(op uint64) {
	switch op {
	case 0, 1, 2, 3, 4, 5, 6, 7: // saturating conversions
	case 9, 11, 13, 15, 16, 17: // data.drop memory.fill elem.drop table.grow table.size table.fill
		r.unsigned()
	case 8, 10, 12, 14: // memory.init memory.copy table.init table.copy
		r.unsigned()
		r.unsigned()
	default:
		r.fail(fmt.Errorf("wasm: unknown opcode 0xfc %d", op))
	}
}
