package djuser

import (
	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djuser/password"
)

// Effects is what the user rules ask of their host.
type Effects interface {
	djsession.Effects
	password.KDF
}
