package serve

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/djedge/djedge/djsession"
	"github.com/djedge/djedge/djsession/signing"
	"github.com/djedge/djedge/djuser/gate"
	"github.com/djedge/djedge/host"
	"github.com/djedge/djedge/internal/vectortest"
	"github.com/djedge/djedge/wasm/abi"
)

// oneValue is a cache that holds the same for every key, and stores nothing.
type oneValue struct{ value string }

func (c *oneValue) Storage(_ context.Context, op djsession.StorageOp) (djsession.StorageResult, error) {
	if op.Kind != djsession.CacheGet {
		return djsession.StorageResult{}, nil
	}
	return djsession.StorageResult{Found: true, Value: c.value}, nil
}

func (c *oneValue) Close() error { return nil }

// What is wrong with stored sessions lets nobody in, ends in bounded time and
// memory, and is counted and logged by one of few words, in either engine.
func TestCorruptSessions(t *testing.T) {
	const key = "abcdefghijklmnopqrstuvwxyz012345"
	vectors, err := vectortest.Read[struct{ ID, Tag, Class, B64 string }](vectortest.Main, "pickle")
	if err != nil {
		t.Fatal(err)
	}
	eachEngine(t, func(t *testing.T, engine func() host.Engine) {
		check := func(s *site, id string) {
			t.Helper()
			s.cookies = []*http.Cookie{{Name: "sessionid", Value: key}}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			if got := s.send("GET", "/auth", ""); got.status != http.StatusUnauthorized {
				t.Errorf("%s: %d", id, got.status)
			}
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if took > 10*time.Second || after.TotalAlloc-before.TotalAlloc > 200<<20 {
				t.Errorf("%s: %v, %d MiB", id, took, (after.TotalAlloc-before.TotalAlloc)>>20)
			}
		}
		t.Run("pickles", func(t *testing.T) {
			cache := new(oneValue)
			s := newSite(t, engine(), func(h *host.Config, _ *Config) { h.SessionEngine, h.Storage = "cache", cache })
			refused := 0
			for _, v := range vectors {
				if v.Class != "hostile" && v.Class != "malformed" && v.Class != "resource" || v.Tag == "resource/many-marks" {
					continue
				}
				data, err := base64.StdEncoding.DecodeString(v.B64)
				if err != nil {
					t.Fatal(err)
				}
				cache.value = string(data)
				check(s, v.ID+" "+v.Tag)
				refused++
			}
			counts := corrupt(t, s)
			total := 0
			for why, n := range counts {
				if !strings.HasPrefix(why, "pickle_") {
					t.Errorf("counted as %s", why)
				}
				total += n
			}
			if total != refused || refused < 100 || counts["pickle_opcode"] == 0 || counts["pickle_global"] == 0 {
				t.Errorf("%d of %d are counted: %v", total, refused, counts)
			}
			if log := s.log.String(); !strings.Contains(log, `reason=session_corrupt`) || !strings.Contains(log, `detail="session data: pickle_opcode"`) {
				t.Errorf("the log is\n%.2000s", log)
			}
		})
		t.Run("session data", func(t *testing.T) {
			s := newSite(t, engine())
			ring := signing.DeriveKeys("", secretKey, nil).Session.Current
			now := time.Now()
			dumps := func(text string) string { return signing.Dumps(text, ring, true, now) }
			for why, data := range map[string]string{
				"signature":  "canary:1:x",
				"timestamp":  signing.Sign("e30:!", ring),
				"base64":     signing.SignTimestamp("e", ring, now),
				"zlib":       signing.SignTimestamp(".e30", ring, now),
				"size":       dumps(`{"canary":"` + strings.Repeat("x", 16<<20) + `"}`),
				"json":       dumps(`["canary"]`),
				"json_depth": dumps(`{"canary":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`),
			} {
				s.exec("DELETE FROM django_session")
				s.exec("INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?, ?, '2099-01-01 00:00:00')", key, data)
				check(s, why)
				if counts := corrupt(t, s); counts[why] != 1 {
					t.Errorf("%s: counted as %v", why, counts)
				}
			}
			if strings.Contains(s.log.String(), "canary") || strings.Contains(s.log.String(), key) {
				t.Error("the log repeats what was stored")
			}
		})
		// What a cache holds is passed over, and counted: the database decides.
		t.Run("cached_db", func(t *testing.T) {
			cache := &oneValue{"\x80\x05cos\nsystem\n."}
			s := newSite(t, engine(), func(h *host.Config, _ *Config) { h.SessionEngine, h.Storage = "cached_db", cache })
			s.login("bob")
			s.want(http.StatusOK, "", s.send("GET", "/auth", ""))
			if counts := corrupt(t, s); counts["pickle_global"] != 1 {
				t.Errorf("counted as %v", counts)
			}
		})
	})
}

// corrupt is what /metrics says of refused data, by what was wrong.
func corrupt(t *testing.T, s *site) map[string]int {
	t.Helper()
	counts := map[string]int{}
	body := get(NewAdmin(s.server.metrics, nil), "/metrics").Body.String()
	for line := range strings.Lines(body) {
		rest, ok := strings.CutPrefix(line, `djedge_sessions_corrupt_total{why="`)
		if !ok {
			continue
		}
		why, count, _ := strings.Cut(rest, `"} `)
		var n int
		if _, err := fmt.Sscan(count, &n); err != nil {
			t.Fatal(err)
		}
		counts[why] = n
	}
	return counts
}

// Labels are words of djedge's, whatever a decision says.
func TestCorruptLabels(t *testing.T) {
	m := NewMetrics()
	for _, detail := range []string{"", "app.add_thing", "session data: canary", `session data: size"} 1`, "session data: size", "session data: size; and why"} {
		m.count(abi.OpCheck, &gate.Decision{Reason: gate.ReasonSessionCorrupt, Detail: detail})
	}
	var text strings.Builder
	m.WriteTo(&text)
	want := `# HELP djedge_decisions_total Decisions by operation and reason.
# TYPE djedge_decisions_total counter
djedge_decisions_total{op="check",reason="session_corrupt"} 6
# HELP djedge_sessions_corrupt_total Stored sessions, or cached ones, that were refused, by what was wrong with the data.
# TYPE djedge_sessions_corrupt_total counter
djedge_sessions_corrupt_total{why="size"} 2
`
	if text.String() != want {
		t.Errorf("got %s", text.String())
	}
}
