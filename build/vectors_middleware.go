package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/pyjson"
	"github.com/djedge/djedge/djsession/query"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/wasm/abi"
)

// The section session_middleware: what a view did with request.session is done
// with a state, and the rules are asked what becomes of the response.

// middlewareSettings are the settings of Django that the vectors change.
var middlewareSettings = map[string]string{
	"SESSION_SAVE_EVERY_REQUEST":      "session_save_every_request",
	"SESSION_EXPIRE_AT_BROWSER_CLOSE": "session_expire_at_browser_close",
	"SESSION_COOKIE_AGE":              "session_cookie_age",
	"SESSION_COOKIE_SECURE":           "session_cookie_secure",
	"SESSION_COOKIE_HTTPONLY":         "session_cookie_httponly",
	"SESSION_COOKIE_SAMESITE":         "session_cookie_samesite",
	"SESSION_COOKIE_DOMAIN":           "session_cookie_domain",
	"SESSION_COOKIE_PATH":             "session_cookie_path",
	"SESSION_COOKIE_NAME":             "session_cookie_name",
}

// middlewareSite has the vector's settings and clock.
type middlewareSite struct {
	*site
	now    time.Time
	engine host.Engine
	cookie string // its name
}

func (s *middlewareSite) Now() time.Time { return s.now }

func (j *judge) newMiddlewareSite(v *vector) (*middlewareSite, error) {
	base, err := j.newSite(v, nil)
	if err != nil {
		return nil, err
	}
	s := &middlewareSite{site: base, cookie: "sessionid"}
	settings := append([]abi.Setting{{Name: "version", Value: v.version()}, {Name: "dialect", Value: "sqlite"}}, host.KeySettings(signing.DeriveKeys("", v.text("secret"), nil))...)
	var changed map[string]any
	err = json.Unmarshal(v.fields["settings"], &changed)
	for name, value := range changed {
		text := fmt.Sprint(value)
		switch {
		case middlewareSettings[name] == "":
			err = errors.Join(err, fmt.Errorf("the setting %s is not known here", name))
		case name == "SESSION_COOKIE_SAMESITE" && value == false:
			text = "-"
		case name == "SESSION_COOKIE_NAME":
			s.cookie = text
		}
		settings = append(settings, abi.Setting{Name: middlewareSettings[name], Value: text})
	}
	seconds, timeErr := strconv.ParseInt(string(v.fields["now"]), 10, 64)
	s.now = time.Unix(seconds, 0).UTC()
	if err = errors.Join(err, timeErr); err == nil {
		s.engine, err = j.engine(settings)
	}
	if err != nil {
		base.close()
		return nil, err
	}
	return s, nil
}

// view is a request whose view does something with its session.
type view struct {
	site    *middlewareSite
	request gate.Request
	state   djsession.State
}

func (w *view) do(kind abi.OpKind, status int) *abi.Result {
	return w.site.engine.Do(context.Background(), &abi.Op{Kind: kind, Request: w.request, Session: w.state, Status: status}, w.site)
}

// take does an operation and keeps what it says of the session.
func (w *view) take(kind abi.OpKind) error {
	result := w.do(kind, 0)
	if result.Decision.Outcome != gate.Allow {
		return fmt.Errorf("operation %d: %s: %s", kind, result.Decision.Reason, result.Decision.Detail)
	}
	w.state = djsession.State{
		Key: result.SessionKey, Resolved: true, Loaded: true, Accessed: true,
		Modified: w.state.Modified || result.SessionModified, Items: result.Session,
	}
	return nil
}

func (w *view) set(key, raw string) error {
	if !w.state.Loaded {
		if err := w.take(abi.OpSessionLoad); err != nil {
			return err
		}
	}
	session := w.state.Session()
	session.Set(key, raw)
	w.state.Items, w.state.Modified = session.Items(), true
	return nil
}

// run is the view that the tag names.
func (w *view) run(tag string) error {
	if age, ok := strings.CutPrefix(tag, "set_expiry("); ok {
		return errors.Join(w.set("a", "1"), w.set("_session_expiry", strings.TrimSuffix(age, ")")))
	}
	switch name, _, _ := strings.Cut(tag, "-"); name {
	case "nothing":
		return nil
	case "read":
		return w.take(abi.OpSessionLoad)
	case "write", "settings":
		if tag == "settings-flush" {
			return w.take(abi.OpSessionFlush)
		}
		return w.set("y", "2")
	case "flush":
		return w.take(abi.OpSessionFlush)
	case "clear":
		w.state.Loaded, w.state.Accessed, w.state.Modified = true, true, true
		return nil
	case "cycle":
		return w.take(abi.OpSessionCycle)
	case "deleted":
		return errors.Join(w.set("y", "2"), w.site.exec("DELETE FROM django_session"))
	}
	return fmt.Errorf("nothing is known of a view %q", tag)
}

func judgeSessionMiddleware(j *judge, v *vector) error {
	s, err := j.newMiddlewareSite(v)
	if err != nil {
		return err
	}
	defer s.close()
	w := &view{site: s}
	old := ""
	if cookie := v.text("cookie"); cookie != "" {
		if cookie == "existing" {
			old = vectorSessionKey
			cookie = old
			if err := s.putSession(`{"x":1}`); err != nil {
				return err
			}
		}
		w.request.Headers = []gate.Header{{Name: "Cookie", Value: s.cookie + "=" + cookie}}
	}
	status, err := strconv.Atoi(string(v.fields["status"]))
	if err != nil {
		return err
	}
	if err := w.run(v.text("tag")); err != nil {
		return err
	}
	result := w.do(abi.OpSessionSave, status)
	d := &result.Decision
	if v.expectsError() {
		if d.Reason != gate.ReasonSessionDeleted || d.Status != 400 || len(d.Cookies) > 0 {
			return fmt.Errorf("got %+v, and Django raises SessionInterrupted", *d)
		}
		return nil
	}
	if d.Outcome != gate.Allow {
		return fmt.Errorf("%s: %s", d.Reason, d.Detail)
	}
	return s.compare(v, result, old)
}

// compare looks at the response and at the table.
func (s *middlewareSite) compare(v *vector, result *abi.Result, old string) error {
	want := string(v.fields["expected"])
	cookie, vary, key := "null", "null", ""
	if len(result.Decision.Cookies) > 0 {
		line := result.Decision.Cookies[0]
		key, _, _ = strings.Cut(strings.TrimPrefix(line, s.cookie+"="), ";")
		if key == `""` {
			key = ""
		}
		cookie = pyjson.Quote(strings.Replace(line, "="+key+";", "=<KEY>;", min(len(key), 1)))
	}
	if result.Decision.Vary {
		vary = `"Cookie"`
	}
	find := key
	if find == "" {
		find = old
	}
	saved, err := s.saved(find)
	if err != nil {
		return err
	}
	oldRow, err := s.rows("SELECT 1 FROM django_session WHERE session_key = ?", query.Text(old))
	if err != nil {
		return err
	}
	return errors.Join(
		named("set_cookie", sameJSON(cookie, member(want, "set_cookie"))),
		named("vary", sameJSON(vary, member(want, "vary"))),
		named("cookie_is_old_key", sameJSON(strconv.FormatBool(key != "" && key == old), member(want, "cookie_is_old_key"))),
		named("saved", sameJSON(saved, member(want, "saved"))),
		named("old_row_exists", sameJSON(strconv.FormatBool(len(oldRow) > 0), member(want, "old_row_exists"))),
	)
}

// saved is the row of key as Django loads it: null without one, {} once it is expired.
func (s *middlewareSite) saved(key string) (string, error) {
	raw, exists, err := s.session(key)
	if err != nil || !exists {
		return "null", err
	}
	alive, err := s.rows("SELECT 1 FROM django_session WHERE session_key = ? AND expire_date > ?", query.Text(key), query.SQLite.Time(s.now))
	if len(alive) == 0 {
		raw = "{}"
	}
	return raw, err
}
