package serve

import (
	"embed"
	"html"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

//go:embed page
var page embed.FS

// contentPolicy allows the page's own script and style and nothing else: no
// inline script, no other host, no framing, no form that leaves the server.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// formFields is where a form of the page has the fields that are made for each visitor.
const formFields = "<!-- fields -->"

// pageFiles are the handlers of the page: itself, its script and its styles.
func (s *server) pageFiles() map[string]http.HandlerFunc {
	file := func(name, contentType string, fields func(http.ResponseWriter, *http.Request) string) http.HandlerFunc {
		text, err := page.ReadFile("page/" + name)
		if err != nil { // cannot be: it is embedded
			return http.NotFound
		}
		return func(w http.ResponseWriter, r *http.Request) {
			text := string(text)
			if fields != nil {
				text = strings.ReplaceAll(text, formFields, fields(w, r))
			}
			h := w.Header()
			h.Set("Content-Type", contentType)
			h.Set("Content-Length", strconv.Itoa(len(text)))
			h.Set("Content-Security-Policy", contentPolicy)
			h.Set("Referrer-Policy", "same-origin")
			h.Set("X-Frame-Options", "DENY")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			io.WriteString(w, text) // an error here is the client's
		}
	}
	return map[string]http.HandlerFunc{
		"/":             file("index.html", "text/html; charset=utf-8", s.formFields),
		"/app.js":       file("app.js", "text/javascript; charset=utf-8", nil),
		"/style.css":    file("style.css", "text/css; charset=utf-8", nil),
		"/noscript.css": file("noscript.css", "text/css; charset=utf-8", nil),
	}
}

// formFields are the hidden fields of every form: Django's token, whose secret
// a visitor without one gets in a cookie, and where to go afterwards. Without
// them the page still works by its script.
func (s *server) formFields(w http.ResponseWriter, r *http.Request) (fields string) {
	hidden := func(name, value string) {
		fields += `<input type="hidden" name="` + name + `" value="` + html.EscapeString(value) + `">`
	}
	result := s.do(r, &abi.Op{Kind: abi.OpCSRFToken, Request: s.summary(r)})
	if result.Decision.Outcome == gate.Allow {
		s.cookies(w, &result.Decision)
		hidden(tokenField, result.Text)
	}
	if next := s.target(r, r.URL.Query().Get(nextField)); next != "/" {
		hidden(nextField, next)
	}
	return fields
}
