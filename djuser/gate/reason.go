package gate

import "strconv"

// The reasons. Their numbers are part of the module's ABI: new ones are
// appended. The zero Reason is an error, so that nothing is let in by omission.
const (
	ReasonInternal Reason = iota // a mistake here or in the host, never the client's

	ReasonOK

	// Why there is no user. The session stays as it is.
	ReasonAnonymous         // a session without a login
	ReasonNoSession         // no session cookie, or one that is no session key
	ReasonSessionUnknown    // no such session: expired, logged out or invented
	ReasonSessionCorrupt    // its signature or its data is wrong
	ReasonUserMissing       // the user was deleted, or the id is none
	ReasonUserInactive      // is_active is false
	ReasonBackendNotAllowed // the session's backend is not in AUTHENTICATION_BACKENDS
	ReasonAuthHashMismatch  // the password was changed since

	// Why an operation was refused.
	ReasonBadCredentials
	ReasonNotAuthenticated
	ReasonAlreadyAuthenticated
	ReasonNotStaff
	ReasonNotSuperuser
	ReasonUsernameTaken
	ReasonUsernameInvalid
	ReasonEmailInvalid
	ReasonPasswordEmpty
	ReasonPasswordInvalid // too long, or refused by the hasher (bcrypt)
	ReasonFieldInvalid    // a column that may not be saved, or a value it cannot hold
	ReasonSessionDeleted  // Django's UpdateError: deleted while the request ran

	// Why an unsafe request was refused.
	ReasonOriginMismatch
	ReasonCrossSite
	ReasonHostNotLoopback
	ReasonContentType
	ReasonMethod
	ReasonBadRequest

	// What cannot be decided.
	ReasonHashCost        // a stored hash costs more than the limits allow
	ReasonHashUnsupported // a stored hash of an algorithm that is not configured
	ReasonRateLimited
	ReasonBusy
	ReasonDatabaseUnavailable
	ReasonNoRandomness

	// Why a user may not pass, or a password not be set. (Later than the others.)
	ReasonPermissionMissing
	ReasonNotInGroup
	ReasonPathAmbiguous // servers may read the path or the method differently
	ReasonPasswordWeak  // AUTH_PASSWORD_VALIDATORS

	// ReasonUserUnchecked is ReasonOK where there is no database (user_check is
	// none): the session is right, and what became of its user is not known.
	ReasonUserUnchecked

	numReasons
)

var reasonNames = [numReasons]string{
	"internal", "ok",
	"anonymous", "no_session", "session_unknown", "session_corrupt", "user_missing", "user_inactive", "backend_not_allowed", "auth_hash_mismatch",
	"bad_credentials", "not_authenticated", "already_authenticated", "not_staff", "not_superuser", "username_taken", "username_invalid",
	"email_invalid", "password_empty", "password_invalid", "field_invalid", "session_deleted",
	"origin_mismatch", "cross_site", "host_not_loopback", "content_type", "method", "bad_request",
	"hash_cost", "hash_unsupported", "rate_limited", "busy", "database_unavailable", "no_randomness",
	"permission_missing", "not_in_group", "path_ambiguous", "password_weak", "user_unchecked",
}

// String is the reason's name in snake_case, the same in metrics and audit.
func (r Reason) String() string {
	if r < numReasons {
		return reasonNames[r]
	}
	return "reason " + strconv.Itoa(int(r))
}

// Status is the HTTP status of an operation that was refused for this reason.
// (A check that finds no user is 401, whatever the reason; see [Gate.Decide].)
func (r Reason) Status() int {
	switch r {
	case ReasonOK, ReasonUserUnchecked:
		return 200
	case ReasonNotAuthenticated:
		return 401
	case ReasonNotStaff, ReasonNotSuperuser, ReasonPermissionMissing, ReasonNotInGroup, ReasonPathAmbiguous,
		ReasonOriginMismatch, ReasonCrossSite, ReasonHostNotLoopback:
		return 403
	case ReasonMethod:
		return 405
	case ReasonContentType:
		return 415
	case ReasonRateLimited:
		return 429
	case ReasonInternal, ReasonHashCost, ReasonHashUnsupported, ReasonBusy, ReasonDatabaseUnavailable, ReasonNoRandomness:
		return 503
	}
	if r < numReasons {
		return 400
	}
	return 503
}

// hasUser reports whether r comes with a user.
func (r Reason) hasUser() bool { return r == ReasonOK || r == ReasonUserUnchecked }

// undecided reports whether r says that nothing could be found out, so that
// not even an anonymous request may be let through.
func (r Reason) undecided() bool { return r.Status() >= 429 }

// Denied is the error of every refusal that is the client's to know.
type Denied struct {
	Reason Reason
	Detail string // for the log only; never a secret
}

func (d *Denied) Error() string {
	if d.Detail == "" {
		return d.Reason.String()
	}
	return d.Reason.String() + ": " + d.Detail
}
