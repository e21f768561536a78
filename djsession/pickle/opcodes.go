package pickle

// The opcodes that are obeyed. Their names are those of Python's pickletools.
const (
	opMark            = '('
	opStop            = '.'
	opNone            = 'N'
	opBinInt          = 'J'
	opBinInt1         = 'K'
	opBinInt2         = 'M'
	opBinFloat        = 'G'
	opBinUnicode      = 'X'
	opBinBytes        = 'B'
	opShortBinBytes   = 'C'
	opEmptyDict       = '}'
	opEmptyList       = ']'
	opEmptyTuple      = ')'
	opDict            = 'd'
	opList            = 'l'
	opTuple           = 't'
	opAppend          = 'a'
	opAppends         = 'e'
	opSetItem         = 's'
	opSetItems        = 'u'
	opBinPut          = 'q'
	opLongBinPut      = 'r'
	opBinGet          = 'h'
	opLongBinGet      = 'j'
	opGlobal          = 'c'
	opReduce          = 'R'
	opProto           = 0x80
	opTuple1          = 0x85
	opTuple2          = 0x86
	opTuple3          = 0x87
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opLong1           = 0x8a
	opLong4           = 0x8b
	opShortBinUnicode = 0x8c
	opBinUnicode8     = 0x8d
	opBinBytes8       = 0x8e
	opEmptySet        = 0x8f
	opAddItems        = 0x90
	opFrozenSet       = 0x91
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95
	opByteArray8      = 0x96
)

// lengthOf is how many bytes the operand of an opcode, or its length, takes.
func lengthOf(op byte) int {
	switch op {
	case opBinInt1, opLong1, opShortBinUnicode, opShortBinBytes, opBinPut, opBinGet:
		return 1
	case opBinInt2:
		return 2
	case opBinInt, opLong4, opBinUnicode, opBinBytes, opLongBinPut, opLongBinGet:
		return 4
	}
	return 8
}
