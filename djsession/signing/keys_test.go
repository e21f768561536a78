package signing

import "testing"

// An Algorithm is a number that anyone can make; printing one never panics.
func TestAlgorithmString(t *testing.T) {
	for a, want := range map[Algorithm]string{SHA256: "sha256", SHA1: "sha1", SHA512: "sha512", 3: "algorithm 3", 255: "algorithm 255"} {
		if got := a.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
