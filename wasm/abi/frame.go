package abi

import "strconv"

// FrameKind is the first byte of every message. The numbers are part of the ABI.
type FrameKind uint8

const (
	FrameConfigure  FrameKind = iota + 1 // host → guest: the settings
	FrameConfigured                      // guest → host: what they mean, or why they are refused
	FrameBegin                           // host → guest: an operation
	FrameEffects                         // guest → host: what the operation needs before it goes on
	FrameResume                          // host → guest: the answers
	FrameDone                            // guest → host: the result
	FrameAllowed                         // guest → host: the result in few bytes, for hosts that asked for shorthand
)

const (
	// MaxFrame is the greatest length of a message in bytes, its head included.
	MaxFrame = 16 << 20
	// maxElements bounds the list elements of one message, all lists together,
	// so that a message of nulls cannot become many times its size in memory.
	maxElements = 1 << 18
	headLen     = 5 // a kind byte and the length of the body
	adHoc       = 1<<32 - 1
)

// FrameError says what is wrong with a message and where. It never holds any
// of the message's bytes.
type FrameError struct {
	What   string
	Offset int
}

func (e *FrameError) Error() string {
	return "malformed frame: " + e.What + " at byte " + strconv.Itoa(e.Offset)
}

// KindOf is the kind of a message; 0 when it is empty.
func KindOf(frame []byte) FrameKind {
	if len(frame) == 0 {
		return 0
	}
	return FrameKind(frame[0])
}
