package djuser_test

import (
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser"
)

// The statements name columns and conditions as in the traces of Django 5.2.
func TestStatements(t *testing.T) {
	const columns = `"id", "password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined"`
	const permissions = `SELECT c."app_label", p."codename" FROM "auth_permission" p INNER JOIN "django_content_type" c ON c."id" = p."content_type_id"`
	want := map[string]string{
		"user_by_id":        `SELECT ` + columns + ` FROM "auth_user" WHERE "id" = CAST($1 AS bigint) LIMIT 21`,
		"user_by_name":      `SELECT ` + columns + ` FROM "auth_user" WHERE "username" = $1 LIMIT 21`,
		"user_insert":       `INSERT INTO "auth_user" (` + strings.TrimPrefix(columns, `"id", `) + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		"user_password":     `UPDATE "auth_user" SET "password" = $1 WHERE "id" = CAST($2 AS bigint)`,
		"user_password_cas": `UPDATE "auth_user" SET "password" = $1 WHERE "id" = CAST($2 AS bigint) AND "password" = $3`,
		"permissions":       permissions,
		"user_permissions":  permissions + ` INNER JOIN "auth_user_user_permissions" j ON j."permission_id" = p."id" WHERE j."user_id" = CAST($1 AS bigint)`,
		"group_permissions": permissions + ` INNER JOIN "auth_group_permissions" j ON j."permission_id" = p."id" WHERE j."group_id" IN (SELECT "group_id" FROM "auth_user_groups" WHERE "user_id" = CAST($1 AS bigint))`,
		"user_groups":       `SELECT g."name" FROM "auth_group" g INNER JOIN "auth_user_groups" j ON j."group_id" = g."id" WHERE j."user_id" = CAST($1 AS bigint)`,
		"user_last_login":   `UPDATE "auth_user" SET "last_login" = $1 WHERE "id" = CAST($2 AS bigint)`,
	}
	for d, adapt := range map[query.Dialect]func(string) string{
		query.PostgreSQL: func(s string) string { return s },
		query.SQLite:     marks,
		query.MySQL:      func(s string) string { return strings.ReplaceAll(marks(s), `"`, "`") },
	} {
		s := newSite(t, func(s *djuser.Settings) { s.Dialect = d })
		for _, st := range s.users.Statements() {
			if st.SQL != adapt(want[st.Name]) {
				t.Errorf("%v, %s:\n got %s\nwant %s", d, st.Name, st.SQL, adapt(want[st.Name]))
			}
		}
		if n := len(s.users.Statements()); n != len(want) {
			t.Errorf("%v: %d statements", d, n)
		}
	}
	st, err := djuser.ColumnsStatement(query.PostgreSQL, "app.auth_user")
	if err != nil || st.SQL != `SELECT * FROM "app"."auth_user" WHERE 1 = 0` {
		t.Errorf("got %s, %v", st.SQL, err)
	}
	if _, err := djuser.ColumnsStatement(query.PostgreSQL, `auth_user"; DROP TABLE x; --`); err == nil {
		t.Error("a table's name was not checked")
	}
}

func marks(sql string) string {
	sql = strings.NewReplacer("CAST($1 AS bigint)", "?", "CAST($2 AS bigint)", "?").Replace(sql)
	for _, n := range []string{"$10", "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9"} {
		sql = strings.ReplaceAll(sql, n, "?")
	}
	return sql
}

func TestNewRefuses(t *testing.T) {
	keys := signing.DeriveKeys("", secret, nil)
	store, err := djsession.New(djsession.Settings{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	column := func(names ...string) (c []query.Column) {
		for _, name := range names {
			c = append(c, query.Column{Name: name})
		}
		return c
	}
	for name, change := range map[string]func(*djuser.Settings){
		"key_auth_hash":                  func(s *djuser.Settings) { s.Keys.AuthHash = signing.Ring{} },
		"key_auth_hash_sha1":             func(s *djuser.Settings) { s.Version = mustVersion(t, "2.2"); s.Keys.AuthHashSHA1 = signing.Ring{} },
		"dialect":                        func(s *djuser.Settings) { s.Dialect = 9 },
		"user_table":                     func(s *djuser.Settings) { s.Table = `auth_user"` },
		"user_table:":                    func(s *djuser.Settings) { s.Columns = column("id", "username") },
		"user_pk":                        func(s *djuser.Settings) { s.Columns = column("username", "password") },
		"username_field":                 func(s *djuser.Settings) { s.Columns = column("id", "email", "password") },
		"user_column":                    func(s *djuser.Settings) { s.Columns = column("id", "username", "password", "a;b") },
		"user_column:":                   func(s *djuser.Settings) { s.Columns = column("id", "username", "password", "id") },
		"user_column: \"a.b\"":           func(s *djuser.Settings) { s.Columns = column("id", "username", "password", "a.b") },
		"user_pk, username_field":        func(s *djuser.Settings) { s.UsernameField = "password" },
		"session_key_user_id":            func(s *djuser.Settings) { s.SessionKeys.Hash = "_auth_user_id" },
		"csrf_cookie_name":               func(s *djuser.Settings) { s.CSRFCookieName = "a=b" },
		"csrf_cookie_name \"a(b)\"":      func(s *djuser.Settings) { s.CSRFCookieName = "a(b)" },
		"csrf_cookie_name \"sessionid\"": func(s *djuser.Settings) { s.CSRFCookieName = "sessionid" },
		"csrf_cookie_path":               func(s *djuser.Settings) { s.CSRFCookiePath = "/; Secure" },
		"user_m2m_column":                func(s *djuser.Settings) { s.Permissions.UserColumn = "a.user_id" },
		"permission_table":               func(s *djuser.Settings) { s.Permissions.Permission = `x" UNION SELECT` },
		"csrf_cookie_samesite":           func(s *djuser.Settings) { s.CSRFCookieSameSite = "lax; x" },
	} {
		s := djuser.Settings{Keys: keys}
		change(&s)
		if _, err := djuser.New(s, store); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows the secret", name)
		}
	}
	if _, err := djuser.New(djuser.Settings{Keys: keys}, nil); err == nil {
		t.Error("no store was accepted")
	}
	if _, err := djuser.New(djuser.Settings{Keys: keys}, store); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}
