//go:build linux && (amd64 || arm64)

package module

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// sharedFile is a file in memory without a name, or noFile.
type sharedFile int

const noFile sharedFile = -1

// shareFile makes a file of b, to be mapped into instances.
func shareFile(b []byte) sharedFile {
	create := uintptr(319) // memfd_create, which package syscall does not know everywhere
	if runtime.GOARCH == "arm64" {
		create = 279
	}
	const closeOnExec, allowSealing = 1, 2
	name := []byte("djedge.wasm\x00")
	fd, _, errno := syscall.Syscall(create, uintptr(unsafe.Pointer(&name[0])), closeOnExec|allowSealing, 0)
	if errno != 0 {
		return noFile
	}
	f := sharedFile(fd)
	if err := syscall.Ftruncate(int(f), int64(len(b))); err != nil {
		f.close()
		return noFile
	}
	page := os.Getpagesize()
	for at := 0; at < len(b); at += page {
		part := b[at:min(at+page, len(b))]
		if zeros(part) { // a hole
			continue
		}
		if n, err := syscall.Pwrite(int(f), part, int64(at)); err != nil || n != len(part) {
			f.close()
			return noFile
		}
	}
	if !f.seal() {
		f.close()
		return noFile
	}
	return f
}

// seal makes the file what it is for good: another process of the same user can
// open it under /proc, and instances read from it what they have not written.
func (f sharedFile) seal() bool {
	const addSeals, sealed, shrink, grow, write = 1033, 1, 2, 4, 8
	_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(f), addSeals, sealed|shrink|grow|write)
	return errno == 0
}

// mapInto puts the file at the beginning of memory, which was mapped. What is
// written there stays in this mapping.
func (f sharedFile) mapInto(memory []byte, size int) bool {
	if f == noFile || size > len(memory) {
		return false
	}
	at := uintptr(unsafe.Pointer(unsafe.SliceData(memory)))
	got, _, errno := syscall.Syscall6(syscall.SYS_MMAP, at, uintptr(size),
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_FIXED, uintptr(f), 0)
	return errno == 0 && got == at
}

func (f sharedFile) read(memory []byte) bool {
	n, err := syscall.Pread(int(f), memory, 0)
	return err == nil && n == len(memory)
}

func (f sharedFile) close() {
	if f != noFile {
		_ = syscall.Close(int(f))
	}
}
