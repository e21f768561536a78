package serve

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/djedge/djedge/djuser/gate"
)

// Fields of a form that are none of the endpoint's own.
const (
	tokenField  = "csrfmiddlewaretoken" // Django's
	nextField   = "next"                // where to go when it is done
	repeatField = "repeat"              // the password again
)

// input is the fields of a body.
type input struct {
	fields map[string]string
	form   bool   // and not JSON
	token  string // of a form
	next   string // of a form: a target that was checked
}

// isForm reports whether the body is a form, as the rules see it.
func isForm(r *http.Request) bool {
	var summary gate.Request
	for _, value := range r.Header["Content-Type"] {
		summary.Headers = append(summary.Headers, gate.Header{Name: "content-type", Value: value})
	}
	return gate.IsForm(summary)
}

// readForm reads a form that has each of keys once, and of the fields above
// none twice. What else there is is refused, as in JSON: two readers of one
// body must never see two bodies.
func (s *server) readForm(w http.ResponseWriter, r *http.Request, keys []string) (map[string]string, *bodyError) {
	text, refused := readText(w, r)
	if refused != nil {
		return nil, refused
	}
	if !s.hasToken(r, string(text)) {
		return nil, &bodyError{http.StatusUnsupportedMediaType, "The content type must be application/json; a form needs " + tokenField}
	}
	fields, problem := decodeForm(string(text), keys)
	if problem != "" {
		return nil, &bodyError{http.StatusBadRequest, problem}
	}
	return fields, nil
}

// hasToken reports whether a form brings a CSRF token at all: one that does
// not is no form of ours, but a body of the wrong type.
func (s *server) hasToken(r *http.Request, form string) bool {
	return strings.Contains("&"+form, "&"+tokenField+"=") || r.Header.Get(s.csrfHeader) != ""
}

// decodeForm reads application/x-www-form-urlencoded. The problem names the
// field and never holds a value.
func decodeForm(text string, keys []string) (fields map[string]string, problem string) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, "The body is not a form"
	}
	fields = make(map[string]string, len(values))
	for name, all := range values {
		switch {
		case !slices.Contains(keys, name) && name != tokenField && name != nextField && !(name == repeatField && slices.Contains(keys, "password")):
			return nil, "Unknown field " + short(name)
		case len(all) > 1:
			return nil, fmt.Sprintf("The field %q is there twice", name)
		case !utf8.ValidString(all[0]):
			return nil, "The body is not UTF-8"
		}
		fields[name] = all[0]
	}
	for _, key := range keys {
		if _, ok := fields[key]; !ok {
			return nil, fmt.Sprintf("The field %q is missing", key)
		}
	}
	if again, ok := fields[repeatField]; ok && again != fields["password"] {
		return nil, "The passwords are not the same"
	}
	return fields, ""
}

// target is where to go after a form: next, if it is a path or on one of our
// hosts, else the page.
func (s *server) target(r *http.Request, next string) string {
	if gate.SafeRedirect(next, s.hosts, s.summary(r).Scheme == "https") {
		return next
	}
	return "/"
}

// answerForm sends a browser on.
func answerForm(w http.ResponseWriter, next string) {
	h := w.Header()
	h.Set("Location", gate.Location(next))
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusSeeOther)
}

// answerText writes a body for people.
func answerText(w http.ResponseWriter, status int, text string) {
	text += "\n"
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	io.WriteString(w, text) // an error here is the client's
}
