package password

// What the processor has that the kernels use. Tests turn them off.
//
// The detection is our own because golang.org/x/sys/cpu does not know the SHA
// instructions of amd64.
var hasSHA, hasAVX2 = detectCPU()

// detectCPU asks as Intel's and AMD's manuals say (CPUID leaves 1 and 7).
func detectCPU() (sha, avx2 bool) {
	const (
		ssse3, sse41, osxsave, avx = 1 << 9, 1 << 19, 1 << 27, 1 << 28 // leaf 1, ECX
		avx2Bit, shaBit            = 1 << 5, 1 << 29                   // leaf 7, EBX
		ymmState                   = 1<<1 | 1<<2                       // XCR0: the system saves XMM and YMM
	)
	highest, _, _, _ := cpuid(0, 0)
	if highest < 7 {
		return false, false
	}
	_, _, c1, _ := cpuid(1, 0)
	_, b7, _, _ := cpuid(7, 0)
	sha = b7&shaBit != 0 && c1&(ssse3|sse41) == ssse3|sse41
	avx2 = b7&avx2Bit != 0 && c1&(osxsave|avx) == osxsave|avx && xgetbv()&ymmState == ymmState
	return sha, avx2
}

func cpuid(leaf, sub uint32) (a, b, c, d uint32)

// xgetbv reads XCR0. It must not be called without OSXSAVE.
func xgetbv() (low uint32)
