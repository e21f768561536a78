package signing_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/signing"
)

// FuzzUnsign: nothing that was not signed verifies; what is signed comes back;
// and no change of one bit is accepted.
func FuzzUnsign(f *testing.F) {
	f.Add("value", "value:1uKBOI:GH4mjBEwnBaDwEvrGZy-P3e2omelZpTMR36alYNhFCc", uint(3))
	f.Fuzz(func(t *testing.T, value, forged string, bit uint) {
		signed := signing.Sign(value, key)
		if got, err := signing.Unsign(signed, ring); err != nil || got != value {
			t.Fatalf("%q comes back as %q, %v", value, got, err)
		}
		flipped := []byte(signed)
		bit %= uint(8 * len(flipped))
		flipped[bit/8] ^= 1 << (bit % 8)
		if got, err := signing.Unsign(string(flipped), ring); !errors.Is(err, signing.ErrBadSignature) || got != "" {
			t.Fatalf("%q is accepted as %q, %v", flipped, got, err)
		}
		if got, err := signing.Unsign(forged, ring); err == nil && signing.Sign(got, key) != forged {
			t.Fatalf("%q is accepted as %q", forged, got)
		}
		n, err := signing.DecodeB62(value)
		if digits := strings.TrimLeft(strings.TrimPrefix(value, "-"), "0"); err == nil && digits != "" && n > 0 && signing.EncodeB62(n) != digits {
			t.Fatalf("%q is %d, which is %q", value, n, signing.EncodeB62(n))
		}
	})
}

// FuzzLoads: signed bytes of any kind neither panic nor exceed the limit.
func FuzzLoads(f *testing.F) {
	f.Add("e30:1uKBOI", ".eJyrVkpUsjKsBQAIKgIJ")
	f.Fuzz(func(t *testing.T, signedPart, payload string) {
		const limit = 4096
		for _, signed := range []string{signing.Sign(signedPart, key), sign(payload), sign("." + payload)} {
			text, err := signing.Loads(signed, now, 0, limit, ring)
			if len(text) > 2*limit || err != nil && text != "" { // latin-1 grows as UTF-8
				t.Fatalf("%q is %d bytes, %v", signed, len(text), err)
			}
		}
		if _, err := signing.LoadsLegacy(payload, limit, ring); err == nil {
			t.Fatalf("%q was never signed", payload)
		}
	})
}
