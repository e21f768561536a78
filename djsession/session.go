package djsession

import (
	"slices"

	"github.com/djedge/djedge/djsession/pyjson"
)

// Item is one entry of a session: its key and its value as JSON text, kept as
// it was read until it is replaced.
type Item struct {
	Key string
	Raw string
	// Pickled is "" for what JSON can say, and so in every session that is
	// not pickled: in caches, and by [SerializerPickle]. Else it is the value,
	// of which Raw is a view, as package pickle keeps it. Whoever changes Raw
	// clears it.
	Pickled string
}

// Session is Django's session: an ordered dict that remembers whether it was
// read or changed. It belongs to one request and is not safe for use by
// several goroutines.
type Session struct {
	key      string
	items    []Item
	known    *known // whose items these are, too; nil after a change
	accessed bool
	modified bool
	err      error
	cacheErr error
}

// NewSession is a session that was neither read nor changed. An empty key
// means that nothing is stored yet.
func NewSession(key string, items ...Item) *Session {
	return &Session{key: key, items: slices.Clone(items)}
}

// Key is the session key, "" when nothing is stored. It is a secret.
func (s *Session) Key() string { return s.key }

// Err says why the stored data could not be read. Such a session is empty. As
// in Django it keeps its key, so that the next save replaces the data; but with
// [ErrUnread], which Django may be able to read, saving it is that error.
func (s *Session) Err() error { return s.err }

// CacheErr says why a value in the cache was passed over and the database read
// instead ([ErrCacheValue]).
func (s *Session) CacheErr() error { return s.cacheErr }

// Items are the entries in order. The slice must not be changed, and is good
// until the session is.
func (s *Session) Items() []Item {
	s.accessed = true
	return s.items
}

// Len is the number of entries.
func (s *Session) Len() int {
	s.accessed = true
	return len(s.items)
}

func (s *Session) find(key string) int {
	for i := range s.items {
		if s.items[i].Key == key {
			return i
		}
	}
	return -1
}

// Get is the JSON text stored under key.
func (s *Session) Get(key string) (raw string, ok bool) {
	s.accessed = true
	if i := s.find(key); i >= 0 {
		return s.items[i].Raw, true
	}
	return "", false
}

// Text is the string stored under key; ok is false when there is none, or
// something else than a string.
func (s *Session) Text(key string) (text string, ok bool) {
	raw, ok := s.Get(key)
	if !ok {
		return "", false
	}
	return pyjson.Unquote(raw)
}

// Set stores raw, which must be JSON text (else the session cannot be saved),
// under key, in the place of an older value or at the end.
func (s *Session) Set(key, raw string) {
	s.accessed, s.modified = true, true
	s.own()
	if i := s.find(key); i >= 0 {
		s.items[i].Raw, s.items[i].Pickled = raw, ""
		return
	}
	s.items = append(s.items, Item{Key: key, Raw: raw})
}

// own makes the items this session's, before one is changed.
func (s *Session) own() {
	if s.known != nil {
		s.items, s.known = slices.Clone(s.items), nil
	}
}

// Note is what [Session.SetNote] left with these very bytes, perhaps in another
// request, or nil. As with [Session.Get] the session counts as read.
func (s *Session) Note() any {
	s.accessed = true
	if s.known != nil {
		if note := s.known.note.Load(); note != nil {
			return *note
		}
	}
	return nil
}

// SetNote leaves something small that was worked out of the entries and of what
// never changes, so that the next request of the same bytes need not do it again.
// It must not be changed afterwards. Where nothing is remembered, or the session
// was changed, nothing happens.
func (s *Session) SetNote(note any) {
	if s.known != nil {
		s.known.note.Store(&note)
	}
}

// SetText stores a string under key.
func (s *Session) SetText(key, text string) { s.Set(key, pyjson.Quote(text)) }

// Delete removes key. Without such an entry nothing is modified.
func (s *Session) Delete(key string) {
	s.accessed = true
	if i := s.find(key); i >= 0 {
		s.own()
		s.items = append(s.items[:i:i], s.items[i+1:]...)
		s.modified = true
	}
}

// Clear removes every entry and keeps the key, as Django's clear does; see
// [Store.Flush].
func (s *Session) Clear() {
	s.items, s.known = nil, nil
	s.accessed, s.modified = true, true
}

// Accessed reports whether the session was read or changed: then a response
// varies by cookie.
func (s *Session) Accessed() bool { return s.accessed }

// Modified reports whether the session was changed and wants to be saved.
func (s *Session) Modified() bool { return s.modified }

// Empty reports whether there is neither a key nor an entry: then a response
// deletes the cookie.
func (s *Session) Empty() bool { return s.key == "" && len(s.items) == 0 }
