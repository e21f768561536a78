package abi

import "unsafe"

// load32 and load64 read numbers, which the caller knows to be there.
// WebAssembly is little-endian and reads from any address; the compiler does
// not know that and would put together bytes.
func load32(s string, at int) uint32 {
	_ = s[at+3]
	return *(*uint32)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), at))
}

func load64(s string, at int) uint64 {
	_ = s[at+7]
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), at))
}

// store32 and store64 write them, where there is room.
func store32(b []byte, at int, v uint32) {
	_ = b[at+3]
	*(*uint32)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), at)) = v
}

func store64(b []byte, at int, v uint64) {
	_ = b[at+7]
	*(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), at)) = v
}
