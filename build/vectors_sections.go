package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// sectionJudges says how each section is judged: nil when the rules answer as
// that Django did.
var sectionJudges = map[string]func(j *judge, v *vector) error{
	"salted_hmac":            judgeSaltedHMAC,
	"b62":                    judgeB62,
	"signer":                 judgeSigner,
	"signer_fallback":        judgeSignerFallback,
	"timestamp_signer":       judgeTimestampSigner,
	"http_signed_cookie":     judgeHTTPSignedCookie,
	"signing_dumps":          judgeSigningDumps,
	"session_data":           judgeSessionData,
	"signed_cookie":          judgeSignedCookie,
	"session_key_validation": judgeSessionKey,
	"expiry":                 judgeExpiry,
	"auth_hash":              judgeAuthHash,
	"auth_hash_fallbacks":    judgeAuthHashFallbacks,
	"cookie_header":          judgeCookieHeader,
	"username":               judgeUsername,
	"email":                  judgeEmail,
	"hasher":                 judgeHasher,
	"hasher_encode_error":    judgeHasherEncodeError,
	"hasher_defaults":        judgeHasherDefaults,
	"must_update":            judgeMustUpdate,
	"csrf_mask":              judgeCSRFMask,
	"csrf_match":             judgeCSRFMatch,
	"csrf_request":           judgeCSRFRequest,
	"redirect":               judgeRedirect,
	"redirect_to_login":      judgeRedirectToLogin,
	"login_required":         judgeLoginRequired,
	"password_validation":    judgePasswordValidation,
	"unicode_ci_compare":     judgeUnicodeCICompare,
	"reset_token":            judgeResetToken,
	"get_user":               judgeGetUser,
	"login":                  judgeLogin,
	"session_middleware":     judgeSessionMiddleware,
	"authenticate":           judgeAuthenticate,
	"permissions":            judgePermissions,
	"pickle":                 judgePickle,
	"custom_user":            judgeCustomUser,
	"expiry_naive":           judgeExpiryNaive,
	"reset_token_zone":       judgeResetTokenZone,
	"mariadb":                judgeMariaDB,
}

func (j *judge) judge(v *vector) error {
	judgeSection, ok := sectionJudges[v.Section]
	if !ok {
		return errSkip("not implemented yet")
	}
	err := judgeSection(j, v)
	if err != nil && v.has("may_refuse") && v.Section != "mariadb" { // which is judged as a careful reader
		return errSkip("answered otherwise, as the vector allows: " + v.text("may_refuse"))
	}
	return err
}

// expectField compares a JSON answer with a field, by value.
func expectField(answer string, v *vector, field string) error {
	return sameJSON(answer, string(v.fields[field]))
}

func sameJSON(got, want string) error {
	var a, b any
	if err := decodeJSON(got, &a); err != nil {
		return fmt.Errorf("the answer %.200s is not JSON: %w", got, err)
	}
	if err := decodeJSON(want, &b); err != nil {
		return fmt.Errorf("the expectation %.200s is not JSON: %w", want, err)
	}
	if !reflect.DeepEqual(a, b) {
		return fmt.Errorf("got %.300s, want %.300s", got, want)
	}
	return nil
}

func decodeJSON(text string, into *any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

// sameText compares a JSON string answer with an expected text.
func sameText(answer, want string) error {
	var got string
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("got %.300q, want %.300q", got, want)
	}
	return nil
}

// member is a field of a JSON object, raw.
func member(object, name string) string {
	var m map[string]json.RawMessage
	_ = json.Unmarshal([]byte(object), &m)
	return string(m[name])
}

// expectsError: Django raised; then a refusal passes, an answer does not.
func (v *vector) expectsError() bool { return member(string(v.fields["expected"]), "error") != "" }

// expectAnswer compares with "expected", where a raise in Django matches a refusal.
func expectAnswer(answer string, err error, v *vector) error {
	if v.expectsError() {
		var refused *refusal
		if errors.As(err, &refused) {
			return nil
		}
		if err != nil {
			return err
		}
		return fmt.Errorf("got %.200s, want a refusal (%s)", answer, v.fields["expected"])
	}
	if err != nil {
		return err
	}
	return expectField(answer, v, "expected")
}

func judgeSaltedHMAC(j *judge, v *vector) error {
	answer, err := j.eval(v, "salted_hmac", "key_salt", "value", "secret", "algorithm")
	return expectAnswer(answer, err, v)
}

func judgeB62(j *judge, v *vector) error {
	answer, err := j.eval(v, "b62", "value")
	if err != nil {
		return err
	}
	return errors.Join(sameJSON(member(answer, "encoded"), string(v.fields["expected"])), sameJSON(member(answer, "decoded"), string(v.fields["value"])))
}

func judgeSigner(j *judge, v *vector) error {
	answer, err := j.eval(v, "sign", "value", "secret", "salt", "algorithm")
	if err := expectAnswer(answer, err, v); err != nil {
		return err
	}
	if v.text("algorithm") == "sha1" && v.version() != "2.2" && v.version() != "3.2" {
		return nil // signed only: that release verifies SHA-256
	}
	back, err := j.evalWith(v, "unsign", map[string]string{"signed": string(v.fields["expected"])}, "secret", "salt")
	if err != nil {
		return fmt.Errorf("unsigning it: %w", err)
	}
	return sameJSON(member(back, "value"), string(v.fields["value"]))
}

func judgeSignerFallback(j *judge, v *vector) error {
	answer, err := j.eval(v, "unsign", "signed", "secret", "fallbacks", "salt")
	return expectAnswer(answer, err, v)
}

func judgeTimestampSigner(j *judge, v *vector) error {
	answer, err := j.eval(v, "unsign_timestamp", "signed", "secret", "salt", "now", "max_age")
	return expectAnswer(answer, err, v)
}

func judgeHTTPSignedCookie(j *judge, v *vector) error {
	answer, err := j.eval(v, "sign_cookie", "cookie_name", "salt", "value", "secret", "timestamp")
	return expectAnswer(answer, err, v)
}

func judgeSigningDumps(j *judge, v *vector) error {
	answer, err := j.eval(v, "loads", "signed", "secret", "salt")
	if err != nil {
		return err
	}
	want := v.text("expected_json")
	if err := sameText(member(answer, "json"), want); err != nil {
		return err
	}
	again, err := j.evalWith(v, "dumps", map[string]string{"json": string(v.fields["expected_json"])}, "secret", "salt", "compress", "timestamp")
	if err != nil {
		return fmt.Errorf("dumps: %w", err)
	}
	if string(v.fields["compressed"]) != "true" && string(v.fields["json_equals_expected"]) != "false" {
		if err := sameJSON(again, string(v.fields["signed"])); err != nil {
			return fmt.Errorf("dumps: %w", err)
		}
	}
	back, err := j.evalWith(v, "loads", map[string]string{"signed": again}, "secret", "salt")
	if err != nil {
		return fmt.Errorf("loads of our dumps: %w", err)
	}
	return sameText(member(back, "json"), want)
}

// wantItems is what a session must hold: {} where Django got something that
// is no dict, since later code of Django fails on it.
func (v *vector) wantItems() string {
	if string(v.fields["is_dict"]) == "false" || !v.has("expected_json") {
		return "{}"
	}
	return v.text("expected_json")
}

func judgeSessionData(j *judge, v *vector) error {
	answer, err := j.eval(v, "session_decode", "session_data", "secret", "fallbacks", "salt")
	if v.expectsError() && !v.has("expected_json") {
		if err == nil {
			return sameText(member(answer, "json"), "{}")
		}
		return expectAnswer(answer, err, v)
	}
	if err != nil {
		return err
	}
	if err := sameText(member(answer, "json"), v.wantItems()); err != nil {
		if v.has("note") && member(answer, "json") == `"{}"` {
			return nil // a strict reader may refuse what only the key's holder can write
		}
		return err
	}
	if !v.has("format") {
		return nil
	}
	again, err := j.evalWith(v, "session_encode", map[string]string{"json": string(v.fields["expected_json"])}, "secret", "salt", "timestamp")
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	writes := "legacy"
	if n, _ := strconv.ParseFloat(v.version(), 64); n >= 3.1 {
		writes = "modern"
	}
	if v.text("format") == writes && string(v.fields["compressed"]) != "true" && string(v.fields["json_equals_expected"]) == "true" {
		if err := sameJSON(again, string(v.fields["session_data"])); err != nil {
			return fmt.Errorf("encode: %w", err)
		}
	}
	back, err := j.evalWith(v, "session_decode", map[string]string{"session_data": again}, "secret", "salt")
	if err != nil {
		return fmt.Errorf("decode of our encode: %w", err)
	}
	return sameText(member(back, "json"), v.wantItems())
}

// judgeSignedCookie: SessionStore.load of signed_cookies; any failure is {}.
func judgeSignedCookie(j *judge, v *vector) error {
	answer, err := j.evalWith(v, "loads", map[string]string{"signed": string(v.fields["cookie"])}, "secret", "fallbacks", "salt", "now", "max_age")
	var refused *refusal
	if errors.As(err, &refused) {
		return sameText(`"{}"`, v.text("expected_json"))
	}
	if err != nil {
		return err
	}
	return sameText(member(answer, "json"), v.text("expected_json"))
}

func judgeSessionKey(j *judge, v *vector) error {
	answer, err := j.eval(v, "session_key", "key")
	return expectAnswer(answer, err, v)
}

func judgeExpiry(j *judge, v *vector) error {
	answer, err := j.eval(v, "expiry", "session_expiry", "cookie_age", "expire_at_browser_close", "modification")
	if err != nil {
		return err
	}
	want := string(v.fields["expected"])
	for _, name := range []string{"age", "date", "at_close"} {
		got, want := member(answer, name), member(want, name)
		if strings.HasPrefix(want, `"error:`) && got == `"refused"` {
			continue
		}
		if name == "age" && want == "true" {
			want = "1" // Python's True is the number
		}
		if err := sameJSON(got, want); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func judgeAuthHash(j *judge, v *vector) error {
	answer, err := j.eval(v, "session_auth_hash", "password_field", "secret", "algorithm")
	if err != nil {
		return err
	}
	return sameJSON(answer, "["+string(v.fields["expected"])+"]")
}

func judgeAuthHashFallbacks(j *judge, v *vector) error {
	answer, err := j.eval(v, "session_auth_hash", "password_field", "secret", "fallbacks")
	if err != nil {
		return err
	}
	var hashes []string
	if err := json.Unmarshal([]byte(answer), &hashes); err != nil || len(hashes) == 0 {
		return fmt.Errorf("no hashes in %.200s", answer)
	}
	fallbacks, _ := json.Marshal(hashes[1:])
	return expectField(string(fallbacks), v, "expected")
}

func judgeCookieHeader(j *judge, v *vector) error {
	answer, err := j.eval(v, "cookie_header", "header")
	return expectAnswer(answer, err, v)
}

func judgeUsername(j *judge, v *vector) error {
	answer, err := j.eval(v, "username", "username")
	return expectAnswer(answer, err, v)
}

func judgeEmail(j *judge, v *vector) error {
	answer, err := j.eval(v, "email", "email")
	return laterAnswer(v, expectAnswer(answer, err, v), "EmailValidator was mended after 4.2, and the newer rule is applied to every version")
}

// laterAnswer skips what a release before 5.0 answered otherwise than later
// ones, where djedge has one rule for all.
func laterAnswer(v *vector, err error, reason string) error {
	if n, _ := strconv.ParseFloat(v.version(), 64); err != nil && n < 5 {
		return errSkip("answered as later releases do: " + reason)
	}
	return err
}

func quote(s string) string { b, _ := json.Marshal(s); return string(b) }
