package password

import (
	"errors"
	"strings"
	"testing"
)

// Expected values: CryptPasswordHasher of Django 4.2 on libxcrypt, which
// refuses 512 bytes: verify is False, and encode makes "crypt$$*0", which no
// password matches.
func TestCryptLongest(t *testing.T) {
	h := newHashers(t, Config{Hashers: []string{"crypt"}})
	for _, c := range []struct {
		password, encoded string
		want              error
	}{
		{strings.Repeat("a", 511), "crypt$$abBUNZY4cR2mg", nil},
		{strings.Repeat("ä", 255) + "b", "crypt$$abR5zFQz0J0..", nil},
		{strings.Repeat("a", 512), "crypt$$abBUNZY4cR2mg", ErrPassword},
		{strings.Repeat("ä", 256), "crypt$$abR5zFQz0J0..", ErrPassword},
	} {
		ok, err := h.Verify(t.Context(), fakeKDF{}, c.password, c.encoded)
		if ok != (c.want == nil) || !errors.Is(err, c.want) {
			t.Errorf("%d bytes: %v, %v", len(c.password), ok, err)
		}
		if _, err := h.Make(t.Context(), fakeKDF{}, testRandom(), c.password, "crypt"); !errors.Is(err, c.want) {
			t.Errorf("making a hash of %d bytes: %v", len(c.password), err)
		}
	}
}
