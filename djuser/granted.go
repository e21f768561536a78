package djuser

import (
	"context"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
)

// FromKeyGranted is [Users.FromKey] for a decision that needs to know what the
// user was granted: it reads that together with the user's row, so it needs no
// further round trip. For a user it is never nil.
func (u *Users) FromKeyGranted(ctx context.Context, fx Effects, key string, hint query.Value) (*djsession.Session, *User, gate.Grants, gate.Reason, error) {
	sess, user, why, err := u.fromKey(ctx, fx, key, hint, true)
	if user == nil || err != nil {
		return sess, user, nil, why, err
	}
	return sess, user, user.granted, why, err
}

// rowStatements read a user's row and, with granted, what only this user was
// granted: unlike [Users.Permissions], not all permissions of a superuser, whom
// only the row shows to be one.
func (u *Users) rowStatements(pk query.Value, granted bool) []query.Statement {
	pk = u.stored(pk)
	all := []query.Statement{with(u.sql.byID, pk)}
	if granted && u.columns.superuser >= 0 {
		all = append(all, with(u.sql.groups, pk))
		if u.grants {
			all = append(all, with(u.sql.userPermissions, pk), with(u.sql.groupPermissions, pk))
		}
	}
	return all
}

// readRow is the user in the results of rowStatements; nil when there is none.
func (u *Users) readRow(pk query.Value, results []query.Result, granted bool) (*User, error) {
	user, err := u.find(results[0], u.columns.pk, idText(pk))
	if user == nil || err != nil || !granted {
		return user, err
	}
	p := &Permissions{}
	user.granted = p
	if len(results) > 1 {
		p.everything = user.IsActive() && user.IsSuperuser()
		p.groups, err = joined(results[1], 1)
	}
	if len(results) > 3 && user.IsActive() && err == nil {
		if p.user, err = joined(results[2], 2); err == nil {
			p.group, err = joined(results[3], 2)
		}
	}
	if err != nil {
		return nil, errorf.Errorf("reading permissions: %w", err)
	}
	return user, nil
}

// load reads one user; nil when there is none.
func (u *Users) load(ctx context.Context, fx Effects, pk query.Value, granted bool) (*User, error) {
	results, err := ask(ctx, fx, u.rowStatements(pk, granted)...)
	if err != nil {
		return nil, errorf.Errorf("reading a user: %w", err)
	}
	return u.readRow(pk, results, granted)
}
