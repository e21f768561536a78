package module

import "strings"

// printed keeps the beginning of what a module printed, for the log. Go prints
// the reason of a crash first and stacks after it.
type printed struct{ text strings.Builder }

const maxPrinted = 4 << 10

func (t *printed) Write(p []byte) (int, error) {
	if room := maxPrinted - t.text.Len(); room > 0 {
		t.text.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (t *printed) String() string {
	if t == nil {
		return ""
	}
	return t.text.String()
}
