package djuser

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
)

// ResetTokenSalt is what the keys of [ResetTokens] are derived with
// ([signing.Derive]): SHA-256, and SHA-1 for Django before 4.0.
const ResetTokenSalt = "django.contrib.auth.tokens.PasswordResetTokenGenerator"

// ResetTokens makes and checks the tokens of password reset links, as Django's
// PasswordResetTokenGenerator. A token is good until it is too old, or until
// the user's password, last login or (since 3.2) e-mail address changes. It is
// safe for concurrent use. Zero values are the documented defaults.
type ResetTokens struct {
	// Version is the site's Django; [version.Default] when it is zero. Before
	// 3.1 a token counts days.
	Version version.Version
	// Keys sign since 3.1. Their fallbacks verify since 4.1.
	Keys signing.Ring
	// KeysSHA1 sign before 3.1. Only verified, and only in 3.1 and 3.2, they
	// may be left out.
	KeysSHA1 signing.Ring
	// DefaultHashingAlgorithm is DEFAULT_HASHING_ALGORITHM of Django 3.1 and
	// 3.2: with [signing.SHA1] they sign and verify with KeysSHA1 alone.
	DefaultHashingAlgorithm signing.Algorithm
	// Timeout is PASSWORD_RESET_TIMEOUT, three days; before 3.1
	// PASSWORD_RESET_TIMEOUT_DAYS, of which only whole days count.
	Timeout time.Duration
	// Zone is TIME_ZONE, UTC when it is nil: a token counts by the clock on
	// the site's wall.
	Zone *time.Location
	// Naive is USE_TZ = False: the last login is hashed by the clock on the
	// wall, too. It matters on PostgreSQL, where the column is an instant; in
	// the other databases it is stored that way.
	Naive bool
}

// ResetUser is what a token depends on.
type ResetUser struct {
	ID       string // the primary key as Python's str() has it
	Password string // the column
	Email    string
	// LastLogin's date and time of day, in its own location, are hashed
	// without a fraction; the zero time is a user who never logged in.
	LastLogin time.Time
}

var (
	errNoResetKey   = errors.New("there is no key for reset tokens")
	errResetTooSoon = errors.New("reset tokens begin in 2001")
)

// Make is a token for the user at this moment.
func (t *ResetTokens) Make(user ResetUser, now time.Time) (string, error) {
	days, seconds := t.clock(now)
	count, key := seconds, t.Keys.Current
	if t.sha1() {
		key = t.KeysSHA1.Current
	}
	if !t.version().AtLeast(3, 1) {
		count = days
	}
	switch {
	case key.IsZero():
		return "", errNoResetKey
	case count < 0:
		return "", errResetTooSoon
	}
	return t.sign(user, count, key), nil
}

// Check reports whether the token is the user's and not too old at this
// moment. Like Django it accepts one from the future.
func (t *ResetTokens) Check(user ResetUser, token string, now time.Time) bool {
	text, _, found := strings.Cut(token, "-")
	count, ok := parseBase36(text)
	if !found || !ok || !t.signed(user, count, token) {
		return false
	}
	timeout := t.Timeout
	if timeout == 0 {
		timeout = 3 * 24 * time.Hour
	}
	days, seconds := t.clock(now)
	v := t.version()
	switch {
	case !v.AtLeast(3, 1):
		return days-count <= int64(timeout/(24*time.Hour))
	case !v.AtLeast(4, 0) && len(text) < 4: // made by Django 3.0: days, from midnight
		return (days-count)*secondsPerDay <= int64(timeout/time.Second)
	}
	return seconds-count <= int64(timeout/time.Second)
}

// MakeFor is [ResetTokens.Make] for a user that was loaded.
func (t *ResetTokens) MakeFor(user *User, now time.Time) (string, error) {
	return t.Make(t.userOf(user), now)
}

// CheckFor is [ResetTokens.Check] for a user that was loaded; a nil user has
// no token.
func (t *ResetTokens) CheckFor(user *User, token string, now time.Time) bool {
	return user != nil && t.Check(t.userOf(user), token, now)
}

func (t *ResetTokens) userOf(user *User) ResetUser {
	r := ResetUser{ID: user.ID(), Password: *user.password, Email: user.Email()}
	if value, ok := user.Get("last_login"); ok && !value.IsNull() {
		r.LastLogin = value.Time()
		if t.Naive && user.users.settings.Dialect == query.PostgreSQL {
			r.LastLogin = r.LastLogin.In(t.zone())
		}
	}
	return r
}

// signed tries the keys that the version verifies with, in a time that does
// not depend on where a signature differs.
func (t *ResetTokens) signed(user ResetUser, count int64, token string) bool {
	v := t.version()
	keys := []signing.Key{t.Keys.Current}
	switch {
	case t.sha1():
		keys[0] = t.KeysSHA1.Current
	case !v.AtLeast(4, 0):
		keys = append(keys, t.KeysSHA1.Current)
	case v.AtLeast(4, 1):
		keys = append(keys, t.Keys.Fallbacks...)
	}
	for _, key := range keys {
		if !key.IsZero() && equal(token, t.sign(user, count, key)) {
			return true
		}
	}
	return false
}

// sign is _make_token_with_timestamp: every second digit of the hexadecimal
// HMAC.
func (t *ResetTokens) sign(user ResetUser, count int64, key signing.Key) string {
	value := user.ID + user.Password
	if !user.LastLogin.IsZero() {
		value += user.LastLogin.Format("2006-01-02 15:04:05")
	}
	value += strconv.FormatInt(count, 10)
	if t.version().AtLeast(3, 2) {
		value += user.Email
	}
	digits := hex.EncodeToString(key.MAC([]byte(value)))
	half := make([]byte, 0, len(digits)/2)
	for i := 0; i < len(digits); i += 2 {
		half = append(half, digits[i])
	}
	return strconv.FormatInt(count, 36) + "-" + string(half)
}

const secondsPerDay = 24 * 60 * 60

// clock is the time since 2001 by the clock on the site's wall, in whole days
// and in whole seconds.
func (t *ResetTokens) clock(now time.Time) (days, seconds int64) {
	local := now.In(t.zone())
	_, offset := local.Zone()
	seconds = local.Unix() + int64(offset) - time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	days = seconds / secondsPerDay
	if seconds < 0 {
		days-- // before 2001: never a token's
	}
	return days, seconds
}

func (t *ResetTokens) zone() *time.Location {
	if t.Zone == nil {
		return time.UTC
	}
	return t.Zone
}

// sha1 reports whether SHA-1 is all that the site signs and verifies with.
func (t *ResetTokens) sha1() bool {
	v := t.version()
	return !v.AtLeast(3, 1) || !v.AtLeast(4, 0) && t.DefaultHashingAlgorithm == signing.SHA1
}

func (t *ResetTokens) version() version.Version { return t.Version.Or(version.Default) }

// parseBase36 reads what int_to_base36 writes, and nothing else: Django
// compares the whole token, so that "+1", "01" and "A" never verify.
func parseBase36(s string) (int64, bool) {
	if s == "" || len(s) > 13 || s[0] == '0' && s != "0" { // 13 digits: Django's bound
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'z') {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 36, 64)
	return n, err == nil
}

// EncodeUID is the uidb64 of a reset link: the primary key as text in URL-safe
// base64 without padding.
func EncodeUID(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

// DecodeUID is the primary key in a uidb64, for [Users.Load]. Unlike Python it
// refuses characters that are not of the alphabet.
func DecodeUID(uidb64 string) (id string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(uidb64, "="))
	return string(raw), err == nil && utf8.Valid(raw)
}
