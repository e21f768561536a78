package sha2

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"math/rand/v2"
	"strings"
	"testing"
)

var standard = [...]func() hash.Hash{SHA256: sha256.New, SHA1: sha1.New, SHA512: sha512.New}

// Expected values: FIPS 180-4's examples, RFC 4231 and RFC 2202.
func TestKnown(t *testing.T) {
	abc := []byte("abc")
	for h, want := range map[Hash]string{
		SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		SHA1:   "a9993e364706816aba3e25717850c26c9cd0d89d",
		SHA512: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	} {
		if got := hex.EncodeToString(h.AppendSum(nil, abc)); got != want {
			t.Errorf("hash %d = %s", h, got)
		}
		if got := hex.EncodeToString(h.finish(nil, h.initial(), 0, abc)); got != want {
			t.Errorf("plain hash %d = %s", h, got)
		}
	}
	if got := Sum256(abc); !bytes.Equal(got[:], SHA256.AppendSum(nil, abc)) {
		t.Errorf("Sum256 = %x", got)
	}
	long := strings.Repeat("\xaa", 131)
	for _, c := range []struct {
		hash           Hash
		key, msg, want string
	}{
		{SHA256, "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{SHA256, long, "Test Using Larger Than Block-Size Key - Hash Key First", "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		{SHA512, "Jefe", "what do ya want for nothing?", "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
		{SHA1, "Jefe", "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
	} {
		if got := hex.EncodeToString(NewHMAC(c.hash, []byte(c.key)).AppendString(nil, c.msg)); got != c.want {
			t.Errorf("HMAC %d of %q = %s", c.hash, c.msg, got)
		}
	}
}

// Every hash, its plain form and its HMACs equal the standard library's, at
// every length around the blocks.
func TestRandom(t *testing.T) {
	source := rand.NewChaCha8([32]byte{1})
	for h := SHA256; h <= SHA512; h++ {
		for n := range 400 {
			msg, key := make([]byte, n), make([]byte, source.Uint64()%200)
			source.Read(msg)
			source.Read(key)
			prefix := []byte("prefix")
			std := standard[h]()
			std.Write(msg)
			want := std.Sum(prefix)
			if got := h.AppendSum(prefix, msg); !bytes.Equal(got, want) {
				t.Fatalf("hash %d of %d bytes = %x, want %x", h, n, got, want)
			}
			if got := h.finish(prefix, h.initial(), 0, msg); !bytes.Equal(got, want) {
				t.Fatalf("plain hash %d of %d bytes = %x, want %x", h, n, got, want)
			}
			std = hmac.New(standard[h], key)
			std.Write(msg)
			want = std.Sum(prefix)
			m := NewHMAC(h, key)
			for range 2 { // the second one is used again
				if got := m.AppendString(prefix, string(msg)); !bytes.Equal(got, want) {
					t.Fatalf("HMAC %d of %d bytes = %x, want %x", h, n, got, want)
				}
			}
			if got := newPlainHMAC(h, key).append(prefix, msg); !bytes.Equal(got, want) {
				t.Fatalf("plain HMAC %d of %d bytes = %x, want %x", h, n, got, want)
			}
		}
	}
}

func TestAllocations(t *testing.T) {
	msg, out := strings.Repeat("m", 300), make([]byte, 0, 64)
	for h := SHA256; h <= SHA512; h++ {
		m := NewHMAC(h, []byte("key"))
		// A collection of garbage may empty the pool once.
		if n := testing.AllocsPerRun(1000, func() { out = m.AppendString(out[:0], msg) }); n > 0 && !raceDetector {
			t.Errorf("HMAC %d: %v allocations", h, n)
		}
	}
}

func BenchmarkHMAC(b *testing.B) {
	msg, out := make([]byte, 300), make([]byte, 0, 64)
	b.Run("saved", func(b *testing.B) {
		b.ReportAllocs()
		m := NewHMAC(SHA256, make([]byte, 32))
		for b.Loop() {
			out = m.Append(out[:0], msg)
		}
	})
	b.Run("crypto/hmac", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m := hmac.New(sha256.New, make([]byte, 32))
			m.Write(msg)
			out = m.Sum(out[:0])
		}
	})
}
