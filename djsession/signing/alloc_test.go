package signing

import (
	"strings"
	"testing"
)

// What every check does allocates nothing.
func TestAllocations(t *testing.T) {
	key := Derive(SHA256, "salt", "secret")
	ring := Ring{Current: key}
	signed := Sign(strings.Repeat("value", 60), key)
	msg, out := []byte("a password's hash"), make([]byte, 0, 32)
	for name, f := range map[string]func(){
		"Unsign": func() {
			if _, err := Unsign(signed, ring); err != nil {
				t.Error(err)
			}
		},
		"AppendMAC": func() { out = key.AppendMAC(out[:0], msg) },
	} {
		if n := testing.AllocsPerRun(1000, f); n > 0 && !raceDetector {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkUnsign(b *testing.B) {
	key := Derive(SHA256, "salt", "secret")
	signed := Sign(strings.Repeat("value", 60), key)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Unsign(signed, Ring{Current: key}); err != nil {
			b.Fatal(err)
		}
	}
}
