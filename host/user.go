package host

import (
	"context"
	"net/http"
)

// RequestUser is the user of one request.
type RequestUser struct{}

// User returns the user of r, which passed [Host.Middleware] or [Host.Require].
func User(r *http.Request) *RequestUser { return nil }

// Authenticated reports whether somebody is logged in.
func (u *RequestUser) Authenticated(ctx context.Context) (bool, error) { return false, nil }

// ID is the user's primary key as text.
func (u *RequestUser) ID(ctx context.Context) (string, error) { return "", nil }

// Get returns one column.
func (u *RequestUser) Get(ctx context.Context, column string) (any, error) { return nil, nil }

// Map returns every column but the password; nil for an anonymous user.
func (u *RequestUser) Map(ctx context.Context) (map[string]any, error) { return nil, nil }
