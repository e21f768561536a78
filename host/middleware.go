package host

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// Middleware gives every request a user and a session for [User] and
// [Session], which cost nothing until they are asked, and saves the session as
// Django's SessionMiddleware does, before the head of the response goes out:
//
//   - a session that was changed is saved as a whole and its cookie sent; with
//     Config.SessionSaveEveryRequest every one is. The last of several
//     requests at once wins;
//   - after a response of 500 or above nothing is saved (before Django 4.2: of
//     500 alone), and after a panic neither, which passes on;
//   - a session that was ended meanwhile, by a logout elsewhere, stays ended:
//     the response becomes 400. When the database fails it becomes 503;
//   - the cookie is deleted when it leads to no session and that was asked for;
//   - the response varies by Cookie when user or session were asked for before
//     it began, or a cookie is sent.
//
// What a streaming handler changes must be changed before its first byte. The
// ResponseWriter that next gets can do what the server's can, also by
// [http.ResponseController]: Flush, Push, ReadFrom, deadlines and full duplex,
// and Hijack, which saves first and leaves the cookie in Header for whoever
// writes the head then. Where the server's cannot do it either, Flush does
// nothing and Push and Hijack are errors. Once the response became an error,
// Write is [ErrNotSaved].
//
// With Config.WritesOnReads the user is read at once: that may change the
// session's cookie.
func (h *Host) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v := visitOf(r); v != nil && v.host == h && v.saves {
			next.ServeHTTP(w, r)
			return
		}
		v := h.visit(r)
		v.saves = true
		if outer := visitOf(r); outer != nil && outer.host == h { // Require's, which may have moved the session
			v.takeOver(outer)
		}
		if h.writes && v.user == nil {
			// On an error the handler is told when it asks.
			if result, err := v.loadUser(r.Context()); err == nil {
				setCookies(w, &result.Decision)
			}
		}
		saving := &saver{ResponseWriter: w, request: r, visit: v, before: w.Header().Clone()}
		next.ServeHTTP(saving, with(r, v))
		saving.save(http.StatusOK)
	})
}

// Require lets a request through to next only when its user, as the database
// knows it now, meets req.
//
// The others are answered here: 401 when nobody is logged in, 403 when the
// user is not what is required, 503 when that could not be found out. They are
// not to be cached (Cache-Control: no-store). The request that next gets is a
// copy whose identity headers are ours: whatever the client sent under these
// names, in any spelling that a gateway might take for them, is gone
// (CVE-2025-64484), also from trailers, and Connection cannot ask a proxy in
// next to drop ours as hop-by-hop (RFC 9110, 7.6.1). [User] in next needs no further query. Inside of
// [Host.Middleware] next may change the session, else only read it.
func (h *Host) Require(req gate.Requirement, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := visitOf(r)
		if v == nil || v.host != h {
			v = h.visit(r)
		}
		result := h.Do(r.Context(), &abi.Op{Kind: abi.OpCheck, Request: v.summary(r), Require: req})
		decision := &result.Decision
		w.Header().Add("Vary", "Cookie")
		setCookies(w, decision)
		if decision.Outcome != gate.Allow {
			h.refuse(w, r, decision)
			return
		}
		v.enter(result)
		r = with(r, v)
		names := identityNames(decision)
		r.Header = identify(r.Header, decision, names)
		dropTrailers(r, names)
		next.ServeHTTP(w, r)
	})
}

func setCookies(w http.ResponseWriter, d *gate.Decision) {
	for _, cookie := range d.Cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
}

func (h *Host) refuse(w http.ResponseWriter, r *http.Request, d *gate.Decision) {
	status := d.Status
	if status < 400 || status > 599 || d.Outcome == gate.Error && status < 500 {
		status = http.StatusServiceUnavailable
	}
	level := slog.LevelDebug
	if d.Outcome == gate.Error {
		level = slog.LevelError
	}
	h.log.LogAttrs(r.Context(), level, "request refused",
		slog.Int("status", status), slog.String("reason", d.Reason.String()), slog.String("detail", d.Detail))
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(status), status)
}

// identityNames are the spellings that only d may give a value.
func identityNames(d *gate.Decision) map[string]bool {
	names := make(map[string]bool, len(d.SetHeaders))
	for _, set := range d.SetHeaders {
		names[spelling(set.Name)] = true
	}
	for _, name := range d.RemoveHeaders {
		names[spelling(name)] = true
	}
	return names
}

// identify is a copy of header with the identity headers of d and no others,
// and with none of their names in Connection.
func identify(header http.Header, d *gate.Decision, names map[string]bool) http.Header {
	out := make(http.Header, len(header)+len(d.SetHeaders))
	for name, values := range header {
		if names[spelling(name)] {
			continue
		}
		if spelling(name) == "connection" {
			values = withoutTokens(values, names)
			if len(values) == 0 {
				continue
			}
		}
		out[name] = append([]string(nil), values...)
	}
	for _, set := range d.SetHeaders {
		out.Set(set.Name, set.Value)
	}
	return out
}

// withoutTokens takes names out of comma-separated lists, and leaves out the
// lists of which nothing remains.
func withoutTokens(lists []string, names map[string]bool) (out []string) {
	for _, list := range lists {
		tokens := strings.Split(list, ",")
		kept := slices.DeleteFunc(slices.Clone(tokens), func(token string) bool { return names[spelling(strings.TrimSpace(token))] })
		switch {
		case len(kept) == len(tokens):
			out = append(out, list)
		case len(kept) > 0:
			out = append(out, strings.TrimSpace(strings.Join(kept, ",")))
		}
	}
	return out
}

// dropTrailers gives r, which is a copy, trailers of its own without names.
// The server fills its map when the body has been read, also with what was
// not announced, so only what was is taken over then.
func dropTrailers(r *http.Request, names map[string]bool) {
	if r.Trailer == nil {
		return
	}
	own := make(http.Header, len(r.Trailer))
	for name, values := range r.Trailer {
		if !names[spelling(name)] {
			own[name] = values
		}
	}
	r.Body = &trailing{r.Body, r.Trailer, own}
	r.Trailer = own
}

// trailing is a body at whose end the trailers become known.
type trailing struct {
	io.ReadCloser
	all, own http.Header
}

func (t *trailing) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err == io.EOF {
		for name := range t.own {
			t.own[name] = t.all[name]
		}
	}
	return n, err
}

// spelling is the one form of all names that some gateway takes for the same:
// CGI makes one variable of Remote-User and Remote_User, and lighttpd, like
// others, of Remote.User too: of whatever is no letter or digit.
func spelling(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
}

type visitKey struct{}

func with(r *http.Request, v *visit) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
}
