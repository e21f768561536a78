package password

import (
	"testing"

	"github.com/djedge/djedge/djsession/version"
)

// BenchmarkDerive measures one hash of each algorithm at Django 5.2's costs.
func BenchmarkDerive(b *testing.B) {
	for _, algorithm := range DefaultsOf(version.Default).Algorithms {
		h := newHashers(b, Config{Hashers: []string{algorithm}})
		b.Run(algorithm, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := h.Waste(b.Context(), nil, "correct horse battery staple"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPBKDF2 measures 100,000 iterations of each kernel, and of a loop over
// crypto/hmac to compare them with.
func BenchmarkPBKDF2(b *testing.B) {
	const n = 100_000
	var s, s2 sha256State
	var s1 sha1State
	for name, function := range map[string]Function{"sha256": PBKDF2SHA256, "sha1": PBKDF2SHA1} {
		b.Run(name+"/crypto/hmac", func(b *testing.B) {
			p := Params{Function: function, Iterations: n, KeyLen: 20}
			for b.Loop() {
				hmacPBKDF2(p, []byte("password"), []byte("salt"))
			}
		})
	}
	for name, kernel := range sha256Kernels {
		b.Run("sha256/"+name, func(b *testing.B) {
			for b.Loop() {
				kernel(&s, n)
			}
		})
	}
	for name, kernel := range sha256TwoKernels {
		b.Run("sha256 twice/"+name, func(b *testing.B) {
			for b.Loop() {
				kernel(&s, &s2, n)
			}
		})
	}
	for name, kernel := range sha1Kernels {
		b.Run("sha1/"+name, func(b *testing.B) {
			for b.Loop() {
				kernel(&s1, n)
			}
		})
	}
}

// BenchmarkReadable measures what a hash costs that is refused.
func BenchmarkReadable(b *testing.B) {
	h := newHashers(b, Config{})
	b.ReportAllocs()
	for b.Loop() {
		h.Readable("pbkdf2_sha256$2147483647$salt$xZY7qCE0JWgeVtFdEYT1SFrq61G/cVtZsxq5lRxat3g=")
	}
}
