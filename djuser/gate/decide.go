package gate

import "strings"

// Decide answers req, which requires require, for the user who. Without a user
// (nil), why says why there is none; with one it is [ReasonOK], or
// [ReasonUserUnchecked]. grants are the
// user's, read only when require needs them ([Requirement.NeedsGrants]). It
// fails closed: a why that means "could not be found out", a who and a why that
// contradict each other, grants that are missing, and a requirement that is
// unknown or not yet resolved ([Gate.Resolve]) are all 503.
//
// The identity headers are always all set, so that no value of the client's
// survives: with the user's identity when the request is allowed, else empty.
// A host removes RemoveHeaders first and sets SetHeaders then. Both are shared
// between decisions and must not be changed.
func (g *Gate) Decide(req Request, require Requirement, who *Identity, why Reason, grants Grants) Decision {
	var d Decision
	var headers *IdentityHeaders
	if who != nil {
		headers = new(IdentityHeaders)
	}
	g.DecideInto(&d, headers, require, who, why, grants)
	return d
}

// DecideInto is [Gate.Decide] that puts the decision into d, and a user's
// headers into headers. If that is nil, an allowed user needs [Gate.Identify].
func (g *Gate) DecideInto(d *Decision, headers *IdentityHeaders, require Requirement, who *Identity, why Reason, grants Grants) {
	*d = Decision{Reason: why, Identity: who, SetHeaders: g.nobody, RemoveHeaders: g.everyName, Vary: true}
	met, unmet, detail := require.met(who, grants)
	switch {
	case why.undecided():
		*d = g.fail(*d)
	case (who != nil) != why.hasUser(), who != nil && who.ID == "", unmet == ReasonInternal:
		d.Reason, d.Detail = ReasonInternal, detail
		*d = g.fail(*d)
	case met:
		d.Outcome, d.Status = Allow, 200
		if who != nil && headers != nil {
			g.Identify(d, headers)
		}
	case who == nil:
		d.Outcome, d.Status = Deny, 401 // and why says more than not_authenticated
	default:
		d.Outcome, d.Status, d.Reason, d.Detail = Deny, 403, unmet, detail
	}
}

// Refuse is the decision for a request that is denied for this reason, whoever
// sends it.
func (g *Gate) Refuse(reason Reason, detail string) Decision {
	d := Decision{Outcome: Deny, Status: reason.Status(), Reason: reason, Detail: detail, SetHeaders: g.nobody, RemoveHeaders: g.everyName, Vary: true}
	if d.Status < 400 || d.Status >= 500 {
		return g.fail(d)
	}
	return d
}

// Fail is the decision for a request that could not be decided for this
// reason: 429 when the client asked too often, else 503. It lets nothing in.
func (g *Gate) Fail(reason Reason, detail string) Decision {
	return g.fail(Decision{Reason: reason, Detail: detail, SetHeaders: g.nobody, RemoveHeaders: g.everyName, Vary: true})
}

func (g *Gate) fail(d Decision) Decision {
	d.Outcome, d.Identity, d.Status = Error, nil, 503
	if d.Reason == ReasonRateLimited {
		d.Outcome, d.Status = Deny, 429
	}
	return d
}

// IdentityHeaders has room for those of a decision.
type IdentityHeaders [numHeaders]Header

// Identify puts the headers of d's user into headers, and these into d.
func (g *Gate) Identify(d *Decision, headers *IdentityHeaders) {
	copy(headers[:], g.nobody)
	headers.Set(d.Identity)
	d.SetHeaders = headers[:]
}

// IdentityNames are the identity headers without values.
func (g *Gate) IdentityNames() IdentityHeaders { return IdentityHeaders(g.nobody) }

// Set puts the values of a user into h, whose names are set.
func (h *IdentityHeaders) Set(who *Identity) {
	h[headerUser].Value = encode(who.Name)
	h[headerUserID].Value = encode(who.ID)
	h[headerEmail].Value = encode(who.Email)
	h[headerStaff].Value = flag(who.Staff)
	h[headerSuperuser].Value = flag(who.Superuser)
}

func flag(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// plain are the bytes that stand for themselves in an identity header.
var plain = [256]bool{
	'@': true, '.': true, '+': true, '_': true, '-': true,
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	'a': true, 'b': true, 'c': true, 'd': true, 'e': true, 'f': true, 'g': true, 'h': true, 'i': true, 'j': true, 'k': true, 'l': true, 'm': true,
	'n': true, 'o': true, 'p': true, 'q': true, 'r': true, 's': true, 't': true, 'u': true, 'v': true, 'w': true, 'x': true, 'y': true, 'z': true,
	'A': true, 'B': true, 'C': true, 'D': true, 'E': true, 'F': true, 'G': true, 'H': true, 'I': true, 'J': true, 'K': true, 'L': true, 'M': true,
	'N': true, 'O': true, 'P': true, 'Q': true, 'R': true, 'S': true, 'T': true, 'U': true, 'V': true, 'W': true, 'X': true, 'Y': true, 'Z': true,
}

// encode percent-encodes all bytes outside [A-Za-z0-9@.+_-], so that any user
// name is one harmless header value.
func encode(s string) string {
	i := 0
	for i < len(s) && plain[s[i]] {
		i++
	}
	if i == len(s) {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.WriteString(s[:i])
	for ; i < len(s); i++ {
		if c := s[i]; plain[c] {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}
