package memo

import "unsafe"

// word is eight bytes of s, which are there.
func word(s string, at int) uint64 {
	_ = s[at+7]
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), at))
}

// equal is a == b, which Go's compiler does byte by byte here.
func equal(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	i := 0
	for ; i+8 <= len(a); i += 8 {
		if word(a, i) != word(b, i) {
			return false
		}
	}
	return a[i:] == b[i:]
}
