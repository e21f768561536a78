package signing

import (
	"strings"
	"time"
)

// CheckAge is what [UnsignTimestamp] says of the age of a text whose signature
// was found right before: nil, [ErrExpired], or [ErrTimestamp]. It looks at
// nothing else.
func CheckAge(signed string, now time.Time, maxAge time.Duration) error {
	value := signed[:max(strings.LastIndexByte(signed, ':'), 0)]
	seconds, _, ok := decodeB62(value[strings.LastIndexByte(value, ':')+1:])
	switch {
	case !ok:
		return ErrTimestamp
	case maxAge >= 0 && olderThan(seconds, now, maxAge):
		return ErrExpired
	}
	return nil
}
