package step

import (
	"context"
	"errors"
	"strconv"

	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/djuser/password"
)

// The functions of django.contrib.auth. Those that need a database
// (authenticate, get_user, login) run on the configured rules and the host's
// effects, not on keys from the arguments.

func evalSessionAuthHash(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	s, err := a.texts("password_field", "secret", "algorithm")
	if err != nil {
		return "", err
	}
	alg, err := algorithm(s[2])
	if err != nil {
		return "", err
	}
	fallbacks, err := a.list("fallbacks")
	if err != nil {
		return "", err
	}
	hashes := []string{}
	for _, secret := range append([]string{s[1]}, fallbacks...) {
		key := signing.Derive(alg, signing.AuthHashSalt, secret)
		hashes = append(hashes, pyjson.Quote(djuser.SessionAuthHash(key, s[0])))
	}
	return array(hashes), nil
}

func evalCookieHeader(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	header, err := a.text("header")
	if err != nil {
		return "", err
	}
	var raw []string
	for _, pair := range gate.ParseCookies(header) {
		raw = append(raw, pair.Name, pyjson.Quote(pair.Value))
	}
	return object(raw...), nil
}

func evalUsername(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	name, err := a.text("username")
	if err != nil {
		return "", err
	}
	return object(
		"nfkc", pyjson.Quote(djuser.NormalizeUsername(name)),
		"unicode_valid", rawBool(djuser.ValidUsername(name)),
		"ascii_valid", rawBool(djuser.ValidUsernameASCII(name)),
	), nil
}

func evalEmail(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	email, err := a.text("email")
	if err != nil {
		return "", err
	}
	return object(
		"normalized", pyjson.Quote(djuser.NormalizeEmail(email)),
		"valid", rawBool(djuser.ValidEmail(email)),
	), nil
}

// hashers are as PASSWORD_HASHERS lists them, the preferred one first.
func (a evalArgs) hashers() (*password.Hashers, error) {
	v, err := a.version()
	if err != nil {
		return nil, err
	}
	list, err := a.list("hashers")
	if err != nil {
		return nil, err
	}
	bcrypt, err := a.integer("bcrypt")
	if err != nil {
		return nil, err
	}
	iterations, err := a.integer("default_iterations")
	if err != nil {
		return nil, err
	}
	return password.New(password.Config{Version: v, Hashers: list, Bcrypt: int(bcrypt), PBKDF2Iterations: uint32(iterations)})
}

func evalPasswordVerify(ctx context.Context, _ *Rules, fx djuser.Effects, a evalArgs) (string, error) {
	h, err := a.hashers()
	if err != nil {
		return "", err
	}
	s, err := a.texts("password", "encoded")
	if err != nil {
		return "", err
	}
	ok, err := h.Verify(ctx, fx, s[0], s[1])
	if err != nil {
		return "", err
	}
	return object("ok", rawBool(ok)), nil
}

func evalPasswordMake(ctx context.Context, _ *Rules, fx djuser.Effects, a evalArgs) (string, error) {
	h, err := a.hashers()
	if err != nil {
		return "", err
	}
	s, err := a.texts("password", "hasher")
	if err != nil {
		return "", err
	}
	encoded, err := h.Make(ctx, fx, fx.Random, s[0], s[1])
	if err != nil {
		return "", err
	}
	return pyjson.Quote(encoded), nil
}

func evalPasswordMustUpdate(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	h, err := a.hashers()
	if err != nil {
		return "", err
	}
	encoded, err := a.text("encoded")
	if err != nil {
		return "", err
	}
	return rawBool(h.MustUpdate(encoded)), nil
}

func evalPasswordIdentify(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	encoded, err := a.text("encoded")
	if err != nil {
		return "", err
	}
	return object("algorithm", pyjson.Quote(password.Identify(encoded)), "usable", rawBool(password.Usable(encoded))), nil
}

func evalPasswordDefaults(_ context.Context, _ *Rules, _ djuser.Effects, a evalArgs) (string, error) {
	v, err := a.version()
	if err != nil {
		return "", err
	}
	d := password.DefaultsOf(v)
	numbers := func(ns ...uint32) string {
		out := make([]string, len(ns))
		for i, n := range ns {
			out[i] = strconv.FormatUint(uint64(n), 10)
		}
		return array(out)
	}
	scrypt := "null"
	if d.ScryptN != 0 {
		scrypt = numbers(d.ScryptN, d.ScryptR, d.ScryptP)
	}
	return object(
		"pbkdf2_iterations", strconv.FormatUint(uint64(d.PBKDF2Iterations), 10),
		"preferred_salt_len", strconv.Itoa(d.SaltLength),
		"argon2", numbers(d.Argon2Time, d.Argon2Memory, d.Argon2Parallelism),
		"bcrypt_rounds", strconv.FormatUint(uint64(d.BcryptCost), 10),
		"scrypt", scrypt,
		"algorithms", array(quoteAll(d.Algorithms)),
		"default_setting", array(quoteAll(d.Hashers)),
	), nil
}

// userID is the JSON number or text of a user's key; null for nobody.
func userID(user *djuser.User) string {
	if user == nil {
		return "null"
	}
	if pk := user.PK(); pk.Kind() == query.KindInt {
		return strconv.FormatInt(pk.Int(), 10)
	}
	return pyjson.Quote(user.ID())
}

func evalAuthenticate(ctx context.Context, r *Rules, fx djuser.Effects, a evalArgs) (string, error) {
	s, err := a.texts("username", "password")
	if err != nil {
		return "", err
	}
	if a.null("username") || a.null("password") {
		return object("user_id", "null"), nil // ModelBackend.authenticate: either is None
	}
	user, err := r.users.Authenticate(ctx, fx, s[0], s[1])
	var denied *gate.Denied
	if err != nil && !errors.As(err, &denied) {
		return "", err
	}
	return object("user_id", userID(user)), nil
}

func evalGetUser(ctx context.Context, r *Rules, fx djuser.Effects, a evalArgs) (string, error) {
	key, err := a.text("session_key")
	if err != nil {
		return "", err
	}
	session, user, reason, err := r.users.FromKey(ctx, fx, key, query.Null())
	if err != nil {
		return "", err
	}
	return object("user_id", userID(user), "session_key", pyjson.Quote(session.Key()), "reason", pyjson.Quote(reason.String())), nil
}

func evalLogin(ctx context.Context, r *Rules, fx djuser.Effects, a evalArgs) (string, error) {
	s, err := a.texts("session_key", "user_id")
	if err != nil {
		return "", err
	}
	session, err := r.sessions.Load(ctx, fx, s[0])
	if err != nil {
		return "", err
	}
	user, err := r.users.Load(ctx, fx, s[1])
	if err != nil {
		return "", err
	}
	if user == nil {
		return "", errors.New("there is no such user")
	}
	if err := r.users.Login(ctx, fx, session, user); err != nil {
		return "", err
	}
	cookie, err := r.users.CSRFCookie(ctx, fx)
	if err != nil {
		return "", err
	}
	return object("session_key", pyjson.Quote(session.Key()), "csrf_rotated", rawBool(cookie != "")), nil
}
