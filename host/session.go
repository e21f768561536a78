package host

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/djedge/djedge/djsession"
)

// RequestSession is the session of one request, Django's request.session. It
// costs nothing until it is asked, and reads the database once. It is safe for
// concurrent use. A request without a session has an empty one; an error means
// that it could not be read, as with [RequestUser].
//
// Behind [Host.Middleware] it can be changed, and is saved when the response
// begins, as [Host.Middleware] says; from then on changes are [ErrSent].
// Behind [Host.Require] alone it is for reading.
//
// A session says what was once put into it. Who the user is says [User], which
// also looks at the signature of the login, the user's row and is_active, and
// does not see what was changed in this request; see [Login].
type RequestSession struct{ visit *visit }

// Session returns the session of r, which passed [Host.Middleware] or
// [Host.Require]; without them every question is answered with an error.
func Session(r *http.Request) *RequestSession { return &RequestSession{visitOf(r)} }

// Items are the session's entries in order, each value as the JSON text that
// Django stored. The slice is the caller's.
func (s *RequestSession) Items(ctx context.Context) ([]djsession.Item, error) {
	v := s.visit
	if v == nil {
		return nil, errNoMiddleware
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.load(ctx); err != nil {
		return nil, err
	}
	return slices.Clone(v.session.Items), nil
}

// Keys are the names of the entries, in order.
func (s *RequestSession) Keys(ctx context.Context) ([]string, error) {
	items, err := s.Items(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(items))
	for i, item := range items {
		keys[i] = item.Key
	}
	return keys, nil
}

// Raw returns one entry as the JSON text that Django stored. It may hold what
// Python's json writes and others refuse, such as NaN.
func (s *RequestSession) Raw(ctx context.Context, key string) (text string, ok bool, err error) {
	items, err := s.Items(ctx)
	if err != nil {
		return "", false, err
	}
	for _, item := range items {
		if item.Key == key {
			return item.Raw, true, nil
		}
	}
	return "", false, nil
}

// Get returns one entry as encoding/json decodes it, numbers as
// [json.Number]. What Go cannot decode (NaN) is an error; see [RequestSession.Raw].
// The value is a copy, and the caller's: changing what is inside of it changes
// nothing until it is [RequestSession.Set] again. (Django does not notice such
// a change either, but saves it along when something else is.)
func (s *RequestSession) Get(ctx context.Context, key string) (value any, ok bool, err error) {
	text, ok, err := s.Raw(ctx, key)
	if err != nil || !ok {
		return nil, false, err
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, true, fmt.Errorf("session entry %q: %w", key, err)
	}
	return value, true, nil
}
