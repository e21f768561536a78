package host

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/djedge/djedge/djsession/query"
)

// findUUIDs marks the columns that hold UUIDs where a driver cannot tell:
// MySQL's protocol does not say that a char has 32 characters, or is MariaDB's
// uuid. Django makes no other char(32).
func findUUIDs(ctx context.Context, db DB, table string, columns []query.Column) error {
	if db.Dialect() != query.MySQL {
		return nil
	}
	statement := query.Statement{
		Name:  "user_column_types",
		SQL:   "SELECT column_name, column_type FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?",
		Args:  []query.Value{query.Text(table)},
		AdHoc: true,
	}
	if schema, name, ok := strings.Cut(table, "."); ok {
		statement.SQL = strings.Replace(statement.SQL, "DATABASE()", "?", 1)
		statement.Args = []query.Value{query.Text(schema), query.Text(name)}
	}
	results, err := db.Query(ctx, false, statement)
	if err != nil || len(results) != 1 {
		return fmt.Errorf("user_table: the types of the columns of table %s cannot be read: %w", table, err)
	}
	for _, row := range results[0].Rows {
		if len(row) != 2 {
			continue
		}
		at := slices.IndexFunc(columns, func(c query.Column) bool { return c.Name == row[0].Text() })
		if kind := strings.ToLower(row[1].Text()); at >= 0 && (kind == "char(32)" || kind == "uuid") {
			columns[at].Kind = query.KindUUID
		}
	}
	return nil
}

// findUserColumn looks up the user's column in the table that joins users with
// groups, since its name is the model's and cannot be told from a db_table.
// What cannot be found out stays the default: permissions are asked for by few.
func findUserColumn(ctx context.Context, db DB, c *Config, users []query.Column) error {
	named := func(name string) func(query.Column) bool {
		return func(c query.Column) bool { return c.Name == name }
	}
	if c.PermissionTables.UserColumn != "" || !slices.ContainsFunc(users, named("is_superuser")) {
		return nil
	}
	joined, err := describe(ctx, db, "user_groups_table", or(c.PermissionTables.UserGroups, or(c.UserTable, "auth_user")+"_groups"))
	if err != nil {
		if c.PermissionTables.UserGroups != "" {
			return err
		}
		return nil
	}
	joined = slices.DeleteFunc(joined, named("id"))
	joined = slices.DeleteFunc(joined, named("group_id"))
	if len(joined) == 1 {
		c.PermissionTables.UserColumn = joined[0].Name
	}
	return nil
}
