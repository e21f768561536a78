package serve

import (
	"embed"
	"net/http"
	"strconv"
)

//go:embed page
var page embed.FS

// contentPolicy allows the page's own script and style and nothing else: no
// inline script, no other host, no framing, no form that leaves the page.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pageFiles are the handlers of the page: itself, its script and its style.
func pageFiles() map[string]http.HandlerFunc {
	file := func(name, contentType string) http.HandlerFunc {
		text, err := page.ReadFile("page/" + name)
		if err != nil { // cannot be: it is embedded
			return http.NotFound
		}
		return func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Type", contentType)
			h.Set("Content-Length", strconv.Itoa(len(text)))
			h.Set("Content-Security-Policy", contentPolicy)
			h.Set("Referrer-Policy", "same-origin")
			h.Set("X-Frame-Options", "DENY")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			w.Write(text)
		}
	}
	return map[string]http.HandlerFunc{
		"/":          file("index.html", "text/html; charset=utf-8"),
		"/app.js":    file("app.js", "text/javascript; charset=utf-8"),
		"/style.css": file("style.css", "text/css; charset=utf-8"),
	}
}
