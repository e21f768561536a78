package host

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// Middleware gives every request a user and a session for [User] and
// [Session], which cost nothing until they are asked.
//
// It does not wrap the ResponseWriter, so it cannot know later whether a
// handler asked. Every response therefore says Vary: Cookie, so that no cache
// shows one user's page to another; mount it only where users matter. For the
// same reason the user is read at once with Config.WritesOnReads: reading may
// then change the session's cookie.
func (h *Host) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Cookie")
		v := h.visit(r)
		if h.writes {
			// On an error the handler is told when it asks.
			if result, err := v.load(r.Context(), abi.OpLoadUser); err == nil {
				setCookies(w, &result.Decision)
			}
		}
		next.ServeHTTP(w, with(r, v))
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
// (CVE-2025-64484). [User] in next needs no further query.
func (h *Host) Require(req gate.Requirement, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		result := h.Do(r.Context(), &abi.Op{Kind: abi.OpCheck, Request: h.Summary(r), Require: req})
		decision := &result.Decision
		w.Header().Add("Vary", "Cookie")
		setCookies(w, decision)
		if decision.Outcome != gate.Allow {
			h.refuse(w, r, decision)
			return
		}
		v := h.visit(r)
		v.keep(result)
		r = with(r, v)
		r.Header = identify(r.Header, decision)
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

// identify is a copy of header with the identity headers of d and no others.
func identify(header http.Header, d *gate.Decision) http.Header {
	remove := make(map[string]bool, len(d.SetHeaders))
	for _, set := range d.SetHeaders {
		remove[spelling(set.Name)] = true
	}
	for _, name := range d.RemoveHeaders {
		remove[spelling(name)] = true
	}
	out := make(http.Header, len(header)+len(d.SetHeaders))
	for name, values := range header {
		if !remove[spelling(name)] {
			out[name] = append([]string(nil), values...)
		}
	}
	for _, set := range d.SetHeaders {
		out.Set(set.Name, set.Value)
	}
	return out
}

// spelling is the one form of all names that some gateway takes for the same.
func spelling(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, "_", "-"))
}

type visitKey struct{}

func with(r *http.Request, v *visit) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
}
