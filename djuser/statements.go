package djuser

import (
	"strings"

	"github.com/djedge/djedge/djsession/query"
)

// statements are all that the rules ask about users, with names quoted once.
type statements struct {
	byID, byName, insert, lastLogin, password, passwordCAS     query.Statement
	everyPermission, userPermissions, groupPermissions, groups query.Statement
	inserted                                                   []int // the columns of insert, in order
}

func (u *Users) build() (s statements) {
	d, c := u.settings.Dialect, &u.columns
	table := d.Quote(u.settings.Table)
	name := func(i int) string { return d.Quote(c.all[i].Name) }

	names := make([]string, len(c.all))
	for i := range c.all {
		names[i] = name(i)
	}
	id := " = " + u.idMark()
	read := "SELECT " + strings.Join(names, ", ") + " FROM " + table + " WHERE "
	// As Django's get(): more rows than one are a mistake, but a collation may
	// find several names for one.
	s.byID = query.Statement{Name: "user_by_id", SQL: d.Rebind(read + name(c.pk) + id + " LIMIT 21")}
	s.byName = query.Statement{Name: "user_by_name", SQL: d.Rebind(read + name(c.username) + " = ? LIMIT 21")}

	// Django's tables have no defaults: an INSERT gives every column that is known.
	var into []string
	for i, col := range c.all {
		_, known := u.initial(col.Name)
		if i == c.pk && i != c.username && col.Kind != query.KindUUID {
			continue // the database's to give
		}
		if known || i == c.pk || i == c.password || i == c.username || i == c.email {
			s.inserted = append(s.inserted, i)
			into = append(into, name(i))
		}
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(into)), ", ")
	s.insert = query.Statement{Name: "user_insert", SQL: d.Rebind("INSERT INTO " + table + " (" + strings.Join(into, ", ") + ") VALUES (" + marks + ")")}

	write := "UPDATE " + table + " SET " + name(c.password) + " = ? WHERE " + name(c.pk) + id
	s.password = query.Statement{Name: "user_password", SQL: d.Rebind(write)}
	s.passwordCAS = query.Statement{Name: "user_password_cas", SQL: d.Rebind(write + " AND " + name(c.password) + " = ?")}
	if c.lastLogin >= 0 {
		s.lastLogin = query.Statement{Name: "user_last_login", SQL: d.Rebind("UPDATE " + table + " SET " + name(c.lastLogin) + " = ? WHERE " + name(c.pk) + id)}
	}
	if c.superuser >= 0 {
		u.buildPermissions(&s)
	}
	return s
}

// idMark is the parameter of a primary key. PostgreSQL would give it the
// column's type, often int4, and fail for an integer that is larger instead of
// finding no row; the index serves both.
func (u *Users) idMark() string {
	if u.settings.Dialect == query.PostgreSQL && u.columns.all[u.columns.pk].Kind == query.KindInt {
		return "CAST(? AS bigint)"
	}
	return "?"
}

// Statements are all statements with a name, for the configured table.
func (u *Users) Statements() []query.Statement {
	all := []query.Statement{u.sql.byID, u.sql.byName, u.sql.insert, u.sql.password, u.sql.passwordCAS}
	if u.columns.lastLogin >= 0 {
		all = append(all, u.sql.lastLogin)
	}
	if u.columns.superuser >= 0 {
		all = append(all, u.sql.everyPermission, u.sql.userPermissions, u.sql.groupPermissions, u.sql.groups)
	}
	return all
}

// ColumnsStatement asks for all columns of a table and no row: a host learns
// from it what to put into [Settings.Columns]. The table's name is checked.
func ColumnsStatement(d query.Dialect, table string) (query.Statement, error) {
	if err := query.CheckIdentifier(table); err != nil {
		return query.Statement{}, err
	}
	return query.Statement{Name: "user_columns", SQL: "SELECT * FROM " + d.Quote(table) + " WHERE 1 = 0", AdHoc: true}, nil
}

// with is s with arguments.
func with(s query.Statement, args ...query.Value) query.Statement {
	s.Args = args
	return s
}

// initial is what create_user puts into a column that nobody names.
func (u *Users) initial(column string) (v query.Value, known bool) {
	d := u.settings.Dialect
	switch column {
	case "first_name", "last_name":
		return query.Text(""), true
	case "is_superuser", "is_staff":
		return d.Bool(false), true
	case "is_active":
		return d.Bool(true), true
	case "last_login":
		return query.Null(), true
	case "date_joined": // the time of the call, see Register
		return query.Null(), true
	}
	return query.Null(), false
}
