// Package abi is the messages between a host and the rules: the operations,
// their results and the effects in between, and how each is laid out in bytes.
// docs/abi.md describes the same for hosts in other languages.
package abi

import (
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
)

// Version of the ABI; 0 until every host has run on it.
const Version = 0

// OpKind is an operation. The numbers are part of the ABI.
type OpKind uint8

const (
	OpCheck          OpKind = iota + 1 // who is asking, and may they: decision, user, session key
	OpLoadUser                         // the user of the request's session: as check for Anyone, without a decision's headers
	OpSessionLoad                      // the items of the request's session
	OpAuthenticate                     // Username, Password → user
	OpLogin                            // Request, Username, Password → cookies, user
	OpLogout                           // Request → cookies
	OpRegister                         // Request, Username, Password, Email → user created and logged in
	OpChangePassword                   // Request, Password: for the session's own user, who is then logged out
	OpSetPassword                      // UserID, Password
	OpSaveUser                         // UserID, Fields
	OpVerifyPassword                   // Encoded, Password → allow or deny
	OpMakePassword                     // Password, Hasher ("" is the preferred one) → Text
	OpEval                             // Function, Arguments (JSON) → Text (JSON): the conformance seam
	OpSessionSave                      // Request, Session, Status → cookies, Vary, session key: Django's SessionMiddleware at the response
	OpSessionFlush                     // Request, Session → an empty session without a key; the stored one is deleted
	OpSessionCycle                     // Request, Session → the same items under a new key; the old one is deleted
	OpClearExpired                     // → Text: how many expired sessions were deleted
	OpCSRFToken                        // Request → Text: a token for the forms of a page; cookies, when the visitor had no secret
	OpPermissions                      // Request → as OpLoadUser, and what the user may do
	OpVisit                            // Request → as OpLoadUser, and the session's items, which may be shared: they are not to be changed
)

// Op is one operation. Each kind reads the fields named beside it; the others stay zero.
type Op struct {
	Kind      OpKind
	Request   gate.Request
	Require   gate.Requirement
	Hint      query.Value // user id that the host remembers for this session key; never trusted
	UserID    string      // the primary key as text
	Username  string
	Password  string
	Email     string
	Encoded   string
	Hasher    string
	Fields    []Field
	Function  string
	Arguments string
	Session   djsession.State // as the program has it by now
	Status    int             // of the response that is about to be sent
	CSRFToken string          // csrfmiddlewaretoken of a form: OpLogin, OpLogout, OpRegister, OpChangePassword
}

// Field is a column to save.
type Field = djuser.Field

// Result answers an [Op].
type Result struct {
	Decision   gate.Decision
	SessionKey string           // the live session's key, "" when there is none: for the host's hints
	User       []query.Value    // by configured column, the password null; nil when anonymous
	Session    []djsession.Item // OpSessionLoad, OpSessionCycle, OpVisit
	// Text answers OpEval, OpMakePassword, OpClearExpired and OpCSRFToken, and
	// says to the user why a password is too weak.
	Text string
	// SessionModified: the session wants to be saved, though nobody changed
	// it: a signed cookie that could not be read, a new key, a flush.
	SessionModified bool
	// OpPermissions: what the user may do, and the names of the user's groups,
	// sorted. Everything: an active superuser, who has every permission, listed
	// or not.
	Permissions, Groups []string
	Everything          bool
}

// Setting is one name and value of the configuration; a list repeats its name.
type Setting struct{ Name, Value string }

// Start is what comes with every begin and resume: the host's clock and randomness.
type Start struct {
	Now    time.Time
	Random []byte // may be empty; then the rules ask when they need some
}
