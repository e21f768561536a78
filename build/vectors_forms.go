package main

import (
	"errors"
	"fmt"
)

// The sections of Django's forms: CSRF, redirects, password validation and
// password reset.

func judgeCSRFMask(j *judge, v *vector) error {
	secret, err := j.eval(v, "csrf_unmask", "token")
	if err != nil {
		return err
	}
	if err := expectField(secret, v, "expected_unmasked"); err != nil {
		return fmt.Errorf("unmasked: %w", err)
	}
	token := v.text("token")
	if len(token) != 64 {
		return nil
	}
	again, err := j.evalWith(v, "csrf_mask", map[string]string{"mask": quote(token[:32])}, "secret")
	if err != nil {
		return err
	}
	return named("masked", sameText(again, token))
}

func judgeCSRFMatch(j *judge, v *vector) error {
	answer, err := j.eval(v, "csrf_match", "token", "secret")
	return expectAnswer(answer, err, v)
}

func judgeCSRFRequest(j *judge, v *vector) error {
	answer, err := j.eval(v, "csrf_request", "method", "host", "secure", "port", "settings", "cookie", "session", "post", "header", "origin", "referer")
	return expectAnswer(answer, err, v)
}

func judgeRedirect(j *judge, v *vector) error {
	answer, err := j.eval(v, "redirect", "url", "allowed_hosts", "require_https")
	return laterAnswer(v, expectAnswer(answer, err, v), "a scheme begins with a letter, so browsers take the rest for a path")
}

func judgeRedirectToLogin(j *judge, v *vector) error {
	answer, err := j.eval(v, "redirect_to_login", "next", "login_url", "field")
	return expectAnswer(answer, err, v)
}

func judgeLoginRequired(j *judge, v *vector) error {
	answer, err := j.eval(v, "login_required", "full_path", "host", "secure", "login_url")
	return expectAnswer(answer, err, v)
}

func judgePasswordValidation(j *judge, v *vector) error {
	answer, err := j.eval(v, "password_validation", "password", "user")
	return expectAnswer(answer, err, v)
}

func judgeUnicodeCICompare(j *judge, v *vector) error {
	answer, err := j.eval(v, "same_identifier", "a", "b")
	return expectAnswer(answer, err, v)
}

// judgeResetToken also makes the token again where it is recorded unchanged.
func judgeResetToken(j *judge, v *vector) error {
	with := func(now string) map[string]string { return map[string]string{"now": string(v.fields[now])} }
	answer, err := j.evalWith(v, "reset_token_check", with("now_naive_local"), "user", "token", "uidb64", "secret", "fallbacks", "timeout")
	checked := named("checked", expectAnswer(answer, err, v))
	if v.text("tag") != "ok" {
		return checked
	}
	answer, err = j.evalWith(v, "reset_token_make", with("made_at_naive_local"), "user", "secret", "timeout")
	if err != nil {
		return errors.Join(checked, err)
	}
	return errors.Join(checked, named("made", sameText(member(answer, "token"), v.text("token"))), named("uidb64", sameText(member(answer, "uidb64"), v.text("uidb64"))))
}
