package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
)

// The sections of sites in a time zone: expiry_naive and reset_token_zone.

// hostInZone is a host of the vector's site, without an engine.
func (s *site) hostInZone(v *vector) host.Config {
	age, _ := strconv.Atoi(string(v.fields["cookie_age"]))
	keys := signing.DeriveKeys("", v.text("secret"), nil)
	return host.Config{
		DB: s.db, Keys: &keys, DjangoVersion: v.version(), SessionCookieAge: time.Duration(age) * time.Second,
		NotUseTZ: string(v.fields["use_tz"]) == "false", TimeZone: v.text("time_zone"),
	}
}

// zone is the vector's time zone in offsets, as a host tells them.
func (j *judge) zone(v *vector) (string, error) {
	name := v.text("time_zone")
	if known, ok := j.zones.Load(name); ok {
		return known.(string), nil
	}
	s, err := j.newSite(v, nil)
	if err != nil {
		return "", err
	}
	defer s.close()
	_, e, err := j.host(s.hostInZone(v))
	if err != nil {
		return "", err
	}
	for _, setting := range e.settings {
		if setting.Name == "time_zone" {
			j.zones.Store(name, setting.Value)
			return setting.Value, nil
		}
	}
	return "", errors.New("the host does not tell its zone")
}

func judgeResetTokenZone(j *judge, v *vector) error {
	zone, err := j.zone(v)
	if err != nil {
		return err
	}
	with := map[string]string{"zone": quote(zone)}
	answer, err := j.evalWith(v, "reset_zone_check", with, "now", "user", "token", "secret", "fallbacks", "timeout", "use_tz")
	checked := named("checked", expectAnswer(answer, err, v))
	if v.text("tag") != "ok" {
		return checked
	}
	with["now"] = string(v.fields["made_at"])
	answer, err = j.evalWith(v, "reset_zone_make", with, "user", "secret", "timeout", "use_tz")
	if err != nil {
		return errors.Join(checked, err)
	}
	return errors.Join(checked, named("made", sameText(answer, v.text("token"))))
}

func judgeExpiryNaive(j *judge, v *vector) error {
	switch tag := v.text("tag"); tag {
	case "ask":
		return j.askExpiryNaive(v)
	case "stored":
		return j.storeInZone(v)
	case "set_expiry":
		return j.setExpiryInZone(v)
	default:
		return fmt.Errorf("nothing is known of %q", tag)
	}
}

func (j *judge) askExpiryNaive(v *vector) error {
	zone, err := j.zone(v)
	if err != nil {
		return err
	}
	answer, err := j.evalWith(v, "expiry_naive", map[string]string{"zone": quote(zone)}, "session_expiry", "cookie_age", "expire_at_browser_close", "modification")
	if err != nil {
		return err
	}
	want := string(v.fields["expected"])
	old := v.number() < 4.1 && strings.HasPrefix(string(v.fields["session_expiry"]), `"`)
	var wrong []error
	for _, name := range []string{"at_close", "age", "date"} {
		got, want := member(answer, name), member(want, name)
		// A date with an offset is none that Django's databases take here.
		if got == `"refused"` && (strings.HasPrefix(want, `"error:`) || name == "date" && strings.HasSuffix(want, `+00:00"`)) {
			continue
		}
		err := named(name, sameJSON(got, want))
		if err != nil && old && errors.Join(wrong...) == nil {
			return errSkip("before 4.1 a text is no expiry: the age is the text itself, which no cookie takes")
		}
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

// storeInZone saves a session and looks for it at other times.
func (j *judge) storeInZone(v *vector) error {
	base, err := j.newSite(v, nil)
	if err != nil {
		return err
	}
	defer base.close()
	_, e, err := j.host(base.hostInZone(v))
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseFloat(string(v.fields["now"]), 64)
	if err != nil {
		return err
	}
	whole, fraction := math.Modf(seconds)
	now := time.Unix(int64(whole), int64(fraction*1e9)).UTC()
	s := &middlewareSite{site: base, now: now, engine: e.Engine, cookie: "sessionid"}
	w := &view{site: s}
	if err := w.set("a", "1"); err != nil {
		return err
	}
	saved := w.do(abi.OpSessionSave, 200)
	if d := saved.Decision; d.Outcome != gate.Allow || len(d.Cookies) != 1 {
		return fmt.Errorf("saving: %s: %s", d.Reason, d.Detail)
	}
	line, _, _ := strings.Cut(saved.Decision.Cookies[0], ";")
	rows, err := s.rows("SELECT expire_date || '' FROM django_session")
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return fmt.Errorf("%d rows were stored", len(rows))
	}
	want := string(v.fields["expected"])
	wrong := []error{named("expire_date", sameJSON(quote(rows[0][0].Text()), member(want, "expire_date")))}
	var alive map[string]bool
	if err := json.Unmarshal([]byte(member(want, "alive_after")), &alive); err != nil || len(alive) == 0 {
		return fmt.Errorf("alive_after cannot be read: %w", err)
	}
	for after, found := range alive {
		delta, err := strconv.Atoi(after)
		if err != nil {
			return err
		}
		s.now = now.Add(time.Duration(delta) * time.Second)
		later := &view{site: s, request: gate.Request{Headers: []gate.Header{{Name: "Cookie", Value: line}}}}
		if err := later.take(abi.OpSessionLoad); err != nil {
			return err
		}
		if got := len(later.state.Items) == 1; got != found {
			wrong = append(wrong, fmt.Errorf("after %s seconds: got %v, want %v", after, got, found))
		}
	}
	return errors.Join(wrong...)
}

// setExpiryInZone lets a handler set the date that Django makes of a timedelta.
func (j *judge) setExpiryInZone(v *vector) error {
	s, err := j.newSite(v, nil)
	if err != nil {
		return err
	}
	defer s.close()
	now, err := strconv.ParseInt(string(v.fields["now"]), 10, 64)
	if err != nil {
		return err
	}
	after, err := strconv.ParseInt(string(v.fields["timedelta_seconds"]), 10, 64)
	if err != nil {
		return err
	}
	h, _, err := j.host(s.hostInZone(v))
	if err != nil {
		return err
	}
	var stored string
	var set error
	h.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		session := host.Session(r)
		if set = session.SetExpiryDate(r.Context(), time.Unix(now+after, 0)); set == nil {
			stored, _, set = session.Raw(r.Context(), "_session_expiry")
		}
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if set != nil {
		if v.number() < 4.1 {
			return errSkip("that release cannot store a date as JSON, and we refuse to")
		}
		return set
	}
	if err := sameJSON(stored, member(string(v.fields["expected"]), "stored")); err != nil {
		zone, zoneErr := time.LoadLocation(v.text("time_zone"))
		if zoneErr == nil && offset(now, zone) != offset(now+after, zone) {
			return errSkip("Django adds to what the clock shows, though it is changed meanwhile; we take a moment")
		}
		return err
	}
	return nil
}

func offset(unix int64, zone *time.Location) int {
	_, seconds := time.Unix(unix, 0).In(zone).Zone()
	return seconds
}

// number is the feature release as a number; none has a second digit.
func (v *vector) number() float64 {
	n, _ := strconv.ParseFloat(v.version(), 64)
	return n
}
