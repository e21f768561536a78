package djuser

import (
	"context"
	"errors"
	"unicode/utf8"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
)

const (
	maxUsername = 150 // characters of auth_user.username
	maxEmail    = 254 // characters of an EmailField, and of other USERNAME_FIELDs
)

func (u *Users) maxUsername() int {
	if u.settings.UsernameField == "username" {
		return maxUsername
	}
	return maxEmail
}

// Register is Django's create_user behind the checks of its forms: the name is
// normalised (NFKC) and validated, an e-mail address may be empty but not
// wrong, the password must not be empty. AUTH_PASSWORD_VALIDATORS are not
// applied. Only the database decides whether a name is free, by its uniqueness
// rule; names that differ in case are different, as in create_user. The user
// is read back as stored. Its primary key is the database's to give, but for a
// UUID, which is a random one (uuid4), and a text, which must be the user name.
// Columns that Django's own model does not have are left to their defaults in
// the database.
//
// Refusals are [*gate.Denied]: username_invalid, username_taken,
// email_invalid, password_empty, password_invalid, and backend_not_allowed when
// no backend could log the new user in with a password.
func (u *Users) Register(ctx context.Context, fx Effects, username, email, password string) (*User, error) {
	if u.columns.all[u.columns.pk].Kind == query.KindText && u.columns.pk != u.columns.username {
		return nil, errors.New("user_pk: users whose primary key is a text of the site's own cannot be registered here")
	}
	if u.backend == "" {
		return nil, denied(gate.ReasonBackendNotAllowed)
	}
	name, err := u.newName(username)
	if err != nil {
		return nil, err
	}
	if u.columns.email == u.columns.username {
		email = name
	} else if email != "" {
		if email, err = newEmail(email); err != nil {
			return nil, err
		}
	}
	encoded, err := u.hash(ctx, fx, password)
	if err != nil {
		return nil, err
	}
	args := make([]query.Value, len(u.sql.inserted))
	for i, column := range u.sql.inserted {
		switch column {
		case u.columns.password:
			args[i] = query.Text(encoded)
		case u.columns.username:
			args[i] = query.Text(name)
		case u.columns.email:
			args[i] = query.Text(email)
		case u.columns.pk:
			id, err := newUUID(ctx, fx)
			if err != nil {
				return nil, err
			}
			args[i] = u.settings.Dialect.UUID(id)
		default:
			args[i], _ = u.initial(u.columns.all[column].Name)
			if u.columns.all[column].Name == "date_joined" {
				args[i] = u.store.Time(fx.Now())
			}
		}
	}
	// Alone: a statement that fails would take others down with it.
	if _, err := change(ctx, fx, with(u.sql.insert, args...)); errors.Is(err, query.ErrDuplicate) {
		return nil, denied(gate.ReasonUsernameTaken)
	} else if err != nil {
		return nil, errorf.Errorf("creating a user: %w", err)
	}
	user, err := u.byName(ctx, fx, name)
	if err == nil && user == nil {
		err = errors.New("the user that was created is not there")
	}
	if err != nil {
		return nil, err
	}
	return user, nil
}

// newUUID is Python's uuid4(), RFC 9562 section 5.4.
func newUUID(ctx context.Context, fx Effects) (string, error) {
	random, err := fx.Random(ctx, 16)
	if err != nil {
		return "", errorf.Errorf("making a primary key: %w", err)
	}
	if len(random) != 16 {
		return "", errorf.Errorf("making a primary key: %w", djsession.ErrNoRandomness)
	}
	id := [16]byte(random)
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return query.FormatUUID(id), nil
}

// newName checks and normalises the name of a new user. Its length is bounded
// before it is normalised (CVE-2023-46695) and after, since NFKC may lengthen.
func (u *Users) newName(name string) (string, error) {
	max := u.maxUsername()
	if !plausible(name, max) {
		return "", denied(gate.ReasonUsernameInvalid)
	}
	name = NormalizeUsername(name)
	valid := ValidUsername
	if u.columns.email == u.columns.username {
		name, valid = NormalizeEmail(name), ValidEmail
	}
	if !valid(name) || utf8.RuneCountInString(name) > max {
		return "", denied(gate.ReasonUsernameInvalid)
	}
	return name, nil
}

func newEmail(email string) (string, error) {
	if !plausible(email, maxEmail) {
		return "", denied(gate.ReasonEmailInvalid)
	}
	email = NormalizeEmail(email)
	if !ValidEmail(email) || utf8.RuneCountInString(email) > maxEmail {
		return "", denied(gate.ReasonEmailInvalid)
	}
	return email, nil
}

// hash makes the hash of a new password.
func (u *Users) hash(ctx context.Context, fx Effects, secret string) (string, error) {
	if secret == "" {
		return "", denied(gate.ReasonPasswordEmpty)
	}
	encoded, err := u.settings.Hashers.Make(ctx, fx, fx.Random, secret, "")
	if errors.Is(err, password.ErrPassword) {
		return "", denied(gate.ReasonPasswordInvalid)
	}
	if err != nil {
		return "", errorf.Errorf("hashing a password: %w", err)
	}
	return encoded, nil
}
