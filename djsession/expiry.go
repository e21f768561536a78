package djsession

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/pyjson"
)

// expiryKey is where set_expiry keeps a session's own expiry.
const expiryKey = "_session_expiry"

var (
	// ErrExpiry: the session's own expiry is nothing that Django understands.
	ErrExpiry = errors.New("_session_expiry is neither a number nor a date")
	// ErrNaiveExpiry: it is a date without a time zone, for which Django fails
	// too when USE_TZ is on.
	ErrNaiveExpiry = errors.New("_session_expiry is a date without a time zone")
	// ErrAwareExpiry: it is a date with a time zone, for which Django fails
	// when USE_TZ is off.
	ErrAwareExpiry = errors.New("_session_expiry is a date with a time zone")
)

// expiry is _session_expiry as get_expiry_age sees it.
type expiry struct {
	absent  bool // or null
	seconds float64
	falsy   bool // null, 0, false, "" and empty containers: the cookie age counts
	text    string
	isText  bool
}

func readExpiry(sess *Session) (e expiry, err error) {
	at := sess.find(expiryKey) // which the site's code does not notice
	raw, ok := "", at >= 0
	if ok {
		raw = sess.items[at].Raw
		raw, err = pyjson.Canonical(raw) // in case a program set it with spaces
		if err != nil {
			return e, ErrExpiry
		}
	}
	switch {
	case !ok || raw == "null":
		return expiry{absent: true, falsy: true}, nil
	case raw == "true":
		return expiry{seconds: 1}, nil
	case raw == "false":
		return expiry{falsy: true}, nil
	case raw[0] == '"':
		text, _ := pyjson.Unquote(raw)
		return expiry{text: text, isText: true, falsy: text == ""}, nil
	case raw == "[]" || raw == "{}":
		return expiry{falsy: true, seconds: math.NaN()}, nil // NaN: not equal to 0
	}
	seconds, err := strconv.ParseFloat(strings.TrimSuffix(raw, "inity"), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return e, ErrExpiry // a container
	}
	return expiry{seconds: seconds, falsy: seconds == 0}, nil
}

// ExpirySeconds is Django's get_expiry_age: in how many seconds the session
// expires. It may be negative and, for a session with such an expiry, have a
// fraction.
func (s *Store) ExpirySeconds(sess *Session, now time.Time) (float64, error) {
	e, err := readExpiry(sess)
	switch {
	case err != nil:
		return 0, err
	case e.falsy:
		return s.set.CookieAge.Seconds(), nil
	case !e.isText:
		_, err = addSeconds(now, e.seconds)
		return e.seconds, err
	}
	date, err := s.parseExpiry(e.text)
	if err != nil {
		return 0, err
	}
	now = s.clock(now)
	// days*86400 + seconds of the difference: rounded down.
	seconds, micros := date.Unix()-now.Unix(), date.Nanosecond()/1000-now.Nanosecond()/1000
	if micros < 0 {
		seconds--
	}
	return float64(seconds), nil
}

// ExpiryAge is [Store.ExpirySeconds] in whole seconds, as Max-Age has it.
func (s *Store) ExpiryAge(sess *Session, now time.Time) (seconds int64, err error) {
	age, err := s.ExpirySeconds(sess, now)
	if err != nil {
		return 0, err
	}
	return int64(age), nil
}

// ExpiryDate is Django's get_expiry_date, which is stored as expire_date: when
// the session expires. With [ErrNaiveExpiry] the date is as it was written,
// taken as UTC, and must not be relied upon.
func (s *Store) ExpiryDate(sess *Session, now time.Time) (time.Time, error) {
	e, err := readExpiry(sess)
	switch {
	case err != nil:
		return time.Time{}, err
	case e.isText:
		date, err := s.parseExpiry(e.text)
		if err == nil {
			date = s.instant(date)
		}
		return date, err
	case e.falsy:
		return s.instant(s.clock(now).Add(s.set.CookieAge)), nil
	}
	date, err := addSeconds(s.clock(now), e.seconds)
	return s.instant(date), err
}

// ExpiresAtBrowserClose is Django's get_expire_at_browser_close.
func (s *Store) ExpiresAtBrowserClose(sess *Session) bool {
	e, err := readExpiry(sess)
	if err != nil {
		return false
	}
	if e.absent {
		return s.set.ExpireAtBrowserClose
	}
	return !e.isText && e.seconds == 0
}

// parseExpiry reads a date; without USE_TZ it is what the site's clock shows.
func (s *Store) parseExpiry(text string) (time.Time, error) {
	date, aware, ok := parseISO(text)
	switch {
	case !ok || !inRange(date):
		return time.Time{}, ErrExpiry
	case s.set.Zone != nil && aware:
		return time.Time{}, ErrAwareExpiry
	case s.set.Zone != nil:
		return date, nil
	case !aware:
		return date, ErrNaiveExpiry
	}
	return date, nil
}

// addSeconds is now + timedelta(seconds=…): microseconds, rounded to even. A
// date that Python cannot hold is an error.
func addSeconds(now time.Time, seconds float64) (time.Time, error) {
	const tenMillennia = 400 * 366 * 25 * 86400
	if !(math.Abs(seconds) < tenMillennia) { // NaN too
		return time.Time{}, errorf.Errorf("%w: out of range", ErrExpiry)
	}
	whole, fraction := math.Modf(seconds)
	micros := math.RoundToEven(fraction * 1e6)
	date := time.Unix(now.Unix()+int64(whole), int64(now.Nanosecond())+int64(micros)*1000).UTC()
	if !inRange(date) {
		return time.Time{}, errorf.Errorf("%w: out of range", ErrExpiry)
	}
	return date, nil
}

// inRange: what Python's datetime and the databases hold, in UTC.
func inRange(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 1 && year <= 9999
}
