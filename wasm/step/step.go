// Package step is the one dispatcher of all operations, and the machine that
// runs it inside WebAssembly: begin an operation, answer what it asks for,
// cancel it.
//
// A host that is Go calls [Rules.Do] with effects that block. The module calls
// the same Do on a coroutine, whose effects park it until the host answers. So
// the rules are one piece of linear code, and both give the same results.
package step

import (
	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
	"github.com/djedge/djedge/wasm/abi"
)

// Rules is one configured site. It is immutable and safe for concurrent use.
type Rules struct {
	sessions *djsession.Store
	users    *djuser.Users
	gate     *gate.Gate
	hashers  *password.Hashers
	table    *abi.Table

	validators    *djuser.PasswordValidators
	maxPassword   int // bytes
	csrfInSession bool
	unchecked     bool // user_check is none

	shorthand *abi.Shorthand // nil unless the host asked for it
}

// Statements is every statement that effects may name, in the ABI's order.
func (r *Rules) Statements() []query.Statement { return r.table.Statements() }

// Columns is the columns of [abi.Result.User], in order.
func (r *Rules) Columns() []query.Column { return r.users.Columns() }

// Shorthand is what a host needs for results in few bytes; nil unless it asked.
func (r *Rules) Shorthand() *abi.Shorthand { return r.shorthand }

// NeedsGrants reports whether the rule list asks for a permission or a group.
func (r *Rules) NeedsGrants() bool { return r.gate.NeedsGrants() }

// Headers is the names of the request headers that the rules read.
func (r *Rules) Headers() []string { return r.gate.HeaderNames() }
