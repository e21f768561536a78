package step

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession/errorf"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djsession/version"
	"github.com/djedge/djedge/djuser"
)

// evalFunction is one function of the conformance seam: JSON in, JSON out. A
// refusal is an error; what Django raises for, we refuse.
type evalFunction func(ctx context.Context, r *Rules, fx djuser.Effects, args *evalArgs) (string, error)

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
	args := &evalArgs{raw: make(map[string]string, len(members))}
	for _, m := range members {
		args.raw[m.Key] = m.Raw
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
		"csrf_mask":            evalCSRFMask,
		"csrf_unmask":          evalCSRFUnmask,
		"csrf_match":           evalCSRFMatch,
		"csrf_request":         evalCSRFRequest,
		"redirect":             evalRedirect,
		"redirect_to_login":    evalRedirectToLogin,
		"login_required":       evalLoginRequired,
		"password_validation":  evalPasswordValidation,
		"same_identifier":      evalSameIdentifier,
		"reset_token_make":     evalResetTokenMake,
		"reset_token_check":    evalResetTokenCheck,
		"authenticate":         evalAuthenticate,
		"get_user":             evalGetUser,
		"login":                evalLogin,
		"permissions":          evalPermissions,
		"pickle":               evalPickle,
		"expiry_naive":         evalExpiryNaive,
		"reset_zone_make":      evalResetTokenMakeZone,
		"reset_zone_check":     evalResetTokenCheckZone,
	}
}

// evalArgs reads the arguments, a JSON object by key. Its first error stays:
// every later read gives zero, and a function looks at err once, before it
// does anything with what it read.
type evalArgs struct {
	raw map[string]string // JSON text by key
	err error
}

// argumentErrorf is for mistakes of the caller, which must not pass for a
// refusal of the rules: they begin with "eval: ".
func argumentErrorf(format string, values ...any) error {
	return errorf.Errorf("eval: "+format, values...)
}

func (a *evalArgs) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

func (a *evalArgs) null(name string) bool { return a.raw[name] == "" || a.raw[name] == "null" }

// text is the string argument name, "" when it is absent or null.
func (a *evalArgs) text(name string) string {
	if a.null(name) {
		return ""
	}
	s, ok := pyjson.Unquote(a.raw[name])
	if !ok {
		a.fail(argumentErrorf("argument %s is not a string", name))
	}
	return s
}

func (a *evalArgs) list(name string) []string {
	if a.null(name) {
		return nil
	}
	raws, err := pyjson.Array(a.raw[name], maxEvalDepth)
	if err != nil {
		a.fail(argumentErrorf("argument %s: %v", name, err))
	}
	out := make([]string, len(raws))
	for i, raw := range raws {
		var ok bool
		if out[i], ok = pyjson.Unquote(raw); !ok {
			a.fail(argumentErrorf("argument %s holds something that is not a string", name))
		}
	}
	return out
}

func (a *evalArgs) bool(name string) bool { return a.raw[name] == "true" }

// number must be there.
func (a *evalArgs) number(name string) float64 {
	f, err := strconv.ParseFloat(a.raw[name], 64)
	if err != nil {
		a.fail(argumentErrorf("argument %s is missing or not a number", name))
		return 0
	}
	return f
}

// integer is 0 when it is absent or null.
func (a *evalArgs) integer(name string) int64 {
	if a.null(name) {
		return 0
	}
	n, err := strconv.ParseInt(a.raw[name], 10, 64)
	if err != nil {
		a.fail(argumentErrorf("argument %s is not an integer", name))
		return 0
	}
	return n
}

// time is a Unix time in seconds, with a fraction. It must be there.
func (a *evalArgs) time(name string) time.Time {
	whole, fraction := math.Modf(a.number(name))
	return time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1000).UTC()
}

// maxAge is in seconds; absent or null means that the age is not checked.
func (a *evalArgs) maxAge() time.Duration {
	if a.null("max_age") {
		return -1
	}
	return time.Duration(a.number("max_age") * float64(time.Second))
}

func (a *evalArgs) version() version.Version {
	s := a.text("version")
	if s == "" {
		return version.Default
	}
	v, err := version.Parse(s)
	if err != nil {
		a.fail(err)
	}
	return v
}

// algorithm is the named one, or def.
func (a *evalArgs) algorithm(def signing.Algorithm) signing.Algorithm {
	name := a.text("algorithm")
	if name == "" {
		return def
	}
	alg, err := signing.ParseAlgorithm(name)
	if err != nil {
		a.fail(argumentErrorf("%v", err))
	}
	return alg
}

// key is what Signer(salt) signs with: SHA-256 since 3.1, unless another
// algorithm is named.
func (a *evalArgs) key(salt string) signing.Key {
	def := signing.SHA256
	if !a.version().AtLeast(3, 1) {
		def = signing.SHA1
	}
	return signing.Derive(a.algorithm(def), salt+"signer", a.text("secret"))
}

// rings are the keys that a version verifies salt with: SHA-256 since 3.1,
// SHA-1 before, both in 3.1 and 3.2.
func (a *evalArgs) rings(salt string) []signing.Ring {
	secret, fallbacks := a.text("secret"), a.list("fallbacks")
	ring := func(alg signing.Algorithm) signing.Ring {
		r := signing.Ring{Current: signing.Derive(alg, salt+"signer", secret)}
		for _, old := range fallbacks {
			r.Fallbacks = append(r.Fallbacks, signing.Derive(alg, salt+"signer", old))
		}
		return r
	}
	switch v := a.version(); {
	case !v.AtLeast(3, 1):
		return []signing.Ring{ring(signing.SHA1)}
	case !v.AtLeast(4, 0):
		return []signing.Ring{ring(signing.SHA256), ring(signing.SHA1)}
	}
	return []signing.Ring{ring(signing.SHA256)}
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
