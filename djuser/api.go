package djuser

import (
	"context"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
)

// Statements are all statements with a name, for the configured table.
func (u *Users) Statements() []query.Statement { return nil }

// ColumnsStatement asks for all columns of a table and no row.
func ColumnsStatement(d query.Dialect, table string) (query.Statement, error) {
	return query.Statement{}, nil
}

// Columns are the columns of a user's row, in the order of [User.Row].
func (u *Users) Columns() []query.Column { return nil }

// User is one row of the user table.
type User struct{}

func (u *User) ID() string                            { return "" }
func (u *User) PK() query.Value                       { return query.Value{} }
func (u *User) Username() string                      { return "" }
func (u *User) Email() string                         { return "" }
func (u *User) IsActive() bool                        { return false }
func (u *User) IsStaff() bool                         { return false }
func (u *User) IsSuperuser() bool                     { return false }
func (u *User) Get(column string) (query.Value, bool) { return query.Value{}, false }
func (u *User) Row() []query.Value                    { return nil }
func (u *User) Identity() gate.Identity               { return gate.Identity{} }

func (u *Users) GetUser(ctx context.Context, fx Effects, sess *djsession.Session) (*User, gate.Reason, error) {
	return nil, gate.ReasonInternal, nil
}
func (u *Users) FromKey(ctx context.Context, fx Effects, key string, hint query.Value) (*djsession.Session, *User, gate.Reason, error) {
	return nil, nil, gate.ReasonInternal, nil
}
func (u *Users) Authenticate(ctx context.Context, fx Effects, username, password string) (*User, error) {
	return nil, &gate.Denied{}
}
func (u *Users) Login(ctx context.Context, fx Effects, sess *djsession.Session, user *User) error {
	return &gate.Denied{}
}
func (u *Users) CSRFCookie(ctx context.Context, fx Effects) (setCookie string, err error) {
	return "", &gate.Denied{}
}
func (u *Users) Logout(ctx context.Context, fx Effects, sess *djsession.Session) error {
	return &gate.Denied{}
}
func (u *Users) Register(ctx context.Context, fx Effects, username, email, password string) (*User, error) {
	return nil, &gate.Denied{}
}

// Field is a column and the value to save in it.
type Field struct {
	Column string
	Value  query.Value
}

func (u *Users) SetPassword(ctx context.Context, fx Effects, id, password string) error {
	return &gate.Denied{}
}
func (u *Users) Load(ctx context.Context, fx Effects, id string) (*User, error) {
	return nil, &gate.Denied{}
}
func (u *Users) Save(ctx context.Context, fx Effects, id string, fields []Field) error {
	return &gate.Denied{}
}

// SessionAuthHash is Django's get_session_auth_hash, in lower-case hex.
func (u *Users) SessionAuthHash(password string) string { return "" }

// SessionAuthFallbackHashes is the same with each fallback key.
func (u *Users) SessionAuthFallbackHashes(password string) []string { return nil }

func NormalizeUsername(username string) string { return username }
func NormalizeEmail(email string) string       { return email }
func ValidUsername(username string) bool       { return false }
func ValidUsernameASCII(username string) bool  { return false }
func ValidEmail(email string) bool             { return false }
