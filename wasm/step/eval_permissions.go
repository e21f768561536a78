package step

import (
	"context"

	"github.com/djedge/djedge/djuser"
)

// evalPermissions answers what Django's PermissionsMixin is asked about the
// user user_id, or about nobody when it is null: each of permissions alone
// (has_perm), those of together at once (has_perms), each of apps
// (has_module_perms). For an object ModelBackend grants nothing, so only a
// superuser has permissions there.
func evalPermissions(ctx context.Context, r *Rules, fx djuser.Effects, a *evalArgs) (string, error) {
	id, permissions, together, apps := a.text("user_id"), a.list("permissions"), a.list("together"), a.list("apps")
	if a.err != nil {
		return "", a.err
	}
	var user *djuser.User
	if !a.null("user_id") {
		var err error
		if user, err = r.users.Load(ctx, fx, id); err != nil {
			return "", err
		}
	}
	p, err := r.users.Permissions(ctx, fx, user)
	if err != nil {
		return "", err
	}
	var one, module []string
	for _, permission := range permissions {
		one = append(one, permission, rawBool(p.HasPerm(permission)))
	}
	for _, app := range apps {
		module = append(module, app, rawBool(p.HasModulePerms(app)))
	}
	return object(
		"user_permissions", array(quoteAll(p.UserPermissions())),
		"group_permissions", array(quoteAll(p.GroupPermissions())),
		"all_permissions", array(quoteAll(p.AllPermissions())),
		"groups", array(quoteAll(p.Groups())),
		"has_perm", object(one...),
		"has_perm_with_obj", rawBool(p.Everything()),
		"has_perms", rawBool(p.HasPerms(together...)),
		"has_perms_none", rawBool(p.HasPerms()),
		"has_module_perms", object(module...),
	), nil
}
