package djuser

import (
	"slices"
	"strings"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
)

const passwordColumn = "password"

// django is AbstractUser: the columns of auth_user in the model's order (that
// of the table differs: SQLite puts altered columns last). What the database
// says of a kind is not believed for these, since SQLite and MySQL keep bools
// as numbers and may return datetimes as text.
var django = [...]struct {
	query.Column
	maxLength int // characters, 0: no text
	nullable  bool
}{
	{Column: query.Column{Name: "id", Kind: query.KindInt}},
	{Column: query.Column{Name: passwordColumn, Kind: query.KindText}, maxLength: 128},
	{Column: query.Column{Name: "last_login", Kind: query.KindTime}, nullable: true},
	{Column: query.Column{Name: "is_superuser", Kind: query.KindBool}},
	{Column: query.Column{Name: "username", Kind: query.KindText}, maxLength: 150},
	{Column: query.Column{Name: "first_name", Kind: query.KindText}, maxLength: 150},
	{Column: query.Column{Name: "last_name", Kind: query.KindText}, maxLength: 150},
	{Column: query.Column{Name: "email", Kind: query.KindText}, maxLength: 254},
	{Column: query.Column{Name: "is_staff", Kind: query.KindBool}},
	{Column: query.Column{Name: "is_active", Kind: query.KindBool}},
	{Column: query.Column{Name: "date_joined", Kind: query.KindTime}},
}

// djangoIndex is the place of a column in django, or len(django).
func djangoIndex(name string) int {
	for i := range django {
		if django[i].Name == name {
			return i
		}
	}
	return len(django)
}

// columns is the order of a row and where in it is what the rules need; -1 is
// nowhere.
type columns struct {
	all                           []query.Column
	pk, password, username, email int
	active, staff, superuser      int
	lastLogin                     int
}

func (c *columns) index(name string) int {
	return slices.IndexFunc(c.all, func(col query.Column) bool { return col.Name == name })
}

// arrange orders and checks the configured columns.
func arrange(s *Settings) (columns, error) {
	var c columns
	if s.Columns == nil {
		for i := range django {
			col := django[i].Column
			switch col.Name {
			case "id":
				col.Name = s.PK
			case "username":
				col.Name = s.UsernameField
			case "email":
				col.Name = s.EmailField
			}
			if c.index(col.Name) < 0 { // USERNAME_FIELD may be the e-mail address
				c.all = append(c.all, col)
			}
		}
	} else {
		c.all = slices.Clone(s.Columns)
		rank := func(col query.Column) int {
			if col.Name == s.PK {
				return -1
			}
			return djangoIndex(col.Name)
		}
		slices.SortStableFunc(c.all, func(a, b query.Column) int { return rank(a) - rank(b) })
	}
	for i := range c.all {
		col := &c.all[i]
		if err := query.CheckIdentifier(col.Name); err != nil || strings.Contains(col.Name, ".") {
			return c, errorf.Errorf("user_column: %q is not a column name", col.Name)
		}
		if c.index(col.Name) != i {
			return c, errorf.Errorf("user_column: %q comes twice", col.Name)
		}
		switch known := djangoIndex(col.Name); {
		case col.Name == s.UsernameField, col.Name == s.EmailField:
			col.Kind = query.KindText
		case known < len(django) && col.Name != s.PK && col.Name != "id":
			col.Kind = django[known].Kind
		}
	}
	c.pk, c.password, c.username, c.email = c.index(s.PK), c.index(passwordColumn), c.index(s.UsernameField), c.index(s.EmailField)
	c.active, c.staff, c.superuser = c.index("is_active"), c.index("is_staff"), c.index("is_superuser")
	c.lastLogin = c.index("last_login")
	switch {
	case c.pk < 0:
		return c, errorf.Errorf("user_pk: table %s has no column %q", s.Table, s.PK)
	case c.username < 0:
		return c, errorf.Errorf("username_field: table %s has no column %q", s.Table, s.UsernameField)
	case c.password < 0:
		return c, errorf.Errorf("user_table: table %s has no column %q, so it holds no Django users", s.Table, passwordColumn)
	case c.pk == c.password || c.username == c.password || c.email == c.password:
		return c, errorf.Errorf("user_pk, username_field and email_field cannot be %q", passwordColumn)
	}
	return c, nil
}

// Columns are the columns of a user's row, in the order of [User.Row]: Django's
// own in the model's order, others after. The result is a copy.
func (u *Users) Columns() []query.Column { return slices.Clone(u.columns.all) }

// IdentityPlaces are the columns that [User.Identity] is made of, by their places
// in [Users.Columns]: primary key, user name, e-mail address, is_active, is_staff
// and is_superuser; -1 for one that the table does not have.
func (u *Users) IdentityPlaces() [6]int {
	c := &u.columns
	return [...]int{c.pk, c.username, c.email, c.active, c.staff, c.superuser}
}

// maxLength is how many characters a column of Django's own may hold, or 0.
func (u *Users) maxLength(name string) int {
	switch i := djangoIndex(name); {
	case name == u.settings.UsernameField:
		return u.maxUsername()
	case name == u.settings.EmailField:
		return maxEmail
	case name == "first_name" && !u.settings.Version.AtLeast(3, 1):
		return 30
	case i < len(django):
		return django[i].maxLength
	}
	return 0
}

// nullable reports whether a column may be null as far as is known.
func (u *Users) nullable(name string) bool {
	i := djangoIndex(name)
	return name != u.settings.UsernameField && (i == len(django) || django[i].nullable)
}
