package step

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
)

// evalFunction is one function of the conformance seam: JSON in, JSON out. A
// refusal is an error; what Django raises for, we refuse.
type evalFunction func(ctx context.Context, r *Rules, fx djuser.Effects, args evalArgs) (string, error)

// eval runs a pure function of the rules by name, with every key taken from
// the arguments. Only conformance runs use it.
func (r *Rules) eval(ctx context.Context, fx djuser.Effects, function, arguments string) (string, error) {
	call, ok := evalFunctions()[function]
	if !ok {
		return "", argumentErrorf("there is no function %q", function)
	}
	members, err := pyjson.Object(arguments, maxEvalDepth)
	if err != nil {
		return "", argumentErrorf("arguments: %v", err)
	}
	args := evalArgs{}
	for _, m := range members {
		args[m.Key] = m.Raw
	}
	return call(ctx, r, fx, args)
}

const maxEvalDepth = 300

// evalFunctions is a function, not a variable, so that a module that never
// evaluates anything builds no table at start.
func evalFunctions() map[string]evalFunction {
	return map[string]evalFunction{
		"salted_hmac":          evalSaltedHMAC,
		"b62":                  evalB62,
		"sign":                 evalSign,
		"unsign":               evalUnsign,
		"sign_timestamp":       evalSignTimestamp,
		"unsign_timestamp":     evalUnsignTimestamp,
		"sign_cookie":          evalSignCookie,
		"dumps":                evalDumps,
		"loads":                evalLoads,
		"session_decode":       evalSessionDecode,
		"session_encode":       evalSessionEncode,
		"session_key":          evalSessionKey,
		"expiry":               evalExpiry,
		"session_auth_hash":    evalSessionAuthHash,
		"cookie_header":        evalCookieHeader,
		"username":             evalUsername,
		"email":                evalEmail,
		"password_verify":      evalPasswordVerify,
		"password_make":        evalPasswordMake,
		"password_must_update": evalPasswordMustUpdate,
		"password_identify":    evalPasswordIdentify,
		"password_defaults":    evalPasswordDefaults,
		"authenticate":         evalAuthenticate,
		"get_user":             evalGetUser,
		"login":                evalLogin,
	}
}

// evalArgs is a JSON object by key, its values raw.
type evalArgs map[string]string

// argumentErrorf is for mistakes of the caller, which must not pass for a
// refusal of the rules: they begin with "eval: ".
func argumentErrorf(format string, values ...any) error {
	return fmt.Errorf("eval: "+format, values...)
}

func (a evalArgs) null(name string) bool { return a[name] == "" || a[name] == "null" }

// text is the string argument name, "" when it is absent or null.
func (a evalArgs) text(name string) (string, error) {
	if a.null(name) {
		return "", nil
	}
	s, ok := pyjson.Unquote(a[name])
	if !ok {
		return "", argumentErrorf("argument %s is not a string", name)
	}
	return s, nil
}

// texts is several string arguments at once, in order.
func (a evalArgs) texts(names ...string) ([]string, error) {
	out := make([]string, len(names))
	for i, name := range names {
		s, err := a.text(name)
		if err != nil {
			return nil, err
		}
		out[i] = s
	}
	return out, nil
}

func (a evalArgs) list(name string) ([]string, error) {
	if a.null(name) {
		return nil, nil
	}
	raws, err := pyjson.Array(a[name], maxEvalDepth)
	if err != nil {
		return nil, argumentErrorf("argument %s: %v", name, err)
	}
	out := make([]string, len(raws))
	for i, raw := range raws {
		s, ok := pyjson.Unquote(raw)
		if !ok {
			return nil, argumentErrorf("argument %s holds something that is not a string", name)
		}
		out[i] = s
	}
	return out, nil
}

func (a evalArgs) bool(name string) bool { return a[name] == "true" }

func (a evalArgs) number(name string) (float64, error) {
	if a.null(name) {
		return 0, argumentErrorf("argument %s is missing", name)
	}
	f, err := strconv.ParseFloat(a[name], 64)
	if err != nil {
		return 0, argumentErrorf("argument %s is not a number", name)
	}
	return f, nil
}

func (a evalArgs) integer(name string) (int64, error) {
	if a.null(name) {
		return 0, nil
	}
	n, err := strconv.ParseInt(a[name], 10, 64)
	if err != nil {
		return 0, argumentErrorf("argument %s is not an integer", name)
	}
	return n, nil
}

// time is a Unix time in seconds, with a fraction.
func (a evalArgs) time(name string) (time.Time, error) {
	f, err := a.number(name)
	if err != nil {
		return time.Time{}, err
	}
	whole, fraction := math.Modf(f)
	return time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1000).UTC(), nil
}

// maxAge is in seconds; absent or null means that the age is not checked.
func (a evalArgs) maxAge() (time.Duration, error) {
	if a.null("max_age") {
		return -1, nil
	}
	f, err := a.number("max_age")
	return time.Duration(f * float64(time.Second)), err
}

func (a evalArgs) version() (version.Version, error) {
	s, err := a.text("version")
	if err != nil || s == "" {
		return version.Default, err
	}
	return version.Parse(s)
}

// rings are the keys that a version verifies salt with: SHA-256 since 3.1,
// SHA-1 before, both in 3.1 and 3.2.
func (a evalArgs) rings(salt string) ([]signing.Ring, error) {
	v, err := a.version()
	if err != nil {
		return nil, err
	}
	secret, err := a.text("secret")
	if err != nil {
		return nil, err
	}
	fallbacks, err := a.list("fallbacks")
	if err != nil {
		return nil, err
	}
	ring := func(alg signing.Algorithm) signing.Ring {
		r := signing.Ring{Current: signing.Derive(alg, salt+"signer", secret)}
		for _, old := range fallbacks {
			r.Fallbacks = append(r.Fallbacks, signing.Derive(alg, salt+"signer", old))
		}
		return r
	}
	switch {
	case !v.AtLeast(3, 1):
		return []signing.Ring{ring(signing.SHA1)}, nil
	case !v.AtLeast(4, 0):
		return []signing.Ring{ring(signing.SHA256), ring(signing.SHA1)}, nil
	}
	return []signing.Ring{ring(signing.SHA256)}, nil
}

// algorithm is the named one, SHA-256 when there is no name.
func algorithm(name string) (signing.Algorithm, error) {
	if name == "" {
		return signing.SHA256, nil
	}
	a, err := signing.ParseAlgorithm(name)
	if err != nil {
		return 0, argumentErrorf("%v", err)
	}
	return a, nil
}

// object writes a JSON object from alternating names and raw values.
func object(namesAndRaws ...string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := 0; i+1 < len(namesAndRaws); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(pyjson.Quote(namesAndRaws[i]) + ":" + namesAndRaws[i+1])
	}
	b.WriteByte('}')
	return b.String()
}

func array(raws []string) string { return "[" + strings.Join(raws, ",") + "]" }

func quoteAll(texts []string) []string {
	out := make([]string, len(texts))
	for i, s := range texts {
		out[i] = pyjson.Quote(s)
	}
	return out
}

func rawBool(b bool) string { return strconv.FormatBool(b) }
