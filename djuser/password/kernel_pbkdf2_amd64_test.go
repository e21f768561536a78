package password

import "testing"

func init() {
	if hasSHA {
		sha256Kernels["SHA instructions"] = iterateSHA256SHA
		sha1Kernels["SHA instructions"] = iterateSHA1SHA
		sha256TwoKernels["SHA instructions"] = iterateSHA256TwoSHA
	}
	withoutInstructions = func(t *testing.T, f func(t *testing.T)) {
		sha, avx2 := hasSHA, hasAVX2
		hasSHA, hasAVX2 = false, false
		defer func() { hasSHA, hasAVX2 = sha, avx2 }()
		t.Run("without instructions", f)
	}
}
