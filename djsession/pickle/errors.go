package pickle

import (
	"errors"
	"slices"
	"strconv"
)

// ErrUndecodable is what every [Error] wraps: the value is not read, and the
// session is to be taken as missing.
var ErrUndecodable = errors.New("undecodable pickle")

// Reason says why a pickle was refused. Its String is a metric label.
type Reason uint8

// The reasons.
const (
	none Reason = iota
	// ReasonOpcode: an opcode outside the whitelist, one that would call or
	// import something among them, or one where it never stands.
	ReasonOpcode
	// ReasonGlobal: a name other than datetime, timezone and timedelta of the
	// datetime module and _UTC of pytz, or one of these used as a value.
	ReasonGlobal
	// ReasonCall: a call of something else, or with arguments that Python's
	// pickler never writes.
	ReasonCall
	// ReasonProtocol: no protocol from 2 to 5 is announced at the beginning.
	ReasonProtocol
	// ReasonTruncated: the end comes, or a length points, behind the data.
	ReasonTruncated
	// ReasonStack: an operand or a mark is missing.
	ReasonStack
	// ReasonMemo: an unset memo entry is read, or one is set out of order.
	ReasonMemo
	// ReasonType: an operand has the wrong type.
	ReasonType
	// ReasonText: text that is not UTF-8 (lone surrogates are let through, as
	// by Python's surrogatepass).
	ReasonText
	// ReasonKey: a dict key that JSON cannot show: not text, a number, a boolean
	// or None; NaN; or two keys of the session that look alike, as 1 and "1".
	ReasonKey
	// ReasonTop: the value is not a dict.
	ReasonTop
	// ReasonCycle: a value contains itself.
	ReasonCycle
	// ReasonSize: longer than Limits.Bytes.
	ReasonSize
	// ReasonDepth: nested more deeply than Limits.Depth.
	ReasonDepth
	// ReasonValues: opcodes make more than Limits.Values.
	ReasonValues
	// ReasonExpanded: longer than Limits.Expanded, or more than Limits.Values,
	// when shared references are written out.
	ReasonExpanded
	// ReasonInteger: more than 4300 digits, which Python would not write as text.
	ReasonInteger
)

var reasonNames = [...]string{"none", "opcode", "global", "call", "protocol", "truncated", "stack", "memo", "type", "text",
	"key", "top", "cycle", "size", "depth", "values", "expanded", "integer"}

// String is a fixed identifier, "opcode" for [ReasonOpcode].
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return "unknown"
}

// KnownReason reports whether a [Reason] has this name.
func KnownReason(name string) bool { return slices.Contains(reasonNames[1:], name) }

// Error is the refusal of a pickle. It tells where, and nothing of the data.
type Error struct {
	Reason Reason
	Opcode byte // that was being obeyed; 0 when there was none
	Offset int  // of the opcode, in bytes
}

// Error names the reason, the opcode and its offset.
func (e *Error) Error() string {
	op := "0x" + strconv.FormatUint(uint64(e.Opcode)|0x100, 16)[1:]
	return ErrUndecodable.Error() + ": " + e.Reason.String() + " at opcode " + op + ", offset " + strconv.Itoa(e.Offset)
}

// Unwrap is [ErrUndecodable].
func (e *Error) Unwrap() error { return ErrUndecodable }
