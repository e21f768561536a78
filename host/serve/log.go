package serve

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// opNames are the operations of this package, as they are logged and counted.
var opNames = [...]string{
	abi.OpCheck:          "check",
	abi.OpLogin:          "login",
	abi.OpLogout:         "logout",
	abi.OpRegister:       "register",
	abi.OpChangePassword: "change_password",
	abi.OpCSRFToken:      "csrf_token",
	abi.OpVisit:          "visit",
}

// do runs op, and counts and logs what was decided.
func (s *server) do(r *http.Request, op *abi.Op) *abi.Result {
	start := s.now()
	result := s.host.Do(r.Context(), op)
	s.record(r, op.Kind, op.Username, &result.Decision, start)
	return result
}

// record is one line and one count for each decision. Reads are logged for
// debugging only, what changes something always; start is when the operation
// began, if there was any. Reasons are words of ours,
// and names are bounded; passwords, keys and cookies are never logged.
func (s *server) record(r *http.Request, op abi.OpKind, username string, d *gate.Decision, start time.Time) {
	s.metrics.count(op, d)

	level := slog.LevelInfo
	switch {
	case d.Outcome == gate.Error:
		level = slog.LevelError
	case op == abi.OpCheck || op == abi.OpVisit || op == abi.OpCSRFToken:
		level = slog.LevelDebug
	}
	if !s.log.Enabled(r.Context(), level) {
		return
	}
	if d.Identity != nil {
		username = d.Identity.Name
	}
	var took time.Duration
	if !start.IsZero() {
		took = s.now().Sub(start)
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs,
		slog.String("op", opNames[op]),
		slog.String("reason", d.Reason.String()),
		slog.Int("status", d.Status),
		slog.String("address", s.clientAddress(r).String()),
		slog.Int64("took_us", took.Microseconds()))
	if username != "" {
		attrs = append(attrs, slog.String("user", capped(username)))
	}
	if d.Rule > 0 {
		attrs = append(attrs, slog.Int("rule", d.Rule))
	}
	if d.Detail != "" {
		attrs = append(attrs, slog.String("detail", capped(d.Detail)))
	}
	s.log.LogAttrs(r.Context(), level, "decision", attrs...)
}

// tooMany answers 429.
func (s *server) tooMany(w http.ResponseWriter, r *http.Request, op abi.OpKind, username string, wait time.Duration) {
	d := gate.Decision{Outcome: gate.Deny, Status: http.StatusTooManyRequests, Reason: gate.ReasonRateLimited}
	s.record(r, op, username, &d, time.Time{})
	seconds := int64((wait + time.Second - 1) / time.Second)
	w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	answer(w, d.Status, message("Too many attempts, try again later"))
}

// capped is a user name that a stranger typed, cut to the length of Django's column.
func capped(name string) string {
	const limit = 150
	n := 0
	for i := range name {
		if n == limit {
			return name[:i] + "…"
		}
		n++
	}
	return name
}
