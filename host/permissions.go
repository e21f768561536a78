package host

import (
	"context"
	"slices"
)

// HasPerm is Django's user.has_perm: whether the user has the permission
// "app_label.codename", by grant or by group. An active superuser has every
// one, a user who is not active or not logged in none.
func (u *RequestUser) HasPerm(ctx context.Context, permission string) (bool, error) {
	result, err := u.visit.loadGranted(ctx)
	if err != nil {
		return false, err
	}
	_, found := slices.BinarySearch(result.Permissions, permission)
	return found || result.Everything, nil
}

// Permissions is Django's user.get_all_permissions, sorted: for an active
// superuser all that exist. The slice is the caller's.
func (u *RequestUser) Permissions(ctx context.Context) ([]string, error) {
	result, err := u.visit.loadGranted(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(result.Permissions), nil
}

// Groups is the names of the user's groups, sorted; none when nobody is logged
// in. It does not look at is_active, like Django's user.groups. The slice is
// the caller's.
func (u *RequestUser) Groups(ctx context.Context) ([]string, error) {
	result, err := u.visit.loadGranted(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(result.Groups), nil
}
