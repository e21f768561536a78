package djuser

import (
	"context"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
)

// Authenticate finds the user with this name, exactly as given, and this
// password. A refusal is a [*gate.Denied]: bad_credentials, or user_inactive
// when the password was right but no backend lets the user in. Whether the
// user exists cannot be told by the work done: a missing user, an impossible
// name, an unusable or unknown hash and a wrong password all cost one hash of
// the preferred kind (CVE-2024-39329, CVE-2025-13473), and is_active is looked
// at only after the password (CVE-2018-6188).
//
// With [Settings.Rehash] an outdated hash is replaced, provided that it is
// still the one that was verified.
func (u *Users) Authenticate(ctx context.Context, fx Effects, username, password string) (*User, error) {
	user, err := u.byName(ctx, fx, username)
	if err != nil {
		return nil, err
	}
	if user == nil || u.backend == "" {
		return nil, refuse(u.settings.Hashers.Waste(ctx, fx, password))
	}
	ok, outdated, err := u.settings.Hashers.Check(ctx, fx, password, *user.password)
	if err != nil || !ok {
		return nil, u.explain(refuse(err), user)
	}
	if user.backend = u.backendFor(user); user.backend == "" {
		return nil, denied(gate.ReasonUserInactive)
	}
	if outdated && u.settings.Rehash {
		return u.rehash(ctx, fx, user, password)
	}
	return user, nil
}

// refuse is the error of a password that did not match, or err when that could
// not be found out.
func refuse(err error) error {
	if err == nil {
		return denied(gate.ReasonBadCredentials)
	}
	return errorf.Errorf("checking a password: %w", err)
}

// explain adds to a refusal, for the log, that no password can ever match.
func (u *Users) explain(err error, user *User) error {
	if d, ok := err.(*gate.Denied); ok {
		if broken := u.settings.Hashers.Readable(*user.password); broken != nil {
			d.Detail = broken.Error()
		}
	}
	return err
}

// rehash stores a new hash of the password that was just verified, unless the
// stored one has changed since. Then someone else upgraded it or set another
// password: the row is read and verified once more, and left as it is.
func (u *Users) rehash(ctx context.Context, fx Effects, user *User, password string) (*User, error) {
	encoded, err := u.settings.Hashers.Make(ctx, fx, fx.Random, password, "")
	if err != nil {
		return nil, errorf.Errorf("upgrading a password hash: %w", err)
	}
	n, err := change(ctx, fx, with(u.sql.passwordCAS, query.Text(encoded), u.stored(user.PK()), query.Text(*user.password)))
	if err != nil {
		return nil, errorf.Errorf("upgrading a password hash: %w", err)
	}
	if n > 0 {
		user.password = &encoded
		return user, nil
	}
	again, err := u.byID(ctx, fx, user.PK())
	if err != nil {
		return nil, err
	}
	if again == nil || again.Username() != user.Username() {
		return nil, denied(gate.ReasonBadCredentials)
	}
	ok, _, err := u.settings.Hashers.Check(ctx, fx, password, *again.password)
	if err != nil || !ok {
		return nil, refuse(err)
	}
	if again.backend = u.backendFor(again); again.backend == "" {
		return nil, denied(gate.ReasonUserInactive)
	}
	return again, nil
}
