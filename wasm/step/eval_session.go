package step

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser"
)

// The functions of django.core.signing, django.utils.crypto and
// django.contrib.sessions.

func evalSaltedHMAC(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	mac := signing.SaltedHMAC(a.algorithm(signing.SHA256), a.text("key_salt"), a.text("value"), a.text("secret"))
	return pyjson.Quote(hex.EncodeToString(mac)), a.err
}

func evalB62(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	text := signing.EncodeB62(a.integer("value"))
	if a.err != nil {
		return "", a.err
	}
	back, err := signing.DecodeB62(text)
	return object("encoded", pyjson.Quote(text), "decoded", strconv.FormatInt(back, 10)), err
}

func evalSign(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	return pyjson.Quote(signing.Sign(a.text("value"), a.key(a.text("salt")))), a.err
}

func evalUnsign(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	signed, rings := a.text("signed"), a.rings(a.text("salt"))
	if a.err != nil {
		return "", a.err
	}
	value, err := signing.Unsign(signed, rings...)
	return object("value", pyjson.Quote(value)), err
}

func evalSignTimestamp(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	return pyjson.Quote(signing.SignTimestamp(a.text("value"), a.key(a.text("salt")), a.time("timestamp"))), a.err
}

// evalSignCookie is HttpResponse.set_signed_cookie. Releases that never got
// the mend of CVE-2026-6873 write name and salt side by side.
func evalSignCookie(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	name, salt, secret := a.text("cookie_name"), a.text("salt"), a.text("secret")
	key := signing.DeriveCookie(name, salt, secret)
	if v := a.version(); !v.AtLeast(5, 2) {
		alg := signing.SHA256
		if !v.AtLeast(3, 1) {
			alg = signing.SHA1
		}
		key = signing.Derive(alg, name+salt+"signer", "django.http.cookies"+secret)
	}
	return pyjson.Quote(signing.SignTimestamp(a.text("value"), key, a.time("timestamp"))), a.err
}

func evalUnsignTimestamp(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	signed, rings := a.text("signed"), a.rings(a.text("salt"))
	now, maxAge := a.time("now"), a.maxAge()
	if a.err != nil {
		return "", a.err
	}
	value, _, err := signing.UnsignTimestamp(signed, now, maxAge, rings...)
	return object("value", pyjson.Quote(value)), err
}

func evalDumps(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	return pyjson.Quote(signing.Dumps(a.text("json"), a.key(a.text("salt")), a.bool("compress"), a.time("timestamp"))), a.err
}

// evalLoads serves signing.loads and the cookie of signed_cookies sessions.
func evalLoads(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	signed, rings := a.text("signed"), a.rings(a.text("salt"))
	now, maxAge := time.Unix(0, 0), a.maxAge()
	if !a.null("now") {
		now = a.time("now")
	}
	if a.err != nil {
		return "", a.err
	}
	text, err := signing.Loads(signed, now, maxAge, maxEvalBytes, rings...)
	if err != nil {
		return "", err
	}
	canonical, err := pyjson.Canonical(text)
	return object("json", pyjson.Quote(canonical)), err
}

// maxEvalBytes is above session_max_bytes' default, because Django has no
// limit and its answers were recorded up to 3 MB.
const maxEvalBytes = 4 << 20

const sessionSaltPrefix = "django.contrib.sessions."

// sessionSettings are those of the named version over the arguments' keys.
func (a *evalArgs) sessionSettings() djsession.Settings {
	class := strings.TrimPrefix(a.text("salt"), sessionSaltPrefix)
	return djsession.Settings{
		Version: a.version(), Keys: signing.DeriveKeys(class, a.text("secret"), a.list("fallbacks")), MaxDataBytes: maxEvalBytes,
	}
}

func (a *evalArgs) store(settings djsession.Settings) *djsession.Store {
	store, err := djsession.New(settings)
	if err != nil {
		a.fail(err)
	}
	return store
}

// evalSessionDecode answers the items as Python would dump them; what cannot
// be read is {}, as in SessionBase.decode.
func evalSessionDecode(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	store, data := a.store(a.sessionSettings()), a.text("session_data")
	if a.err != nil {
		return "", a.err
	}
	items, refused := store.Decode(data)
	raw := make([]string, 0, 2*len(items))
	for _, item := range items {
		raw = append(raw, item.Key, item.Raw)
	}
	canonical, err := pyjson.Canonical(object(raw...))
	return object("json", pyjson.Quote(canonical), "refused", rawBool(refused != nil)), err
}

func evalSessionEncode(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	store, text, at := a.store(a.sessionSettings()), a.text("json"), a.time("timestamp")
	if a.err != nil {
		return "", a.err
	}
	members, err := pyjson.Object(text, maxEvalDepth)
	if err != nil {
		return "", err
	}
	items := make([]djsession.Item, len(members))
	for i, m := range members {
		items[i] = djsession.Item{Key: m.Key, Raw: m.Raw}
	}
	data, err := store.Encode(items, at)
	return pyjson.Quote(data), err
}

func evalSessionKey(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	key := a.text("key")
	if !djsession.DjangoKey(key) {
		return "null", a.err
	}
	return pyjson.Quote(key), a.err
}

// evalExpiry answers get_expiry_age, get_expiry_date and
// get_expire_at_browser_close, "refused" where there is no answer.
func evalExpiry(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	settings := a.sessionSettings()
	settings.CookieAge = time.Duration(a.integer("cookie_age")) * time.Second
	settings.ExpireAtBrowserClose = a.bool("expire_at_browser_close")
	store := a.store(settings)
	now, err := time.Parse(time.RFC3339Nano, a.text("modification"))
	if err != nil {
		a.fail(argumentErrorf("argument modification is not a time"))
	}
	if a.err != nil {
		return "", a.err
	}
	session := djsession.NewSession("", djsession.Item{Key: "_session_expiry", Raw: a.raw["session_expiry"]})
	ageText, dateText := `"refused"`, `"refused"`
	if seconds, err := store.ExpirySeconds(session, now); err == nil {
		ageText = strconv.FormatFloat(seconds, 'f', -1, 64)
	}
	switch date, err := store.ExpiryDate(session, now); {
	case err == nil:
		dateText = pyjson.Quote(date.Format("2006-01-02T15:04:05.000000-07:00"))
	case errors.Is(err, djsession.ErrNaiveExpiry):
		dateText = pyjson.Quote(date.Format("2006-01-02T15:04:05.000000"))
	}
	return object("age", ageText, "date", strings.Replace(dateText, ".000000", "", 1),
		"at_close", rawBool(store.ExpiresAtBrowserClose(session))), nil
}
