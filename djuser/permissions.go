package djuser

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
)

// Permissions is what a user may do, and in which groups they are, as it was
// when it was read. The zero value is nobody's: no permission at all.
//
// The rules are ModelBackend's: a user who is not active has no permission,
// and an active superuser every one, even one that does not exist. Permissions
// are "app_label.codename", compared exactly. What backends of a site's own
// would add or refuse is not known here.
type Permissions struct {
	everything  bool
	user, group []string // sorted
	groups      []string
}

// Everything reports whether every question for a permission is answered with
// yes: the user is an active superuser.
func (p *Permissions) Everything() bool { return p.everything }

// HasPerm is Django's has_perm.
func (p *Permissions) HasPerm(permission string) bool {
	return p.everything || has(p.user, permission) || has(p.group, permission)
}

// HasPerms is has_perms: all of them, hence true for none.
func (p *Permissions) HasPerms(permissions ...string) bool {
	return !slices.ContainsFunc(permissions, func(s string) bool { return !p.HasPerm(s) })
}

// HasModulePerms is has_module_perms: any permission in this app.
func (p *Permissions) HasModulePerms(app string) bool {
	in := func(permission string) bool {
		label, _, _ := strings.Cut(permission, ".")
		return label == app
	}
	return p.everything || slices.ContainsFunc(p.user, in) || slices.ContainsFunc(p.group, in)
}

// UserPermissions is get_user_permissions: those granted to the user, or all
// that exist for a superuser, sorted. The result is the caller's, as are those
// of the methods below.
func (p *Permissions) UserPermissions() []string { return slices.Clone(p.user) }

// GroupPermissions is get_group_permissions: those of the user's groups, or
// all that exist for a superuser.
func (p *Permissions) GroupPermissions() []string { return slices.Clone(p.group) }

// AllPermissions is get_all_permissions: both.
func (p *Permissions) AllPermissions() []string {
	all := append(slices.Clone(p.user), p.group...)
	slices.Sort(all)
	return slices.Compact(all)
}

// Groups is the names of the user's groups, sorted: user.groups, hence whether
// the user is active or not.
func (p *Permissions) Groups() []string { return slices.Clone(p.groups) }

// InGroup reports whether the user is in the group of this name, compared
// exactly, active or not. A superuser is in no group but their own.
func (p *Permissions) InGroup(name string) bool { return has(p.groups, name) }

func has(sorted []string, s string) bool {
	_, found := slices.BinarySearch(sorted, s)
	return found
}

// Permissions reads the permissions and the groups of a user in one round
// trip, or in none when they came with the user ([Users.FromKeyGranted]) and
// the user is no superuser. Nil is an anonymous user, for whom nothing is
// asked, like for all users of a model without PermissionsMixin (a table
// without is_superuser). Unless one of Django's own backends is configured
// there are no permissions but a superuser's.
func (u *Users) Permissions(ctx context.Context, fx Effects, user *User) (*Permissions, error) {
	p := &Permissions{}
	if user == nil || u.columns.superuser < 0 {
		return p, nil
	}
	if user.granted != nil && !user.granted.everything {
		return user.granted, nil
	}
	p.everything = user.IsActive() && user.IsSuperuser()
	pk := u.stored(user.PK())
	statements := []query.Statement{with(u.sql.groups, pk)}
	switch {
	case !u.grants || !user.IsActive():
	case p.everything:
		statements = append(statements, u.sql.everyPermission)
	default:
		statements = append(statements, with(u.sql.userPermissions, pk), with(u.sql.groupPermissions, pk))
	}
	results, err := ask(ctx, fx, statements...)
	if err == nil {
		p.groups, err = joined(results[0], 1)
	}
	switch {
	case err != nil:
	case len(results) == 2:
		p.user, err = joined(results[1], 2)
		p.group = p.user
	case len(results) == 3:
		if p.user, err = joined(results[1], 2); err == nil {
			p.group, err = joined(results[2], 2)
		}
	}
	if err != nil {
		return nil, errorf.Errorf("reading permissions: %w", err)
	}
	return p, nil
}

// joined is the set of a result's rows, each joined by a dot.
func joined(r query.Result, columns int) ([]string, error) {
	set := make([]string, 0, len(r.Rows))
	for _, row := range r.Rows {
		if len(row) != columns {
			return nil, errors.New("a row has the wrong number of columns")
		}
		text := row[0].Text()
		for _, v := range row[1:] {
			text += "." + v.Text()
		}
		set = append(set, text)
	}
	slices.Sort(set)
	return slices.Compact(set), nil
}
