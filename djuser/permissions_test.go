package djuser_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser"
)

func rows(texts ...string) (r query.Result) {
	for _, text := range texts {
		var row []query.Value
		for cell := range strings.SplitSeq(text, "|") {
			row = append(row, query.Text(cell))
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

func permitted(t *testing.T, change ...func(*djuser.Settings)) *site {
	s := newSite(t, change...)
	s.answers = map[string]query.Result{
		"permissions":       rows("blog|add_page", "blog|publish.all", "shop|view_item"),
		"user_permissions":  rows("blog|publish.all", "shop|view_item"),
		"group_permissions": rows("shop|view_item", "blog|add_page"),
		"user_groups":       rows("editors", "Übersetzer"),
	}
	s.add("zoe", "pw", true)
	return s
}

func TestPermissions(t *testing.T) {
	s := permitted(t)
	user := load(t, s, "1")
	p, err := s.users.Permissions(t.Context(), s.fake, user)
	if err != nil || s.trips != 1 {
		t.Fatal(err, s.trips)
	}
	s.asked(t, "user_groups", "user_permissions", "group_permissions")
	for name, c := range map[string]struct{ got, want []string }{
		"user":   {p.UserPermissions(), []string{"blog.publish.all", "shop.view_item"}},
		"group":  {p.GroupPermissions(), []string{"blog.add_page", "shop.view_item"}},
		"all":    {p.AllPermissions(), []string{"blog.add_page", "blog.publish.all", "shop.view_item"}},
		"groups": {p.Groups(), []string{"editors", "Übersetzer"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %q", name, c.got)
		}
	}
	p.AllPermissions()[0] = "x" // the caller's
	for permission, want := range map[string]bool{
		"blog.add_page": true, "blog.publish.all": true, "shop.view_item": true,
		"blog.publish": false, "Blog.add_page": false, "blog.add_page ": false, "add_page": false, "blog": false, ".": false, "": false,
	} {
		if p.HasPerm(permission) != want || p.Everything() {
			t.Errorf("%q: %v", permission, !want)
		}
	}
	if !p.HasPerms() || !p.HasPerms("blog.add_page", "shop.view_item") || p.HasPerms("blog.add_page", "shop.add_item") {
		t.Error("has_perms")
	}
	if !p.HasModulePerms("blog") || p.HasModulePerms("blo") || p.HasModulePerms("") {
		t.Error("has_module_perms")
	}
}

func TestPermissionRules(t *testing.T) {
	const custom = "accounts.backends.EmailBackend"
	set := func(column string, v bool) func(map[string]query.Value) {
		return func(row map[string]query.Value) { row[column] = query.SQLite.Bool(v) }
	}
	for _, c := range []struct {
		name      string
		backends  []string
		row       []func(map[string]query.Value)
		asked     []string
		any, some bool // has_perm of what does not exist, and of what is granted
		listed    int
	}{
		{"superuser", nil, []func(map[string]query.Value){set("is_superuser", true)}, []string{"user_groups", "permissions"}, true, true, 3},
		{"inactive superuser", nil, []func(map[string]query.Value){set("is_superuser", true), set("is_active", false)}, []string{"user_groups"}, false, false, 0},
		{"inactive, of a backend that lets them in", []string{djuser.AllowAllUsersModelBackend}, []func(map[string]query.Value){set("is_active", false)}, []string{"user_groups"}, false, false, 0},
		{"remote user", []string{djuser.RemoteUserBackend}, nil, []string{"user_groups", "user_permissions", "group_permissions"}, false, true, 3},
		{"custom backend", []string{custom}, nil, []string{"user_groups"}, false, false, 0},
		{"superuser of a custom backend", []string{custom}, []func(map[string]query.Value){set("is_superuser", true)}, []string{"user_groups"}, true, true, 0},
		{"custom and Django's backend", []string{custom, backend}, nil, []string{"user_groups", "user_permissions", "group_permissions"}, false, true, 3},
	} {
		s := permitted(t, func(s *djuser.Settings) { s.Backends = c.backends })
		for _, change := range c.row {
			change(s.fake.users[0])
		}
		user := load(t, s, "1")
		p, err := s.users.Permissions(t.Context(), s.fake, user)
		if err != nil {
			t.Fatal(err)
		}
		s.asked(t, c.asked...)
		if p.HasPerm("no.such") != c.any || p.HasPerm("blog.add_page") != c.some || p.Everything() != c.any || p.HasModulePerms("") != c.any ||
			len(p.AllPermissions()) != c.listed || len(p.Groups()) != 2 {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
}

func TestPermissionsOfNobody(t *testing.T) {
	s := permitted(t)
	if p, err := s.users.Permissions(t.Context(), s.fake, nil); err != nil || p.HasPerm("blog.add_page") || len(p.AllPermissions()) != 0 || !p.HasPerms() {
		t.Errorf("anonymous: %+v, %v", p, err)
	}
	s = permitted(t, func(s *djuser.Settings) {
		s.Columns = []query.Column{{Name: "id", Kind: query.KindInt}, {Name: "username"}, {Name: "password"}, {Name: "is_active"}}
	})
	if p, err := s.users.Permissions(t.Context(), s.fake, load(t, s, "1")); err != nil || p.HasPerm("blog.add_page") || len(p.Groups()) != 0 {
		t.Errorf("without PermissionsMixin: %+v, %v", p, err)
	}
	s.asked(t)
	for _, st := range s.users.Statements() {
		if strings.Contains(st.Name, "permission") || st.Name == "user_groups" {
			t.Errorf("without PermissionsMixin there is a statement %s", st.Name)
		}
	}
}

func TestPermissionsFail(t *testing.T) {
	for _, name := range []string{"user_permissions", "group_permissions", "user_groups"} {
		s := permitted(t)
		user := load(t, s, "1")
		s.fail = name
		if p, err := s.users.Permissions(t.Context(), s.fake, user); p != nil || !errors.Is(err, errDown) {
			t.Errorf("%s: %v, %v", name, p, err)
		}
		s.fail, s.answers[name] = "", rows("a|b|c")
		if p, err := s.users.Permissions(t.Context(), s.fake, user); p != nil || err == nil {
			t.Errorf("%s, a row of three columns: %v, %v", name, p, err)
		}
	}
}

// Names of custom models' tables, as Django 5.2 makes them.
func TestPermissionTables(t *testing.T) {
	for _, c := range []struct {
		change func(*djuser.Settings)
		want   []string
	}{
		{func(s *djuser.Settings) { s.Table = "shop_customer" },
			[]string{`"shop_customer_user_permissions"`, `"shop_customer_groups"`, `j."customer_id" =`, `"auth_permission"`}},
		{func(s *djuser.Settings) { s.Table = "my_app_member" }, []string{`"my_app_member_groups"`, `"member_id"`}},
		{func(s *djuser.Settings) { s.Table = "people"; s.Permissions.UserColumn = "person_id" },
			[]string{`"people_user_permissions"`, `"people_groups"`, `"person_id"`}},
		{func(s *djuser.Settings) { s.Table = "site.accounts_user" },
			[]string{`"site"."accounts_user_groups"`, `"user_id"`, `"site"."auth_group"`, `"site"."django_content_type"`}},
		{func(s *djuser.Settings) {
			s.Permissions = djuser.PermissionTables{UserGroups: "a", UserPermissions: "b", UserColumn: "c", Group: "d", GroupPermissions: "e", Permission: "f", ContentType: "g"}
		}, []string{`"a"`, `"b"`, `"c"`, `"d"`, `"e"`, `"f"`, `"g"`}},
	} {
		s := permitted(t, c.change)
		var sql strings.Builder
		for _, st := range s.users.Statements() {
			sql.WriteString(st.SQL)
		}
		for _, want := range c.want {
			if !strings.Contains(sql.String(), want) {
				t.Errorf("no %s in the statements", want)
			}
		}
	}
}
