package host

import (
	"context"
	"fmt"
	"net/http"

	"github.com/djedge/djedge/djsession/query"
)

// RequestUser is the user of one request. It costs nothing until it is asked,
// and reads the database once. It is safe for concurrent use.
//
// An error means that it could not be found out who the user is, for the
// [gate.Reason] of the [gate.Denied] that it wraps: answer 503, and never treat
// it as an anonymous user.
type RequestUser struct{ visit *visit }

// User returns the user of r, which passed [Host.Middleware] or
// [Host.Require]; without them every question is answered with an error.
func User(r *http.Request) *RequestUser { return &RequestUser{visitOf(r)} }

// row is nil for an anonymous user.
func (u *RequestUser) row(ctx context.Context) ([]query.Value, error) {
	result, err := u.visit.loadUser(ctx)
	if err != nil {
		return nil, err
	}
	return result.User, nil
}

// Authenticated reports whether somebody is logged in, as Django's
// request.user.is_authenticated does.
func (u *RequestUser) Authenticated(ctx context.Context) (bool, error) {
	row, err := u.row(ctx)
	return row != nil, err
}

// ID is the user's primary key as a session holds it; [ErrAnonymous] when
// nobody is logged in.
func (u *RequestUser) ID(ctx context.Context) (string, error) {
	result, err := u.visit.loadUser(ctx)
	if err != nil {
		return "", err
	}
	if result.Decision.Identity == nil {
		return "", ErrAnonymous
	}
	return result.Decision.Identity.ID, nil
}

// Get returns one column of the user's row: nil, a bool, int64, float64,
// string, []byte or [time.Time] in UTC. It is [ErrAnonymous] when nobody is
// logged in. The password is not to be had.
func (u *RequestUser) Get(ctx context.Context, column string) (any, error) {
	row, err := u.row(ctx)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, ErrAnonymous
	}
	i, ok := u.visit.host.position[column]
	if !ok || column == "password" || i >= len(row) {
		return nil, fmt.Errorf("a user has no column %q", column)
	}
	return plain(row[i]), nil
}

// Map returns every column but the password, as [RequestUser.Get] does, or nil
// when nobody is logged in. The map is the caller's.
func (u *RequestUser) Map(ctx context.Context) (map[string]any, error) {
	row, err := u.row(ctx)
	if err != nil || row == nil {
		return nil, err
	}
	m := make(map[string]any, len(row))
	for column, i := range u.visit.host.position {
		if column != "password" && i < len(row) {
			m[column] = plain(row[i])
		}
	}
	return m, nil
}

// plain is v as a Go value.
func plain(v query.Value) any {
	switch v.Kind() {
	case query.KindBool:
		return v.Bool()
	case query.KindInt:
		return v.Int()
	case query.KindFloat:
		return v.Float()
	case query.KindText:
		return v.Text()
	case query.KindBytes:
		return []byte(v.Text())
	case query.KindTime:
		return v.Time()
	}
	return nil
}
