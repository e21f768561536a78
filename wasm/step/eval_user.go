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

func evalSessionAuthHash(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	alg, encoded := a.algorithm(signing.SHA256), a.text("password_field")
	var hashes []string
	for _, secret := range append([]string{a.text("secret")}, a.list("fallbacks")...) {
		key := signing.Derive(alg, signing.AuthHashSalt, secret)
		hashes = append(hashes, pyjson.Quote(djuser.SessionAuthHash(key, encoded)))
	}
	return array(hashes), a.err
}

func evalCookieHeader(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	var raw []string
	for _, pair := range gate.ParseCookies(a.text("header")) {
		raw = append(raw, pair.Name, pyjson.Quote(pair.Value))
	}
	return object(raw...), a.err
}

func evalUsername(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	name := a.text("username")
	return object(
		"nfkc", pyjson.Quote(djuser.NormalizeUsername(name)),
		"unicode_valid", rawBool(djuser.ValidUsername(name)),
		"ascii_valid", rawBool(djuser.ValidUsernameASCII(name)),
	), a.err
}

func evalEmail(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	email := a.text("email")
	return object(
		"normalized", pyjson.Quote(djuser.NormalizeEmail(email)),
		"valid", rawBool(djuser.ValidEmail(email)),
	), a.err
}

// hashers are as PASSWORD_HASHERS lists them, the preferred one first.
func (a *evalArgs) hashers() *password.Hashers {
	h, err := password.New(password.Config{
		Version: a.version(), Hashers: a.list("hashers"),
		Bcrypt: int(a.integer("bcrypt")), PBKDF2Iterations: uint32(a.integer("default_iterations")),
	})
	if err != nil {
		a.fail(err)
	}
	return h
}

func evalPasswordVerify(ctx context.Context, _ *Rules, fx djuser.Effects, a *evalArgs) (string, error) {
	h, secret, encoded := a.hashers(), a.text("password"), a.text("encoded")
	if a.err != nil {
		return "", a.err
	}
	ok, err := h.Verify(ctx, fx, secret, encoded)
	return object("ok", rawBool(ok)), err
}

func evalPasswordMake(ctx context.Context, _ *Rules, fx djuser.Effects, a *evalArgs) (string, error) {
	h, secret, hasher := a.hashers(), a.text("password"), a.text("hasher")
	if a.err != nil {
		return "", a.err
	}
	encoded, err := h.Make(ctx, fx, fx.Random, secret, hasher)
	return pyjson.Quote(encoded), err
}

func evalPasswordMustUpdate(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	h, encoded := a.hashers(), a.text("encoded")
	if a.err != nil {
		return "", a.err
	}
	return rawBool(h.MustUpdate(encoded)), nil
}

func evalPasswordIdentify(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	encoded := a.text("encoded")
	return object("algorithm", pyjson.Quote(password.Identify(encoded)), "usable", rawBool(password.Usable(encoded))), a.err
}

func evalPasswordDefaults(_ context.Context, _ *Rules, _ djuser.Effects, a *evalArgs) (string, error) {
	v := a.version()
	if a.err != nil {
		return "", a.err
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

func evalAuthenticate(ctx context.Context, r *Rules, fx djuser.Effects, a *evalArgs) (string, error) {
	username, secret := a.text("username"), a.text("password")
	if a.err != nil {
		return "", a.err
	}
	if a.null("username") || a.null("password") {
		return object("user_id", "null"), nil // ModelBackend.authenticate: either is None
	}
	user, err := r.users.Authenticate(ctx, fx, username, secret)
	var denied *gate.Denied
	if errors.As(err, &denied) {
		user, err = nil, nil
	}
	return object("user_id", userID(user)), err
}

func evalGetUser(ctx context.Context, r *Rules, fx djuser.Effects, a *evalArgs) (string, error) {
	key := a.text("session_key")
	if a.err != nil {
		return "", a.err
	}
	session, user, reason, err := r.users.FromKey(ctx, fx, key, query.Null())
	if err != nil {
		return "", err
	}
	return object("user_id", userID(user), "session_key", pyjson.Quote(session.Key()), "reason", pyjson.Quote(reason.String())), nil
}

func evalLogin(ctx context.Context, r *Rules, fx djuser.Effects, a *evalArgs) (string, error) {
	key, id := a.text("session_key"), a.text("user_id")
	if a.err != nil {
		return "", a.err
	}
	session, err := r.sessions.Load(ctx, fx, key)
	if err != nil {
		return "", err
	}
	user, err := r.users.Load(ctx, fx, id)
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
	return object("session_key", pyjson.Quote(session.Key()), "csrf_rotated", rawBool(cookie != "")), err
}
