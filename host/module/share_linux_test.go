//go:build linux && (amd64 || arm64)

package module

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"testing"
)

// Instances share a file that nobody can change, and what one writes to its
// memory is its own.
func TestSharedFile(t *testing.T) {
	content := bytes.Repeat([]byte("djedge"), 1<<16)
	f := shareFile(content)
	if f == noFile {
		t.Skip("this system has no sealed files in memory")
	}
	defer f.close()
	if path := fmt.Sprintf("/proc/self/fd/%d", f); os.WriteFile(path, []byte("other"), 0) == nil || os.Truncate(path, 0) == nil {
		t.Error("the file can be changed")
	}
	memories := [2][]byte{}
	for i := range memories {
		memory, err := syscall.Mmap(-1, 0, len(content), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Munmap(memory)
		if !f.mapInto(memory, len(memory)) || !bytes.Equal(memory, content) {
			t.Fatal("the memory is not the file's")
		}
		memories[i] = memory
	}
	clear(memories[0])
	read := make([]byte, len(content))
	if !f.read(read) || !bytes.Equal(read, content) || !bytes.Equal(memories[1], content) {
		t.Error("what one instance writes is seen by others")
	}
}
