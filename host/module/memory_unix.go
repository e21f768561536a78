//go:build unix

package module

import (
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

type mappedMemory struct{ buffer []byte }

// mapMemory reserves size bytes of addresses; the system gives memory to those
// that are touched. It is nil when there is no room.
func mapMemory(size uint64, begin *image) experimental.LinearMemory {
	if size == 0 || size > 1<<32 || begin != nil && uint64(begin.size) > size {
		return nil
	}
	buffer, err := syscall.Mmap(-1, 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return nil
	}
	if begin != nil && !begin.file.mapInto(buffer, begin.size) && !begin.fill(buffer) {
		_ = syscall.Munmap(buffer)
		return nil
	}
	return &mappedMemory{buffer}
}

func (m *mappedMemory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.buffer)) {
		return nil
	}
	return m.buffer[:size:len(m.buffer)]
}

func (m *mappedMemory) Free() {
	if m.buffer != nil {
		_ = syscall.Munmap(m.buffer)
		m.buffer = nil
	}
}
