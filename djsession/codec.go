package djsession

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/pickle"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/signing"
)

// maxDepth bounds the nesting of a session's values. Python itself stops near
// a thousand.
const maxDepth = 200

// Encode is session_data of items as the configured Django version reads it:
// signed by the current key, compressed when that is shorter (before 3.1, and
// with DEFAULT_HASHING_ALGORITHM = "sha1", in base64 with a hexadecimal
// signature). An item that is not JSON, or nested more than 200 deep, is an
// error that names its key.
func (s *Store) Encode(items []Item, now time.Time) (string, error) {
	text, err := s.serialize(items)
	if err != nil {
		return "", errorf.Errorf("encode session: %w", err)
	}
	if len(text) > s.set.MaxDataBytes {
		return "", errorf.Errorf("encode session: %w", signing.ErrTooLarge)
	}
	if s.writesSHA1() {
		return signing.DumpsLegacy(text, s.set.Keys.SessionLegacy.Current), nil
	}
	return signing.Dumps(text, s.set.Keys.Session.Current, true, now), nil
}

func (s *Store) pickles() bool { return s.set.Serializer == SerializerPickle }

// pickleProtocol is read by every Python that any Django with a PickleSerializer
// runs on.
const pickleProtocol = 4

// serialize is items as SESSION_SERIALIZER writes them.
func (s *Store) serialize(items []Item) (string, error) {
	if s.pickles() {
		return encodePickle(items, pickleProtocol)
	}
	return encodeJSON(items)
}

// deserialize reads what SESSION_SERIALIZER wrote.
func (s *Store) deserialize(text string, maxBytes int) ([]Item, error) {
	if s.pickles() {
		return decodePickle(text, maxBytes)
	}
	members, err := pyjson.Object(text, maxDepth)
	return itemsOf(members), err
}

func encodeJSON(items []Item) (string, error) {
	size := 2
	for _, it := range items {
		size += len(it.Key) + len(it.Raw) + 4
	}
	b := append(make([]byte, 0, size), '{')
	for i, it := range items {
		if err := pyjson.Valid(it.Raw, maxDepth); err != nil {
			return "", errorf.Errorf("value of %q: %w", it.Key, err)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, pyjson.Quote(it.Key)...)
		b = append(b, ':')
		b = append(b, pyjson.ASCII(it.Raw)...)
	}
	return string(append(b, '}')), nil
}

// Decode reads session_data as the configured Django version does: since 3.1
// signed with SHA-256; 3.1 and 3.2 also with SHA-1 and in the old format,
// before that the old format alone. With any error the session is to be taken
// as empty, as Django does; the error is for the log and tells a bad signature
// ([signing.ErrBadSignature]) from data that the site itself signed, and from
// data that is only beyond the limits here ([ErrUnread]).
func (s *Store) Decode(data string) ([]Item, error) {
	text, err := s.verify(data)
	var items []Item
	if err == nil {
		items, err = s.deserialize(text, s.set.MaxDataBytes)
	}
	switch {
	case errors.Is(err, signing.ErrTooLarge), errors.Is(err, pyjson.ErrDepth), errors.Is(err, pickle.ErrUndecodable):
		return nil, unread(err)
	case err != nil:
		return nil, errorf.Errorf("decode session: %w", err)
	}
	return items, nil
}

// loadInto makes sess the session that data holds under key. Decode is spared for
// bytes that were decoded before: the keys are those that the Store was made with,
// so their signature is still right.
func (s *Store) loadInto(sess *Session, key, data string) {
	sess.key = key
	if known, ok := s.verified.Get(data); ok {
		sess.items, sess.known = known.items, known
		return
	}
	sess.items, sess.err = s.Decode(data)
	if sess.err == nil {
		s.remember(data, sess.items)
	}
}

// known is what was worked out of verified bytes. Every session of the same
// bytes has it.
type known struct {
	items []Item
	note  atomic.Pointer[any]
}

// remember keeps what was decoded of data, which may be part of a buffer.
func (s *Store) remember(data string, items []Item) {
	const item, note = 48, 128 // bytes in memory, without texts
	size := note
	for _, it := range items {
		size += item + len(it.Key) + len(it.Raw) + len(it.Pickled)
	}
	s.verified.Put(data, size, func() *known { return &known{items: slices.Clone(items)} })
}

// unread is [ErrUnread] for this reason.
func unread(err error) error { return errorf.Errorf("decode session: %w: %w", ErrUnread, err) }

// verify is the serialized text of data whose signature was right.
func (s *Store) verify(data string) (string, error) {
	k, limit := &s.set.Keys, s.set.MaxDataBytes
	loads, loadsLegacy := signing.Loads, signing.LoadsLegacy
	if s.pickles() {
		loads, loadsLegacy = signing.LoadsBytes, signing.LoadsLegacyBytes
	}
	if s.legacy() {
		return loadsLegacy(data, limit, k.SessionLegacy)
	}
	if !s.transitional() {
		return loads(data, time.Time{}, -1, limit, k.Session)
	}
	rings := []signing.Ring{k.Session, k.SessionSHA1}
	if s.writesSHA1() {
		rings = rings[1:]
	}
	text, err := loads(data, time.Time{}, -1, limit, rings...)
	if errors.Is(err, signing.ErrBadSignature) {
		return loadsLegacy(data, limit, k.SessionLegacy)
	}
	return text, err
}

// legacy: Django before 3.1.
func (s *Store) legacy() bool { return !s.set.Version.AtLeast(3, 1) }

// transitional: Django 3.1 and 3.2, which read what older releases wrote.
func (s *Store) transitional() bool { return !s.legacy() && !s.set.Version.AtLeast(4, 0) }

// writesSHA1: Django before 3.1, or told to be read by such a one.
func (s *Store) writesSHA1() bool {
	return s.legacy() || s.transitional() && s.set.DefaultHashingAlgorithm == signing.SHA1
}
