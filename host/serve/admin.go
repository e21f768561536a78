package serve

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/wasm/abi"
)

// Metrics counts decisions by operation and reason, and refused session data by
// what was wrong with it. All are words of djedge's, so the number of series
// does not depend on what clients send.
type Metrics struct {
	counts  [len(opNames)][math.MaxUint8 + 1]atomic.Uint64 // by operation and reason
	mu      sync.Mutex
	corrupt map[djsession.Fault]uint64
}

// NewMetrics returns counters at zero.
func NewMetrics() *Metrics {
	return &Metrics{corrupt: make(map[djsession.Fault]uint64)}
}

func (m *Metrics) count(op abi.OpKind, d *gate.Decision) {
	m.counts[op][d.Reason].Add(1)
	if d.Detail == "" {
		return
	}
	if fault, corrupt := djsession.ParseDetail(d.Detail); corrupt {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.corrupt[fault]++
	}
}

// WriteTo writes the counters in Prometheus' text format.
func (m *Metrics) WriteTo(w io.Writer) (int64, error) {
	var lines []string
	for op := range m.counts {
		for reason := range m.counts[op] {
			if n := m.counts[op][reason].Load(); n > 0 {
				lines = append(lines, fmt.Sprintf("djedge_decisions_total{op=%q,reason=%q} %d\n", opNames[op], gate.Reason(reason), n))
			}
		}
	}
	m.mu.Lock()
	refused := make([]string, 0, len(m.corrupt))
	for fault, n := range m.corrupt {
		refused = append(refused, fmt.Sprintf("djedge_sessions_corrupt_total{why=%q} %d\n", fault, n))
	}
	m.mu.Unlock()
	text := counter("djedge_decisions_total", "Decisions by operation and reason.", lines)
	if len(refused) > 0 {
		text += counter("djedge_sessions_corrupt_total", "Stored sessions, or cached ones, that were refused, by what was wrong with the data.", refused)
	}
	n, err := io.WriteString(w, text)
	return int64(n), err
}

// counter is a metric with these lines.
func counter(name, help string, lines []string) string {
	sort.Strings(lines)
	return "# HELP " + name + " " + help + "\n# TYPE " + name + " counter\n" + strings.Join(lines, "")
}

// NewAdmin returns the handler of a listener of its own, not for the public:
// /livez (the process answers), /readyz (ready returned no error; 503 else)
// and /metrics.
func NewAdmin(m *Metrics, ready func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	text := func(w http.ResponseWriter, status int, body string) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, r *http.Request) { text(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := ready(ctx); err != nil { // its text may name the database; only the log is told
			text(w, http.StatusServiceUnavailable, "not ready\n")
			return
		}
		text(w, http.StatusOK, "ok\n")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		m.WriteTo(w)
	})
	return mux
}

// NewServer returns a server for handler with bounds on how long a client may
// take and on the size of its headers: browsers with the cookies of many
// applications need room, and more than 64 KiB is refused with 431. Every
// request is the handler's, "OPTIONS *" too.
func NewServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           closeChunked(handler),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ConnContext:       withConn,

		DisableGeneralOptionsHandler: true,
	}
}

// closeChunked ends the connection after a request with a Transfer-Encoding.
// One that has a Content-Length besides may be two requests to a proxy, and
// what follows it must not be read (RFC 9112 section 6.1). net/http removes
// that Content-Length before anybody can see it, so all of them end it; the
// clients of this server hardly ever send in chunks.
func closeChunked(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		defer answering(r).answered()
		handler.ServeHTTP(w, r)
	})
}
