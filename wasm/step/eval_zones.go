package step

import (
	"context"
	"strconv"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djuser"
)

// What depends on TIME_ZONE. The argument zone is its offsets, as the setting
// time_zone has them.

func (a *evalArgs) zone() *time.Location {
	zone, err := djsession.ParseZone("the site's", a.text("zone"))
	if err != nil {
		a.fail(argumentErrorf("argument zone: %v", err))
		return time.UTC
	}
	return zone
}

// evalExpiryNaive is evalExpiry with USE_TZ = False: times are what the site's
// clock shows.
func evalExpiryNaive(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	settings := a.sessionSettings()
	settings.CookieAge = time.Duration(a.integer("cookie_age")) * time.Second
	settings.ExpireAtBrowserClose = a.bool("expire_at_browser_close")
	settings.Zone = a.zone()
	store := a.store(settings)
	const layout = "2006-01-02T15:04:05.999999"
	now, err := time.ParseInLocation(layout, a.text("modification"), settings.Zone)
	if err != nil {
		a.fail(argumentErrorf("argument modification is not a time"))
	}
	if a.err != nil {
		return "", a.err
	}
	session := djsession.NewSession("", djsession.Item{Key: "_session_expiry", Raw: a.raw["session_expiry"]})
	age, date := `"refused"`, `"refused"`
	if seconds, err := store.ExpirySeconds(session, now); err == nil {
		age = strconv.FormatFloat(seconds, 'f', -1, 64)
	}
	if at, err := store.ExpiryDate(session, now); err == nil {
		const fixed = "2006-01-02T15:04:05.000000" // isoformat: six digits or none
		at = at.In(settings.Zone)
		text := at.Format(fixed)
		if at.Nanosecond() == 0 {
			text = text[:len(text)-len(".000000")]
		}
		date = pyjson.Quote(text)
	}
	return object("age", age, "date", date, "at_close", rawBool(store.ExpiresAtBrowserClose(session))), nil
}

// inZone is what resetToken reads, for a site of a zone. Its now is a Unix time.
func (a *evalArgs) inZone() (tokens *djuser.ResetTokens, user djuser.ResetUser, now time.Time) {
	at := a.time("now")
	a.raw["now"] = "null" // no naive time
	tokens, user, _ = a.resetToken()
	tokens.Zone, tokens.Naive = a.zone(), !a.bool("use_tz")
	return tokens, user, at
}

func evalResetTokenMakeZone(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	tokens, user, now := a.inZone()
	if a.err != nil {
		return "", a.err
	}
	token, err := tokens.Make(user, now)
	return pyjson.Quote(token), err
}

func evalResetTokenCheckZone(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	tokens, user, now := a.inZone()
	token := a.text("token")
	if a.err != nil {
		return "", a.err
	}
	return rawBool(tokens.Check(user, token, now)), nil
}
