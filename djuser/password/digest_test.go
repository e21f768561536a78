package password

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"testing"

	"github.com/djedge/djedge/djsession/sha2"
)

// TestDigests compares the digests that hashing and signing are made of with
// the standard library's. It is here, beside sha2's own tests, to run in guests.
func TestDigests(t *testing.T) {
	text, _ := testRandom()(t.Context(), 300)
	for h, std := range map[sha2.Hash]func() hash.Hash{sha2.SHA256: sha256.New, sha2.SHA1: sha1.New, sha2.SHA512: sha512.New} {
		for n := range text {
			want, got := std(), h.AppendSum(nil, text[:n])
			want.Write(text[:n])
			if !bytes.Equal(got, want.Sum(nil)) {
				t.Fatalf("hash %d of %d bytes: %x, want %x", h, n, got, want.Sum(nil))
			}
			key := text[n/2 : n]
			want, got = hmac.New(std, key), sha2.NewHMAC(h, key).Append(nil, text[n:])
			want.Write(text[n:])
			if !bytes.Equal(got, want.Sum(nil)) {
				t.Fatalf("HMAC %d of %d bytes: %x, want %x", h, len(text)-n, got, want.Sum(nil))
			}
		}
	}
}
