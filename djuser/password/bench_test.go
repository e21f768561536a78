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

// BenchmarkReadable measures what a hash costs that is refused.
func BenchmarkReadable(b *testing.B) {
	h := newHashers(b, Config{})
	b.ReportAllocs()
	for b.Loop() {
		h.Readable("pbkdf2_sha256$2147483647$salt$xZY7qCE0JWgeVtFdEYT1SFrq61G/cVtZsxq5lRxat3g=")
	}
}
