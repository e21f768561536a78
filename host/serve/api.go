package serve

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// The seed's endpoints. A refusal is {"message": "…"} for people.

// me answers GET /api/me: the user and the session of the request.
func (s *server) me(w http.ResponseWriter, r *http.Request) {
	visit := s.do(r, &abi.Op{Kind: abi.OpVisit, Request: s.summary(r)})
	if visit.Decision.Outcome != gate.Allow {
		s.refuse(w, &visit.Decision)
		return
	}
	s.cookies(w, &visit.Decision)
	b := bodies.Get().(*[]byte)
	*b = s.appendMe((*b)[:0], visit)
	answer(w, http.StatusOK, *b)
	if cap(*b) <= maxPooledBody {
		bodies.Put(b)
	}
}

// bodies are those that were written and may be written again. One that a large
// session made is left alone.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

const maxPooledBody = 16 << 10

// login answers POST /api/login {"username","password"}.
func (s *server) login(w http.ResponseWriter, r *http.Request) {
	in, ok := s.body(w, r, abi.OpLogin, "username", "password")
	body := in.fields
	if !ok || s.limited(w, r, abi.OpLogin, body["username"]) {
		return
	}
	// The rules would refuse it without hashing anything, and a failure that
	// costs nobody anything must not use up a user's.
	if len(body["password"]) > s.maxPassword {
		d := gate.Decision{Outcome: gate.Deny, Status: gate.ReasonBadCredentials.Status(), Reason: gate.ReasonBadCredentials, Detail: "the password is too long"}
		s.record(r, abi.OpLogin, body["username"], &d, time.Time{})
		s.done(w, in, &abi.Result{Decision: d})
		return
	}
	// Counted before hashing, so that many attempts at once do not all pass.
	key := userKey(body["username"])
	if wait := s.user.take(key, s.now()); wait > 0 {
		s.tooMany(w, r, abi.OpLogin, body["username"], wait)
		return
	}
	result := s.do(r, &abi.Op{
		Kind: abi.OpLogin, Request: s.summary(r), Username: body["username"], Password: body["password"], CSRFToken: in.token,
	})
	if reason := result.Decision.Reason; reason != gate.ReasonBadCredentials && reason != gate.ReasonUserInactive {
		s.user.giveBack(key)
	}
	s.done(w, in, result)
}

// logout answers POST /api/logout, with no body or an empty object.
func (s *server) logout(w http.ResponseWriter, r *http.Request) {
	var in input
	if r.ContentLength != 0 {
		var ok bool
		if in, ok = s.body(w, r, abi.OpLogout); !ok {
			return
		}
	}
	result := s.do(r, &abi.Op{Kind: abi.OpLogout, Request: s.summary(r), CSRFToken: in.token})
	s.done(w, in, result)
}

// register answers POST /api/register {"username","password"}.
func (s *server) register(w http.ResponseWriter, r *http.Request) {
	in, ok := s.body(w, r, abi.OpRegister, "username", "password")
	body := in.fields
	if !ok || s.limited(w, r, abi.OpRegister, body["username"]) {
		return
	}
	result := s.do(r, &abi.Op{
		Kind: abi.OpRegister, Request: s.summary(r), Username: body["username"], Password: body["password"], CSRFToken: in.token,
	})
	s.done(w, in, result)
}

// changePassword answers POST /api/change-password {"password"}: the new one.
func (s *server) changePassword(w http.ResponseWriter, r *http.Request) {
	in, ok := s.body(w, r, abi.OpChangePassword, "password")
	if !ok || s.limited(w, r, abi.OpChangePassword, "") {
		return
	}
	result := s.do(r, &abi.Op{Kind: abi.OpChangePassword, Request: s.summary(r), Password: in.fields["password"], CSRFToken: in.token})
	s.done(w, in, result)
}

// body reads an object, or a form, of exactly the named strings, or answers
// 413, 415 or 400.
func (s *server) body(w http.ResponseWriter, r *http.Request, op abi.OpKind, keys ...string) (input, bool) {
	read, form := readBody, isForm(r)
	if form {
		read = s.readForm
	}
	fields, err := read(w, r, keys)
	if err != nil {
		d := gate.Decision{Outcome: gate.Deny, Status: err.status, Reason: gate.ReasonBadRequest}
		if err.status == http.StatusUnsupportedMediaType {
			d.Reason = gate.ReasonContentType
		}
		s.record(r, op, "", &d, time.Time{})
		if form {
			answerText(w, err.status, err.message)
		} else {
			answer(w, err.status, message(err.message))
		}
		return input{}, false
	}
	in := input{fields: fields, form: form}
	if form {
		in.token, in.next = fields[tokenField], s.target(r, fields[nextField])
	}
	return in, true
}

// limited counts a request to a password endpoint, and answers 429 when the
// client's address has made too many.
func (s *server) limited(w http.ResponseWriter, r *http.Request, op abi.OpKind, username string) bool {
	wait := s.address.take(addressKey(s.clientAddress(r)), s.now())
	if wait > 0 {
		s.tooMany(w, r, op, username, wait)
	}
	return wait > 0
}

// done answers an operation that has no data to show.
func (s *server) done(w http.ResponseWriter, in input, result *abi.Result) {
	d := &result.Decision
	switch {
	case d.Outcome != gate.Allow:
		status, text := refusal(w, d)
		if d.Reason == gate.ReasonPasswordWeak && result.Text != "" {
			text = strings.ReplaceAll(result.Text, "\n", " ")
		}
		if in.form && d.Reason == gate.ReasonCrossSite {
			text = "CSRF verification failed: load the form again" // it is old, or cookies are off
		}
		if in.form {
			answerText(w, status, text)
		} else {
			answer(w, status, message(text))
		}
	case in.form:
		s.cookies(w, d)
		answerForm(w, in.next)
	default:
		s.cookies(w, d)
		answer(w, http.StatusOK, []byte("{}"))
	}
}

// messages are the seed's, and ours where it had none.
var messages = map[gate.Reason]string{
	gate.ReasonBadCredentials:       "Bad username or password",
	gate.ReasonUserInactive:         "User isn't active",
	gate.ReasonAlreadyAuthenticated: "Log out first",
	gate.ReasonNotAuthenticated:     "Log in first",
	gate.ReasonUsernameTaken:        "The username is already in use",
	gate.ReasonUsernameInvalid:      "The username may hold up to 150 letters, digits and @/./+/-/_ only",
	gate.ReasonOriginMismatch:       "The request comes from another site",
	gate.ReasonCrossSite:            "The request comes from another site",
	gate.ReasonHostNotLoopback:      "The host of the request is not this machine",
	gate.ReasonContentType:          "The content type must be application/json",
	gate.ReasonPasswordInvalid:      "The password is empty or too long",
	gate.ReasonPasswordWeak:         "The password is too weak",
}

// refuse answers a decision that is not Allow.
func (s *server) refuse(w http.ResponseWriter, d *gate.Decision) {
	status, text := refusal(w, d)
	answer(w, status, message(text))
}

// refusal is the status of a decision that is not Allow, and what to tell people.
func refusal(w http.ResponseWriter, d *gate.Decision) (status int, text string) {
	status = d.Status
	switch {
	case d.Outcome == gate.Error && status < 500:
		status = http.StatusServiceUnavailable
	case d.Reason == gate.ReasonNotAuthenticated:
		status = http.StatusBadRequest // the seed's
	case status < 400 || status > 599:
		status = http.StatusForbidden
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(1))
	}
	text, ok := messages[d.Reason]
	if !ok {
		text = http.StatusText(status)
	}
	return status, text
}

var jsonType = []string{"application/json"}

// smallBody is what net/http counts itself, for less.
const smallBody = 1 << 10

// answer writes a JSON body.
func answer(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	if len(body) > smallBody {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	if status != http.StatusOK {
		w.WriteHeader(status)
	}
	w.Write(body) // an error here is the client's
}
