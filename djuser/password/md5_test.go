package password

import (
	"crypto/md5"
	"testing"
)

func TestMD5(t *testing.T) {
	msg, _ := testRandom()(t.Context(), 200)
	for n := range msg {
		if got, want := md5Sum(msg[:n]), md5.Sum(msg[:n]); got != want {
			t.Errorf("%d bytes: %x, want %x", n, got, want)
		}
	}
}
