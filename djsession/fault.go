package djsession

import (
	"errors"
	"strings"

	"github.com/djedge/djedge/djsession/pickle"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/signing"
)

// Fault is what was wrong with the stored data of a session that was refused,
// or "" for nothing. It is one of a few words that are metric labels, and tells
// nothing of the data.
type Fault string

// The faults. Those of pickles are "pickle_" and a [pickle.Reason].
const (
	FaultSignature Fault = "signature"  // no key signed it
	FaultTimestamp Fault = "timestamp"  // signed, and not dated
	FaultBase64    Fault = "base64"     // signed, and no base64
	FaultZlib      Fault = "zlib"       // compressed, and no zlib stream
	FaultSize      Fault = "size"       // above [Settings].MaxDataBytes when it is inflated
	FaultJSON      Fault = "json"       // no JSON object as Python reads it
	FaultDepth     Fault = "json_depth" // JSON nested more than 200 deep
	FaultFlags     Fault = "flags"      // flags in memcached that are not those of a pickle
	FaultOther     Fault = "other"

	pickled = "pickle_"
)

// faults are the errors behind them. The first that fits counts.
var faults = [...]struct {
	err   error
	fault Fault
}{
	{signing.ErrBadSignature, FaultSignature},
	{signing.ErrTimestamp, FaultTimestamp},
	{signing.ErrBase64, FaultBase64},
	{signing.ErrZlib, FaultZlib},
	{signing.ErrTooLarge, FaultSize},
	{pyjson.ErrSyntax, FaultJSON},
	{pyjson.ErrDepth, FaultDepth},
	{errFlags, FaultFlags},
}

// FaultOf is the fault that err, such as [Session.Err], tells of: "" for nil
// and for a signed cookie that is merely too old.
func FaultOf(err error) Fault {
	if err == nil || errors.Is(err, signing.ErrExpired) {
		return ""
	}
	var p *pickle.Error
	if errors.As(err, &p) {
		return Fault(pickled + p.Reason.String())
	}
	for _, f := range faults {
		if errors.Is(err, f.err) {
			return f.fault
		}
	}
	return FaultOther
}

// Fault is what was wrong with the stored data: of the session, or of a value
// in the cache that was passed over ([Session.CacheErr]).
func (s *Session) Fault() Fault {
	switch {
	case s.err != nil:
		return FaultOf(s.err)
	case s.cacheErr != nil:
		return FaultOf(s.cacheErr)
	}
	return ""
}

const faultDetail = "session data: "

// Detail is how a decision tells of f, such as "session data: pickle_opcode";
// "" for no fault. [ParseDetail] is the inverse.
func (f Fault) Detail() string {
	if f == "" {
		return ""
	}
	return faultDetail + string(f)
}

// ParseDetail is the fault that the detail of a decision tells of. Text may
// follow it behind a semicolon. Only known words are faults, so that as labels
// they stay few.
func ParseDetail(detail string) (Fault, bool) {
	word, ok := strings.CutPrefix(detail, faultDetail)
	if !ok {
		return "", false
	}
	word, _, _ = strings.Cut(word, ";")
	if reason, ok := strings.CutPrefix(word, pickled); ok {
		return Fault(word), pickle.KnownReason(reason)
	}
	for _, f := range faults {
		if word == string(f.fault) {
			return f.fault, true
		}
	}
	return FaultOther, word == string(FaultOther)
}
