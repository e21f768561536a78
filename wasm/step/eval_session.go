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

func evalSaltedHMAC(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	s, err := a.texts("key_salt", "value", "secret", "algorithm")
	if err != nil {
		return "", err
	}
	alg, err := algorithm(s[3])
	if err != nil {
		return "", err
	}
	return pyjson.Quote(hex.EncodeToString(signing.SaltedHMAC(alg, s[0], s[1], s[2]))), nil
}

func evalB62(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	n, err := a.integer("value")
	if err != nil {
		return "", err
	}
	text := signing.EncodeB62(n)
	back, err := signing.DecodeB62(text)
	if err != nil {
		return "", err
	}
	return object("encoded", pyjson.Quote(text), "decoded", strconv.FormatInt(back, 10)), nil
}

// signKey is the key that Signer(salt) signs with under the named algorithm.
func (a evalArgs) signKey(salt string) (signing.Key, error) {
	s, err := a.texts("secret", "algorithm")
	if err != nil {
		return signing.Key{}, err
	}
	alg, err := algorithm(s[1])
	if err == nil && s[1] == "" {
		v, err := a.version()
		if err != nil {
			return signing.Key{}, err
		}
		if !v.AtLeast(3, 1) {
			alg = signing.SHA1
		}
	}
	return signing.Derive(alg, salt+"signer", s[0]), err
}

func evalSign(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	s, err := a.texts("value", "salt")
	if err != nil {
		return "", err
	}
	key, err := a.signKey(s[1])
	if err != nil {
		return "", err
	}
	return pyjson.Quote(signing.Sign(s[0], key)), nil
}

func evalUnsign(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	s, err := a.texts("signed", "salt")
	if err != nil {
		return "", err
	}
	rings, err := a.rings(s[1])
	if err != nil {
		return "", err
	}
	value, err := signing.Unsign(s[0], rings...)
	if err != nil {
		return "", err
	}
	return object("value", pyjson.Quote(value)), nil
}

func evalSignTimestamp(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	s, err := a.texts("value", "salt")
	if err != nil {
		return "", err
	}
	key, err := a.signKey(s[1])
	if err != nil {
		return "", err
	}
	at, err := a.time("timestamp")
	if err != nil {
		return "", err
	}
	return pyjson.Quote(signing.SignTimestamp(s[0], key, at)), nil
}

// evalSignCookie is HttpResponse.set_signed_cookie.
func evalSignCookie(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	s, err := a.texts("cookie_name", "salt", "value", "secret")
	if err != nil {
		return "", err
	}
	at, err := a.time("timestamp")
	if err != nil {
		return "", err
	}
	return pyjson.Quote(signing.SignTimestamp(s[2], signing.DeriveCookie(s[0], s[1], s[3]), at)), nil
}

func evalUnsignTimestamp(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	s, err := a.texts("signed", "salt")
	if err != nil {
		return "", err
	}
	rings, err := a.rings(s[1])
	if err != nil {
		return "", err
	}
	now, err := a.time("now")
	if err != nil {
		return "", err
	}
	maxAge, err := a.maxAge()
	if err != nil {
		return "", err
	}
	value, _, err := signing.UnsignTimestamp(s[0], now, maxAge, rings...)
	if err != nil {
		return "", err
	}
	return object("value", pyjson.Quote(value)), nil
}

func evalDumps(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	s, err := a.texts("json", "salt")
	if err != nil {
		return "", err
	}
	key, err := a.signKey(s[1])
	if err != nil {
		return "", err
	}
	at, err := a.time("timestamp")
	if err != nil {
		return "", err
	}
	return pyjson.Quote(signing.Dumps(s[0], key, a.bool("compress"), at)), nil
}

// evalLoads serves signing.loads and the cookie of signed_cookies sessions.
func evalLoads(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	s, err := a.texts("signed", "salt")
	if err != nil {
		return "", err
	}
	rings, err := a.rings(s[1])
	if err != nil {
		return "", err
	}
	now := time.Unix(0, 0)
	if !a.null("now") {
		if now, err = a.time("now"); err != nil {
			return "", err
		}
	}
	maxAge, err := a.maxAge()
	if err != nil {
		return "", err
	}
	text, err := signing.Loads(s[0], now, maxAge, maxEvalBytes, rings...)
	if err != nil {
		return "", err
	}
	canonical, err := pyjson.Canonical(text)
	if err != nil {
		return "", err
	}
	return object("json", pyjson.Quote(canonical)), nil
}

// maxEvalBytes is above session_max_bytes' default, because Django has no
// limit and its answers were recorded up to 3 MB.
const maxEvalBytes = 4 << 20

const sessionSaltPrefix = "django.contrib.sessions."

// store is a session store of the named version over the arguments' keys.
func (a evalArgs) store(change func(*djsession.Settings)) (*djsession.Store, error) {
	v, err := a.version()
	if err != nil {
		return nil, err
	}
	s, err := a.texts("secret", "salt")
	if err != nil {
		return nil, err
	}
	fallbacks, err := a.list("fallbacks")
	if err != nil {
		return nil, err
	}
	class := strings.TrimPrefix(s[1], sessionSaltPrefix)
	settings := djsession.Settings{Version: v, Keys: signing.DeriveKeys(class, s[0], fallbacks), MaxDataBytes: maxEvalBytes}
	if change != nil {
		change(&settings)
	}
	return djsession.New(settings)
}

// evalSessionDecode answers the items as Python would dump them; what cannot
// be read is {}, as in SessionBase.decode.
func evalSessionDecode(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	store, err := a.store(nil)
	if err != nil {
		return "", err
	}
	data, err := a.text("session_data")
	if err != nil {
		return "", err
	}
	items, err := store.Decode(data)
	refused := err != nil
	raw := make([]string, 0, 2*len(items))
	for _, item := range items {
		raw = append(raw, item.Key, item.Raw)
	}
	canonical, err := pyjson.Canonical(object(raw...))
	if err != nil {
		return "", err
	}
	return object("json", pyjson.Quote(canonical), "refused", rawBool(refused)), nil
}

func evalSessionEncode(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	store, err := a.store(nil)
	if err != nil {
		return "", err
	}
	text, err := a.text("json")
	if err != nil {
		return "", err
	}
	members, err := pyjson.Object(text, maxEvalDepth)
	if err != nil {
		return "", err
	}
	items := make([]djsession.Item, len(members))
	for i, m := range members {
		items[i] = djsession.Item{Key: m.Key, Raw: m.Raw}
	}
	at, err := a.time("timestamp")
	if err != nil {
		return "", err
	}
	data, err := store.Encode(items, at)
	if err != nil {
		return "", err
	}
	return pyjson.Quote(data), nil
}

func evalSessionKey(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	key, err := a.text("key")
	if err != nil {
		return "", err
	}
	if !djsession.DjangoKey(key) {
		return "null", nil
	}
	return pyjson.Quote(key), nil
}

// evalExpiry answers get_expiry_age, get_expiry_date and
// get_expire_at_browser_close, "refused" where there is no answer.
func evalExpiry(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	age, err := a.integer("cookie_age")
	if err != nil {
		return "", err
	}
	modification, err := a.text("modification")
	if err != nil {
		return "", err
	}
	now, err := time.Parse(time.RFC3339Nano, modification)
	if err != nil {
		return "", argumentErrorf("argument modification is not a time")
	}
	store, err := a.store(func(s *djsession.Settings) {
		s.CookieAge = time.Duration(age) * time.Second
		s.ExpireAtBrowserClose = a.bool("expire_at_browser_close")
	})
	if err != nil {
		return "", err
	}
	session := djsession.NewSession("", djsession.Item{Key: "_session_expiry", Raw: a["session_expiry"]})
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
