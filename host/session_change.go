package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/wasm/abi"
)

// Set stores a value under key, in the place of an older one or at the end, as
// encoding/json writes it and in Django's ASCII. JSON has one kind of number:
// a whole float64 is written as Python's float (1.0), but inside of another
// value as an int (1); [json.Number] is written as it is.
func (s *RequestSession) Set(ctx context.Context, key string, value any) error {
	raw, err := marshal(value)
	if err != nil {
		return fmt.Errorf("session entry %q: %w", key, err)
	}
	return s.SetRaw(ctx, key, raw)
}

// maxDepth is the nesting that can be stored.
const maxDepth = 200

// SetRaw stores a value that is JSON text already, as Python reads and writes it.
func (s *RequestSession) SetRaw(ctx context.Context, key, raw string) error {
	err := pyjson.Valid(raw, maxDepth)
	if err == nil {
		raw, err = pyjson.Canonical(raw)
	}
	if err != nil {
		return fmt.Errorf("session entry %q: %w", key, err)
	}
	return s.edit(ctx, func(session *djsession.Session) { session.Set(key, raw) })
}

// Delete removes an entry. Without such an entry nothing is changed.
func (s *RequestSession) Delete(ctx context.Context, key string) error {
	return s.edit(ctx, func(session *djsession.Session) { session.Delete(key) })
}

// Clear removes every entry and keeps the session, as Django's clear does; see
// [RequestSession.Flush].
func (s *RequestSession) Clear() error {
	return s.change(func(v *visit) error {
		v.asked = true
		v.session.Loaded, v.session.Accessed, v.session.Modified, v.session.Items = true, true, true, nil
		return nil
	})
}

// Flush ends the session: it is deleted at once, with every entry, and the
// response deletes the cookie. [User] is nobody from then on.
func (s *RequestSession) Flush(ctx context.Context) error {
	return s.change(func(v *visit) error {
		result, err := v.do(ctx, abi.OpSessionFlush)
		if err != nil {
			return fmt.Errorf("flush the session: %w", err)
		}
		v.move("")
		v.user, v.granted = nil, nil
		v.take(result)
		return nil
	})
}

// CycleKey gives the session a new key, at once: the entries, changes
// included, are stored under it, and what was stored before is deleted. The
// response brings the new cookie. Call it when somebody's rights change.
func (s *RequestSession) CycleKey(ctx context.Context) error {
	return s.change(func(v *visit) error {
		result, err := v.do(ctx, abi.OpSessionCycle)
		if err != nil {
			return fmt.Errorf("give the session a new key: %w", err)
		}
		v.move(result.SessionKey)
		v.take(result)
		return nil
	})
}

// expiryKey is Django's.
const expiryKey = "_session_expiry"

// SetExpiry lets the session expire so long after it was last changed, in
// whole seconds; 0 is when the browser closes.
func (s *RequestSession) SetExpiry(ctx context.Context, after time.Duration) error {
	if after%time.Second != 0 {
		return fmt.Errorf("session expiry: %v is not a whole number of seconds", after)
	}
	return s.Set(ctx, expiryKey, int64(after/time.Second))
}

// SetExpiryDate lets the session expire at a time. Django before 4.1 cannot
// store one, and then this is an error.
func (s *RequestSession) SetExpiryDate(ctx context.Context, at time.Time) error {
	v := s.visit
	if v == nil {
		return errNoMiddleware
	}
	if !v.host.dates {
		return fmt.Errorf("session expiry: this release of Django cannot store a date")
	}
	zone, layout := time.UTC, "2006-01-02T15:04:05.000000-07:00"
	if v.host.zone != nil { // without USE_TZ it is what the site's clock shows
		zone, layout = v.host.zone, "2006-01-02T15:04:05.000000"
	}
	at = at.In(zone).Truncate(time.Microsecond)
	if year := at.Year(); year < 1 || year > 9999 {
		return fmt.Errorf("session expiry: the year %d is beyond Python's", year)
	}
	if at.Nanosecond() == 0 { // as isoformat
		layout = layout[:len("2006-01-02T15:04:05")] + layout[len("2006-01-02T15:04:05.000000"):]
	}
	return s.Set(ctx, expiryKey, at.Format(layout))
}

// ResetExpiry lets the session expire as the site's settings say again.
func (s *RequestSession) ResetExpiry(ctx context.Context) error { return s.Delete(ctx, expiryKey) }

// edit loads the session and changes its entries.
func (s *RequestSession) edit(ctx context.Context, f func(*djsession.Session)) error {
	return s.change(func(v *visit) error {
		if err := v.load(ctx); err != nil {
			return err
		}
		session := v.session.Session()
		f(session)
		v.session.Items, v.session.Modified = session.Items(), session.Modified()
		return nil
	})
}

// change holds the lock while f changes the session.
func (s *RequestSession) change(f func(*visit) error) error {
	v := s.visit
	switch {
	case v == nil:
		return errNoMiddleware
	case !v.saves:
		return errReadOnly
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.sent {
		return ErrSent
	}
	return f(v)
}

// marshal writes a Go value as Python's json would.
func marshal(value any) (string, error) {
	if f, ok := value.(float64); ok && !math.IsNaN(f) && !math.IsInf(f, 0) {
		return pyjson.Float(f), nil
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return b.String(), err
}
