package djuser

import (
	"context"
	"errors"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
)

// User is one row of the user table, as it was when it was read. It is a dict
// of every column but the password, which stays inside. It belongs to the
// operation that loaded it and is not safe for concurrent use.
type User struct {
	users    *Users
	row      []query.Value // the password is null
	password *string       // behind a pointer, because fmt does not follow those: no log shows a hash
	backend  string        // of the session or the login, "" for a user loaded by id
	granted  *Permissions  // without a superuser's; nil: not read, see FromKeyGranted
}

// loaded is a User and what it points to, to be allocated at once.
type loaded struct {
	User
	stored string
	row    [len(django) + 1]query.Value // a table with more columns of its own has another
}

// user makes a User of a row, in room. The row itself may be shared, and is not changed.
func (u *Users) user(room *loaded, row []query.Value) (*User, error) {
	c := &u.columns
	if len(row) != len(c.all) {
		return nil, errors.New("a user's row has the wrong number of columns")
	}
	own := room.row[:]
	if len(row) > len(own) {
		own = make([]query.Value, len(row))
	}
	own = own[:len(row)]
	copy(own, row)
	for i := range own {
		if kind := c.all[i].Kind; kind != own[i].Kind() || kind == query.KindTime {
			own[i] = u.store.Coerce(own[i], kind)
		}
	}
	room.stored = own[c.password].Text()
	own[c.password] = query.Null()
	room.User = User{users: u, row: own, password: &room.stored}
	return &room.User, nil
}

// text is str() of a column: USERNAME_FIELD may be a number.
func (u *User) text(column int) string {
	if column < 0 {
		return ""
	}
	return idText(u.row[column])
}

func (u *User) flag(column int) bool { return column >= 0 && u.row[column].Bool() }

// ID is the primary key as text, as a session keeps it.
func (u *User) ID() string { return idText(u.PK()) }

// PK is the primary key.
func (u *User) PK() query.Value { return u.row[u.users.columns.pk] }

// Username is the value of USERNAME_FIELD.
func (u *User) Username() string { return u.text(u.users.columns.username) }

// Email is the e-mail address, "" when there is none.
func (u *User) Email() string { return u.text(u.users.columns.email) }

// IsActive is is_active; true for a table without that column.
func (u *User) IsActive() bool { return u.users.columns.active < 0 || u.flag(u.users.columns.active) }

// IsStaff is is_staff; false for a table without that column.
func (u *User) IsStaff() bool { return u.flag(u.users.columns.staff) }

// IsSuperuser is is_superuser; false for a table without that column.
func (u *User) IsSuperuser() bool { return u.flag(u.users.columns.superuser) }

// Get is the value of a column. The password is no column here.
func (u *User) Get(column string) (query.Value, bool) {
	i := u.users.columns.index(column)
	if i < 0 || i == u.users.columns.password {
		return query.Value{}, false
	}
	return u.row[i], true
}

// Row is all values in the order of [Users.Columns], the password null. It
// must not be changed.
func (u *User) Row() []query.Value { return u.row }

// Identity is what a decision says about the user. An inactive user, whom only
// an AllowAllUsers backend lets in, is neither staff nor superuser, as for
// Django's admin and has_perm.
func (u *User) Identity() gate.Identity {
	active := u.IsActive()
	return gate.Identity{ID: u.ID(), Name: u.Username(), Email: u.Email(), Staff: active && u.IsStaff(), Superuser: active && u.IsSuperuser()}
}

// String is the id alone, so that no log and no error shows a row.
func (u User) String() string { return "user " + u.ID() }

// GoString is [User.String].
func (u User) GoString() string { return u.String() }

// ask runs read or single write statements in one round trip.
func ask(ctx context.Context, fx Effects, statements ...query.Statement) ([]query.Result, error) {
	results, err := fx.Query(ctx, false, statements...)
	if err == nil && len(results) != len(statements) {
		err = errors.New("the number of results is not the number of statements")
	}
	return results, err
}

// change runs one statement and returns how many rows it met.
func change(ctx context.Context, fx Effects, s query.Statement) (int64, error) {
	results, err := ask(ctx, fx, s)
	if err != nil {
		return 0, err
	}
	return results[0].Affected, nil
}

// find makes a User of the row of r that holds exactly want in a column, by its
// text; nil when there is none. A collation may have matched more loosely
// (MySQL finds "Zoé" for "zoe "), and a name that several rows have is nobody's.
// The User is in room.
func (u *Users) find(room *loaded, r *query.Result, column int, want query.Value) (found *User, err error) {
	for _, row := range r.Rows {
		if found != nil {
			room = new(loaded)
		}
		user, err := u.user(room, row)
		if err != nil {
			return nil, err
		}
		if got := user.row[column]; got != want && idText(got) != idText(want) {
			continue
		}
		if found != nil {
			return nil, errorf.Errorf("several rows have the same %s", u.columns.all[column].Name)
		}
		found = user
	}
	return found, nil
}

// byID reads one user; nil when there is none.
func (u *Users) byID(ctx context.Context, fx Effects, pk query.Value) (*User, error) {
	return u.load(ctx, fx, pk, false)
}

// byName reads one user; nil when there is none. A name that no row can have
// is not asked for.
func (u *Users) byName(ctx context.Context, fx Effects, name string) (*User, error) {
	if name == "" || !plausible(name, maxEmail) {
		return nil, nil
	}
	results, err := ask(ctx, fx, with(u.sql.byName, query.Text(name)))
	if err != nil {
		return nil, errorf.Errorf("reading a user: %w", err)
	}
	return u.find(new(loaded), &results[0], u.columns.username, query.Text(name))
}

// Load reads the user with this primary key, given as text. A key that no user
// has is a [*gate.Denied] with ReasonUserMissing.
func (u *Users) Load(ctx context.Context, fx Effects, id string) (*User, error) {
	if pk, ok := u.parseID(id); ok {
		user, err := u.byID(ctx, fx, pk)
		if user != nil || err != nil {
			return user, err
		}
	}
	return nil, denied(gate.ReasonUserMissing)
}

func denied(r gate.Reason) error { return &gate.Denied{Reason: r} }
