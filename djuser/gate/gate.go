// Package gate turns one HTTP request into one decision. It is pure: no
// database, no clock; the caller brings who the user is.
package gate

// Header is one header of a request summary; names are compared without case.
type Header struct{ Name, Value string }

// Request is the summary of one HTTP request: what a rule may look at.
type Request struct {
	Method string // as received; Django upper-cases it
	URI    string // path and query, as received
	Host   string // of the request's target, with port if there was one
	Scheme string // "http" or "https", from the connection or a trusted proxy
	// Headers holds only the headers that [HeaderNames] names, in order of arrival.
	Headers []Header
}

// Outcome of a decision. The zero value is an error, so that nothing is let in by omission.
type Outcome uint8

// The outcomes. Only Allow lets a request through.
const (
	Error    Outcome = iota // it could not be decided: answer with the status, 503
	Allow                   // let the request through, with the identity headers
	Deny                    // answer with the status, 4xx
	Redirect                // answer with the status, 3xx
)

// Reason is why. It is the metric label and the audit field; see String.
type Reason uint8

// Identity is what a decision says about the user.
type Identity struct {
	ID, Name, Email  string
	Staff, Superuser bool
}

// Decision answers a [Request]. The zero Decision denies with an error.
type Decision struct {
	Outcome Outcome
	Status  int // HTTP status
	Reason  Reason
	Detail  string // for the log only; never a secret, never sent to a client
	// Identity is nil for an anonymous user.
	Identity      *Identity
	SetHeaders    []Header // identity headers, always all of them
	RemoveHeaders []string
	Cookies       []string // values of Set-Cookie, complete
	Vary          bool     // answer depends on Cookie
	Rule          int      // that decided, from 1; 0 when none did
}
