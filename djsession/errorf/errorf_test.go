package errorf_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession/errorf"
)

// TestLikeFmt: package fmt says what is right.
func TestLikeFmt(t *testing.T) {
	for _, c := range []struct {
		format string
		args   []any
	}{
		{"nothing", nil},
		{"100%%", nil},
		{"%s", []any{"text"}},
		{"%q is %d of %d: %w", []any{"a\x00\"é\xff", 1, int64(-2), io.EOF}},
		{"%v %v %v", []any{true, 1.5, errors.New("x")}},
		{"%d %d %d", []any{uint32(7), uint8(8), uint64(1 << 63)}},
		{"%s after %v", []any{time.Second, 2 * time.Minute}},
		{"%w and %w", []any{io.EOF, io.ErrUnexpectedEOF}},
		{"%d", nil},
		{"%", nil},
		{"%s", []any{[]byte("bytes")}},
	} {
		want := fmt.Errorf(c.format, c.args...)
		got := errorf.Errorf(c.format, c.args...)
		if got.Error() != want.Error() {
			t.Errorf("%q: got %q, want %q", c.format, got, want)
		}
		for _, target := range []error{io.EOF, io.ErrUnexpectedEOF} {
			if errors.Is(got, target) != errors.Is(want, target) {
				t.Errorf("%q: wraps %v: %v", c.format, target, errors.Is(got, target))
			}
		}
	}
}

func TestUnknownKinds(t *testing.T) {
	if got := errorf.Sprintf("%s|%x|%s", struct{}{}, "x", "y"); got != "%!s|%!x|y" {
		t.Errorf("got %q", got)
	}
}
