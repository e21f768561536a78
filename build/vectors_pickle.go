package main

import (
	"errors"
	"fmt"
	"strconv"
)

// typedViews are what JSON shows of the typed values, as isoformat(),
// django.utils.duration.duration_iso_string and latin-1 have them. The other
// types may only be refused.
var typedViews = map[string]string{
	"datetime.datetime(2026, 1, 2, 3, 4, 5, 678)":                          `"2026-01-02T03:04:05.000678"`,
	"datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)": `"2026-01-02T03:04:05+00:00"`,
	"datetime.timedelta(days=1, seconds=2)":                                `"P1DT00H00M02S"`,
	"{1, 2}":                                                               `[1,2]`,
	"frozenset({1})":                                                       `[1]`,
	`b'\x00\xff'`:                                                          `"\u0000\u00ff"`,
	"bytearray(b'ab')":                                                     `"ab"`,
}

// judgePickle: what is safe must be read, what is hostile, malformed or too
// much must be refused. What is read may be read only as it was meant.
func judgePickle(j *judge, v *vector) error {
	mustRead, mustRefuse := false, false
	want := v.text("expected_json")
	switch class := v.text("class"); class {
	case "safe":
		mustRead = true
	case "optional":
	case "typed":
		view, ok := typedViews[v.text("repr")]
		if mustRefuse = !ok; ok {
			want = `{"v":` + view + `,"_session_expiry":5}`
		}
	case "hostile":
		mustRefuse = true
	case "malformed", "resource":
		// Python, too, reads a frame that ends early; of many marks the vector
		// says "refuse or bounded".
		want = "{}"
		mustRefuse = v.text("python") != "python loads: {}" && v.text("tag") != "resource/many-marks"
	default:
		return fmt.Errorf("the class %q is unknown", class)
	}
	answer, err := j.evalWith(v, "pickle", map[string]string{"protocol": "5"}, "b64")
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		if mustRead {
			return err
		}
		return nil
	case err != nil:
		return err
	case mustRefuse:
		return fmt.Errorf("got %.200s, want a refusal", answer)
	}
	if err := sameText(member(answer, "json"), want); err != nil {
		return err
	}
	return j.pickledAgain(v, answer, want)
}

// pickledAgain writes what was read in each protocol and reads it back.
func (j *judge) pickledAgain(v *vector, answer, want string) error {
	for protocol := 2; protocol <= 5; protocol++ {
		back, err := j.evalWith(v, "pickle", map[string]string{"b64": member(answer, "again"), "protocol": strconv.Itoa(protocol)})
		if err == nil {
			err = sameText(member(back, "json"), want)
		}
		if err != nil {
			return fmt.Errorf("written again before protocol %d: %w", protocol, err)
		}
		answer = back
	}
	return nil
}
