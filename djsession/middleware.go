package djsession

import (
	"context"
	"slices"
)

// State is a [Session] as data: what a program keeps of one while a request
// runs, where the rules do not run beside it. Its zero value is that of a
// request before anything was asked.
type State struct {
	Key string // what the session is stored under; "" is nothing
	// Resolved: Key is what the rules said. Else it is what the request's
	// cookie says, and nobody has looked yet.
	Resolved bool
	// Loaded: Items are all there are. Else they are read when they are needed.
	Loaded   bool
	Accessed bool   // read or changed
	Modified bool   // changed, so that it wants to be saved
	Items    []Item // in order
}

// Session is the session that state describes.
func (st *State) Session() *Session {
	return &Session{key: st.Key, items: slices.Clone(st.Items), accessed: st.Accessed, modified: st.Modified}
}

// Response is what Django's SessionMiddleware does when a response is made.
type Response struct {
	Save   bool // the session, and then send its cookie
	Delete bool // the cookie
	Vary   bool // by Cookie
}

// AtResponse is Django's SessionMiddleware.process_response, as a decision:
// hadCookie is whether the request came with a session cookie, good or bad,
// and status is the response's. It goes beyond Django where a release leaves
// out that a response with a cookie varies by it (CVE-2026-35192).
func (s *Store) AtResponse(sess *Session, hadCookie bool, status int) Response {
	if hadCookie && sess.Empty() {
		return Response{Delete: true, Vary: true}
	}
	save := (sess.modified || s.set.SaveEveryRequest) && !sess.Empty() && s.keeps(status)
	return Response{Save: save, Vary: sess.accessed || save}
}

// keeps reports whether a response with this status lets the session be saved:
// not when the server failed, which before Django 4.2 meant 500 alone.
func (s *Store) keeps(status int) bool {
	if s.set.Version.AtLeast(4, 2) {
		return status < 500
	}
	return status != 500
}

// Respond does what [Store.AtResponse] says with sess, which is loaded, and
// returns the value of the Set-Cookie header, "" for none. An expiry or a key
// that a cookie cannot have is an error before anything is saved; for
// [ErrUpdate], the session having been deleted meanwhile, Django answers 400.
func (s *Store) Respond(ctx context.Context, fx Effects, sess *Session, do Response) (cookie string, err error) {
	switch {
	case do.Delete:
		return s.DeleteCookie(), nil
	case !do.Save:
		return "", nil
	}
	dry := *sess
	if dry.key == "" {
		dry.key = "new"
	}
	if _, err := s.SetCookie(&dry, fx.Now()); err != nil {
		return "", err
	}
	if err := s.Save(ctx, fx, sess); err != nil {
		return "", err
	}
	return s.SetCookie(sess, fx.Now())
}
