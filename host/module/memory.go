package module

import "github.com/tetratelabs/wazero/experimental"

// allocator gives an instance memory of its own up to limit bytes. On Unix it
// is mapped, so that it never moves when it grows, is given back to the system
// when the instance is closed, and is none of the garbage collector's business.
// It begins with the image, if there is one.
func allocator(limit uint64, begin *image) experimental.MemoryAllocator {
	return experimental.MemoryAllocatorFunc(func(_, most uint64) experimental.LinearMemory {
		most = min(most, limit)
		if m := mapMemory(most, begin); m != nil {
			return m
		}
		m := &heapMemory{limit: most}
		if begin != nil {
			if b := m.Reallocate(uint64(begin.size)); b == nil || !begin.fill(b) {
				m.limit = 0 // no instance, rather than one without its data
			}
		}
		return m
	})
}

// heapMemory is for systems without mmap, and for when there is no room to map.
type heapMemory struct {
	buffer []byte
	limit  uint64
}

// Reallocate answers nil beyond the limit, which the guest sees as memory.grow failing.
func (m *heapMemory) Reallocate(size uint64) []byte {
	if size > m.limit {
		return nil
	}
	if size > uint64(cap(m.buffer)) {
		grown := make([]byte, size, min(m.limit, size+size/4))
		copy(grown, m.buffer)
		m.buffer = grown
	}
	m.buffer = m.buffer[:size]
	return m.buffer
}

func (m *heapMemory) Free() { m.buffer = nil }
