package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/wasm/abi"
)

// RequestSession is the session of one request, for reading. It costs nothing
// until it is asked, and reads the database once. It is safe for concurrent
// use. A request without a session has an empty one; an error means that it
// could not be read, as with [RequestUser].
//
// A session says what was once put into it. Who the user is says [User], which
// also looks at the signature of the login, the user's row and is_active.
type RequestSession struct{ visit *visit }

// Session returns the session of r, which passed [Host.Middleware] or
// [Host.Require]; without them every question is answered with an error.
func Session(r *http.Request) *RequestSession { return &RequestSession{visitOf(r)} }

// Items are the session's entries in order, each value as the JSON text that
// Django stored. The slice is the caller's.
func (s *RequestSession) Items(ctx context.Context) ([]djsession.Item, error) {
	result, err := s.visit.load(ctx, abi.OpSessionLoad)
	if err != nil {
		return nil, err
	}
	return slices.Clone(result.Session), nil
}

// Raw returns one entry as the JSON text that Django stored. It may hold what
// Python's json writes and others refuse, such as NaN.
func (s *RequestSession) Raw(ctx context.Context, key string) (text string, ok bool, err error) {
	result, err := s.visit.load(ctx, abi.OpSessionLoad)
	if err != nil {
		return "", false, err
	}
	for _, item := range result.Session {
		if item.Key == key {
			return item.Raw, true, nil
		}
	}
	return "", false, nil
}

// Get returns one entry as encoding/json decodes it, numbers as
// [json.Number]. What Go cannot decode (NaN) is an error; see [RequestSession.Raw].
func (s *RequestSession) Get(ctx context.Context, key string) (value any, ok bool, err error) {
	text, ok, err := s.Raw(ctx, key)
	if err != nil || !ok {
		return nil, false, err
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, true, fmt.Errorf("session entry %q: %w", key, err)
	}
	return value, true, nil
}
