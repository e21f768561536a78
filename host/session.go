package host

import (
	"context"
	"net/http"

	"github.com/djedge/djedge/djsession"
)

// RequestSession is the session of one request, for reading.
type RequestSession struct{}

// Session returns the session of r, which passed [Host.Middleware] or [Host.Require].
func Session(r *http.Request) *RequestSession { return nil }

// Items are the session's entries in order, each value as JSON text.
func (s *RequestSession) Items(ctx context.Context) ([]djsession.Item, error) { return nil, nil }

// Raw returns one entry as JSON text.
func (s *RequestSession) Raw(ctx context.Context, key string) (text string, ok bool, err error) {
	return "", false, nil
}

// Get returns one entry, decoded.
func (s *RequestSession) Get(ctx context.Context, key string) (value any, ok bool, err error) {
	return nil, false, nil
}
