//go:build wasip1

package main

import (
	"unsafe"

	"github.com/djedge/djedge/wasm/abi"
)

// maxBuffers is how many buffers a host may hold at a time.
const maxBuffers = 16

// The host writes its messages into input, or into a buffer of its own from
// djedge_alloc. Both are rooted here: Go's collector does not move them, and
// does not free them while the host may write.
var (
	input   [64 << 10]byte
	buffers = map[uint32][]byte{}
)

func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

func pack(b []byte) uint64 { return uint64(address(b))<<32 | uint64(len(b)) }

//go:wasmexport djedge_buffer
func buffer() uint64 { return pack(input[:]) }

//go:wasmexport djedge_alloc
func alloc(size uint32) uint32 {
	if size == 0 || size > abi.MaxFrame || len(buffers) >= maxBuffers {
		return 0
	}
	b := make([]byte, size)
	buffers[address(b)] = b
	return address(b)
}

//go:wasmexport djedge_free
func free(ptr uint32) {
	clear(buffers[ptr])
	delete(buffers, ptr)
}

// message is the host's bytes, which must lie in a buffer that it was given.
func message(ptr, size uint32) ([]byte, bool) {
	b := buffers[ptr]
	if ptr == address(input[:]) {
		b = input[:]
	}
	if int64(size) > int64(len(b)) {
		return nil, false
	}
	return b[:size], true
}
