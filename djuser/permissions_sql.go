package djuser

import (
	"cmp"
	"strings"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
)

// PermissionTables are the tables of PermissionsMixin and django.contrib.auth.
// Zero values are Django's names, in the schema of the user table.
type PermissionTables struct {
	// UserGroups and UserPermissions join users with groups and permissions:
	// by default the user table's name with "_groups" and "_user_permissions".
	UserGroups, UserPermissions string
	// UserColumn is the user's column in both: the model's name in lower case
	// with "_id". The default takes what follows the last "_" of the user
	// table for that name, which is right unless the model has a db_table.
	UserColumn string
	// "auth_group", "auth_group_permissions", "auth_permission" and
	// "django_content_type".
	Group, GroupPermissions, Permission, ContentType string
}

// fill completes t for a user table.
func (t *PermissionTables) fill(users string) {
	schema, name := "", users
	if at := strings.LastIndexByte(users, '.'); at >= 0 {
		schema, name = users[:at+1], users[at+1:]
	}
	t.UserGroups = cmp.Or(t.UserGroups, users+"_groups")
	t.UserPermissions = cmp.Or(t.UserPermissions, users+"_user_permissions")
	t.UserColumn = cmp.Or(t.UserColumn, name[strings.LastIndexByte(name, '_')+1:]+"_id")
	t.Group = cmp.Or(t.Group, schema+"auth_group")
	t.GroupPermissions = cmp.Or(t.GroupPermissions, schema+"auth_group_permissions")
	t.Permission = cmp.Or(t.Permission, schema+"auth_permission")
	t.ContentType = cmp.Or(t.ContentType, schema+"django_content_type")
}

func (t *PermissionTables) check() error {
	for _, c := range []struct{ setting, name string }{
		{"user_groups_table", t.UserGroups},
		{"user_permissions_table", t.UserPermissions},
		{"user_m2m_column", t.UserColumn},
		{"group_table", t.Group},
		{"group_permissions_table", t.GroupPermissions},
		{"permission_table", t.Permission},
		{"content_type_table", t.ContentType},
	} {
		if err := query.CheckIdentifier(c.name); err != nil {
			return errorf.Errorf("%s: %w", c.setting, err)
		}
	}
	if strings.Contains(t.UserColumn, ".") {
		return errorf.Errorf("user_m2m_column: %q is not a column name", t.UserColumn)
	}
	return nil
}

// buildPermissions writes the statements as ModelBackend asks them.
func (u *Users) buildPermissions(s *statements) {
	d, t := u.settings.Dialect, &u.settings.Permissions
	mine := d.Quote(t.UserColumn) + " = " + u.idMark()
	every := "SELECT c." + d.Quote("app_label") + ", p." + d.Quote("codename") +
		" FROM " + d.Quote(t.Permission) + " p INNER JOIN " + d.Quote(t.ContentType) + " c ON c." + d.Quote("id") + " = p." + d.Quote("content_type_id")
	joining := func(table string) string {
		return every + " INNER JOIN " + d.Quote(table) + " j ON j." + d.Quote("permission_id") + " = p." + d.Quote("id") + " WHERE j."
	}
	group := d.Quote("group_id")
	s.everyPermission = query.Statement{Name: "permissions", SQL: every}
	s.userPermissions = query.Statement{Name: "user_permissions", SQL: d.Rebind(joining(t.UserPermissions) + mine)}
	s.groupPermissions = query.Statement{Name: "group_permissions", SQL: d.Rebind(
		joining(t.GroupPermissions) + group + " IN (SELECT " + group + " FROM " + d.Quote(t.UserGroups) + " WHERE " + mine + ")")}
	s.groups = query.Statement{Name: "user_groups", SQL: d.Rebind(
		"SELECT g." + d.Quote("name") + " FROM " + d.Quote(t.Group) + " g INNER JOIN " + d.Quote(t.UserGroups) + " j ON j." + group +
			" = g." + d.Quote("id") + " WHERE j." + mine)}
}
