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
	sess, user, why, err := u.fromKey(ctx, fx, new(Room), key, hint, true)
	if user == nil || err != nil {
		return sess, user, nil, why, err
	}
	return sess, user, user.granted, why, err
}

// maxRowStatements is how many rowStatements gives.
const maxRowStatements = 4

// rowStatements appends to all what reads a user's row and, with granted, what
// only this user was granted: unlike [Users.Permissions], not all permissions of
// a superuser, whom only the row shows to be one. They share one argument, which
// is appended to args.
func (u *Users) rowStatements(all []query.Statement, args []query.Value, pk query.Value, granted bool) []query.Statement {
	args = append(args, u.stored(pk))
	all = append(all, with(u.sql.byID, args...))
	if granted && u.columns.superuser >= 0 {
		all = append(all, with(u.sql.groups, args...))
		if u.grants {
			all = append(all, with(u.sql.userPermissions, args...), with(u.sql.groupPermissions, args...))
		}
	}
	return all
}

// readRow is the user in the results of rowStatements, kept in room; nil when
// there is none.
func (u *Users) readRow(room *loaded, pk query.Value, results []query.Result, granted bool) (*User, error) {
	user, err := u.find(room, &results[0], u.columns.pk, pk)
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
	results, err := ask(ctx, fx, u.rowStatements(nil, nil, pk, granted)...)
	if err != nil {
		return nil, errorf.Errorf("reading a user: %w", err)
	}
	return u.readRow(new(loaded), pk, results, granted)
}
